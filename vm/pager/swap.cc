#include "vm/pager/swap.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "vm/page_busy.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {

std::uint32_t SwapMap::SlotOf(Pindex pindex) const {
  const auto found = slots_.find(pindex);
  return found == slots_.end() ? kNoSlot : found->second;
}

std::uint32_t SwapMap::Set(Pindex pindex, std::uint32_t slot) {
  const auto [place, inserted] = slots_.try_emplace(pindex, slot);
  return inserted ? kNoSlot : std::exchange(place->second, slot);
}

std::uint32_t SwapMap::Take(Pindex pindex) {
  const auto found = slots_.find(pindex);
  if (found == slots_.end()) return kNoSlot;
  const std::uint32_t slot = found->second;
  slots_.erase(found);
  return slot;
}

SwapPager::SwapPager(System& system, std::uint32_t slots, std::unique_ptr<Store> store)
    : system_(system), store_(std::move(store)), slots_(slots) {}

bool SwapPager::HasPage(const Object& object, Pindex pindex) const {
  object.lock.AssertHeldShared();
  return object.swap != nullptr && object.swap->SlotOf(pindex) != kNoSlot;
}

Result SwapPager::PageIn(Object& object, Page& page) {
  object.lock.AssertHeld();
  Require(page.exclusively_busy() && page.valid == 0, "INV-18",
          "a page is read from swap that is valid or not busy");
  Require(object.paging_in_progress > 0, "INV-37",
          "a page is read from swap with no paging in progress");
  Require(HasPage(object, page.pindex), "INV-51", "a page is read from swap that has no copy");
  const std::uint32_t slot = object.swap->SlotOf(page.pindex);
  object.lock.Unlock();
  const std::span<std::byte> frame = system_.FrameBytes(page);
  const Result result = store_->Read(slot, {&frame, 1});
  object.lock.Lock();
  Require(HasPage(object, page.pindex) && object.swap->SlotOf(page.pindex) == slot, "INV-51",
          "a swap slot changed its owner while it was read");
  if (result != Result::kOk) {
    system_.counters().Add(Event::kPageInError);
    return Result::kIoError;
  }
  page.valid = system_.AllBlocks();
  page.dirty.Store(0);
  system_.counters().Add(Event::kPageIn);
  return Result::kOk;
}

// From here on the pages can neither be freed nor renamed, nor written without being dirtied anew.
void SwapPager::ProtectCluster(Object& object, WriteOut& write) {
  Pindex expected = write.pages.front()->pindex;
  for (std::uint32_t i = 0; i < write.page_count; ++i) {
    Page& page = *write.pages[i];
    Require(page.object == &object && page.pindex == expected++, "INV-03",
            "a cluster is not of consecutive pages of its object");
    Require(page.valid == system_.AllBlocks(), "INV-52", "a page is written that is not valid");
    ShareBusyPage(object, page);
    Pmap::RemoveWrite(system_, page);  // folds the modified bits
    write.dirty[i] = page.dirty.Exchange(0);
  }
}

void SwapPager::AssignSlots(Object& object, WriteOut& write) {
  for (std::uint32_t i = 0; i < write.page_count;) {
    std::uint32_t dirty_run = 0;
    while (i + dirty_run < write.page_count && write.dirty[i + dirty_run] != 0) ++dirty_run;
    if (dirty_run == 0) {
      ++i;
      continue;
    }
    Page& page = *write.pages[i];
    SwapSlots::Run run = slots_.Allocate(dirty_run);
    const bool in_place = run.count == 0 && HasPage(object, page.pindex);
    if (in_place) run = {object.swap->SlotOf(page.pindex), 1};
    if (run.count == 0) {
      system_.counters().Add(Event::kSwapFull);
      page.dirty.FetchOr(std::exchange(write.dirty[i], 0));
      ++i;
      continue;
    }
    write.segments[write.segment_count++] = {i, run.count, run.first, in_place, Result::kOk};
    i += run.count;
  }
}

void SwapPager::Write(WriteOut& write) {
  for (std::uint32_t i = 0; i < write.segment_count; ++i) {
    WriteOut::Segment& segment = write.segments[i];
    std::array<std::span<const std::byte>, kClusterPages> frames;
    for (std::uint32_t k = 0; k < segment.count; ++k)
      frames[k] = system_.FrameBytes(*write.pages[segment.first + k]);
    segment.result = store_->Write(segment.slot, {frames.data(), segment.count});
  }
}

void SwapPager::GiveAway(const Object& object, const WriteOut& write) {
  GiveAwayPaging(object);
  // The newest first, here and when all have been taken over: the list of what a thread holds then
  // closes no gaps.
  for (const Page* page : write.cluster() | std::views::reverse) GiveAwaySharedBusy(*page);
}

void SwapPager::TakeOver(const Object& object, const WriteOut& write) {
  for (const Page* page : write.cluster() | std::views::reverse) TakeOverSharedBusy(*page);
  TakeOverPaging(object);
}

void SwapPager::SetSlot(Object& object, Pindex pindex, std::uint32_t slot) {
  if (object.swap == nullptr) object.swap = new SwapMap;
  if (object.type == ObjectType::kDefault) object.type = ObjectType::kSwap;
  const std::uint32_t old = object.swap->Set(pindex, slot);
  if (old != kNoSlot && old != slot) slots_.Free(old, 1);
}

std::uint32_t SwapPager::EndPageOut(Object& object, const WriteOut& write) {
  object.lock.AssertHeld();
  std::uint32_t written = 0;
  for (std::uint32_t i = 0; i < write.segment_count; ++i) {
    const WriteOut::Segment& segment = write.segments[i];
    const bool ok = segment.result == Result::kOk;
    system_.counters().Add(ok ? Event::kPageOut : Event::kPageOutError, segment.count);
    if (!ok && !segment.in_place) slots_.Free(segment.slot, segment.count);
    for (std::uint32_t k = 0; k < segment.count; ++k) {
      Page& page = *write.pages[segment.first + k];
      if (ok)
        SetSlot(object, page.pindex, segment.slot + k);
      else
        page.dirty.FetchOr(write.dirty[segment.first + k]);
    }
    if (ok) written += segment.count;
  }
  for (Page* page : write.cluster()) UnshareBusyPage(system_, object, *page);
  if (write.segment_count > 0) PagingEnd(system_, object);
  return written;
}

void SwapPager::BeginPageOut(Object& object, std::span<Page* const> pages, WriteOut* write) {
  object.lock.AssertHeld();
  Require(!pages.empty() && pages.size() <= kClusterPages, "SWAP",
          "a cluster is empty or too large");
  Require(object.anonymous(), "SWAP", "an object is written to swap that is not anonymous");
  std::copy(pages.begin(), pages.end(), write->pages.begin());
  write->page_count = static_cast<std::uint32_t>(pages.size());
  ProtectCluster(object, *write);
  AssignSlots(object, *write);
  if (write->segment_count > 0) PagingBegin(object);
}

std::uint32_t SwapPager::PageOut(Object& object, std::span<Page* const> pages) {
  WriteOut write;
  BeginPageOut(object, pages, &write);
  if (write.segment_count > 0) {
    object.lock.Unlock();
    Write(write);
    object.lock.Lock();
  }
  return EndPageOut(object, write);
}

void SwapPager::FreeSpace(Object& object, Pindex first, Pindex count) {
  object.lock.AssertHeld();
  if (object.swap == nullptr) return;
  std::map<Pindex, std::uint32_t>& slots = object.swap->slots();
  auto next = slots.lower_bound(first);
  while (next != slots.end() && next->first - first < count) {
    const Page* page = LookupPage(object, next->first);
    Require(page == nullptr || !page->busied() || page->busy_owner == locking::Self().id, "INV-51",
            "a swap slot is freed whose page is busy");
    slots_.Free(next->second, 1);
    next = slots.erase(next);
  }
}

void SwapPager::FreeAll(Object& object) {
  object.lock.AssertHeld();
  FreeSpace(object, 0, kNoPindex);
  delete std::exchange(object.swap, nullptr);
}

void SwapPager::MoveAll(Object& from, Object& to, Pindex offset) {
  from.lock.AssertHeld();
  to.lock.AssertHeld();
  if (from.swap == nullptr) return;
  for (const auto& [pindex, slot] : from.swap->slots()) {
    const Pindex target = pindex - offset;
    const Page* page = nullptr;
    const bool fits = pindex >= offset && target < to.size;
    if (fits) page = LookupPage(to, target);
    const bool hidden = (page != nullptr && page->valid != 0) || HasPage(to, target);
    if (fits && !hidden)
      SetSlot(to, target, slot);
    else
      slots_.Free(slot, 1);
  }
  delete std::exchange(from.swap, nullptr);
}

}  // namespace vm
