#include "vm/pager/swap.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vm/pager/pager_map.h"
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
    : Pager(system), store_(std::move(store)), slots_(slots, system.giant()) {}

bool SwapPager::HasPage(const Object& object, Pindex pindex) const {
  object.lock.AssertHeldShared();
  return object.swap != nullptr && object.swap->SlotOf(pindex) != kNoSlot;
}

PageRun SwapPager::RunAround(const Object& object, Pindex pindex) const {
  PageRun run;
  const std::uint32_t slot = object.swap->SlotOf(pindex);
  while (run.behind < kClusterPages - 1 &&
         object.swap->SlotOf(pindex + run.behind + 1) == slot + run.behind + 1)
    ++run.behind;
  while (run.before + run.behind < kClusterPages - 1 &&
         run.before < std::min<Pindex>(pindex, slot) &&
         object.swap->SlotOf(pindex - run.before - 1) == slot - run.before - 1)
    ++run.before;
  return run;
}

namespace {

// The slots of `pages` follow one another.
void RequireSlots(const Object& object, std::span<Page* const> pages, std::uint32_t first_slot,
                  const char* what) LOCKING_REQUIRES(object.lock) {
  for (std::uint32_t i = 0; i < pages.size(); ++i)
    Require(object.swap != nullptr && object.swap->SlotOf(pages[i]->pindex) == first_slot + i,
            "INV-51", what);
}

}  // namespace

Result SwapPager::ReadSlots(std::uint32_t slot, std::span<Page* const> pages, MapIn how) {
  const PagerWindow window(system_.pager_map(), pages, how);
  return window.mapped() ? store_->Read(slot, window.bytes()) : Result::kShortage;
}

Result SwapPager::GetPages(Object& object, std::span<Page* const> pages, std::uint32_t wanted) {
  object.lock.AssertHeld();
  Require(object.paging_in_progress > 0, "INV-37",
          "a page is read from swap with no paging in progress");
  for (const Page* page : pages)
    Require(page->exclusively_busy() && page->valid == 0, "INV-18",
            "a page is read from swap that is valid or not busy");
  Require(HasPage(object, pages[wanted]->pindex), "INV-51",
          "a page is read from swap that has no copy");
  const std::uint32_t slot = object.swap->SlotOf(pages[wanted]->pindex) - wanted;
  RequireSlots(object, pages, slot, "pages are read from swap whose slots are not consecutive");
  object.lock.Unlock();
  std::span<Page* const> read = pages;
  Result result = ReadSlots(slot, pages, pages.size() > 1 ? MapIn::kTry : MapIn::kWait);
  if (result != Result::kOk && pages.size() > 1) {
    // A neighbour may have been at fault, or is not worth waiting for.
    read = pages.subspan(wanted, 1);
    result = ReadSlots(slot + wanted, read, MapIn::kWait);
  }
  object.lock.Lock();
  RequireSlots(object, pages, slot, "a swap slot changed its owner while it was read");
  if (result != Result::kOk) {
    system_.counters().Add(Event::kPageInError);
    return Result::kIoError;
  }
  for (Page* page : read) {
    page->valid = system_.AllBlocks();
    page->dirty.Store(0);
  }
  system_.counters().Add(Event::kPageIn, read.size());
  return Result::kOk;
}

void SwapPager::AssignPlaces(Object& object, WriteOut& write) {
  Require(object.anonymous(), "PAGER", "an object is written to swap that is not anonymous");
  for (std::uint32_t i = 0; i < write.page_count;) {
    std::uint32_t dirty_run = 0;
    while (i + dirty_run < write.page_count && write.dirty[i + dirty_run] != 0) ++dirty_run;
    if (dirty_run == 0) {
      ++i;
      continue;
    }
    const Pindex pindex = write.pages[i]->pindex;
    SwapSlots::Run run = slots_.Allocate(dirty_run);
    const bool in_place = run.count == 0 && HasPage(object, pindex);
    if (in_place) run = {object.swap->SlotOf(pindex), 1};
    if (run.count == 0) {
      system_.counters().Add(Event::kSwapFull);
      GiveBackDirty(write, i, PutState::kNoRoom);
      ++i;
      continue;
    }
    write.segments[write.segment_count++] = {i, run.count, run.first, in_place, 0, Result::kOk};
    i += run.count;
  }
}

void SwapPager::Write(WriteOut& write) {
  for (std::uint32_t i = 0; i < write.segment_count; ++i) {
    WriteOut::Segment& segment = write.segments[i];
    const PagerWindow window(system_.pager_map(), write.PagesOf(segment), write.map_in);
    std::array<std::span<const std::byte>, kClusterPages> frames;
    std::ranges::copy(window.bytes(), frames.begin());
    const auto slot = static_cast<std::uint32_t>(segment.place);
    segment.result = store_->Write(slot, {frames.data(), segment.count});
    if (segment.result == Result::kOk) segment.written = segment.count;
  }
}

void SwapPager::SetSlot(Object& object, Pindex pindex, std::uint32_t slot) {
  if (object.swap == nullptr) object.swap = new SwapMap;
  if (object.type == ObjectType::kDefault) {
    object.type = ObjectType::kSwap;
    object.pager = this;
  }
  const std::uint32_t old = object.swap->Set(pindex, slot);
  if (old != kNoSlot && old != slot) slots_.Free(old, 1);
}

void SwapPager::Settle(Object& object, const WriteOut& write, const WriteOut::Segment& segment) {
  const auto slot = static_cast<std::uint32_t>(segment.place);
  for (std::uint32_t k = 0; k < segment.written; ++k)
    SetSlot(object, write.pages[segment.first + k]->pindex, slot + k);
  if (!segment.in_place && segment.written < segment.count)
    slots_.Free(slot + segment.written, segment.count - segment.written);
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

void SwapPager::Deallocate(Object& object) {
  object.lock.AssertHeld();
  FreeSpace(object, 0, kNoPindex);
  delete std::exchange(object.swap, nullptr);
}

void SwapPager::MoveRange(Object& from, Object& to, Pindex offset) {
  from.lock.AssertHeld();
  to.lock.AssertHeld();
  if (from.swap == nullptr) return;
  std::map<Pindex, std::uint32_t>& slots = from.swap->slots();
  for (auto next = slots.lower_bound(offset); next != slots.end() && next->first - offset < to.size;
       next = slots.erase(next)) {
    const Pindex target = next->first - offset;
    const Page* page = LookupPage(to, target);
    if ((page != nullptr && page->valid != 0) || HasPage(to, target))
      slots_.Free(next->second, 1);
    else
      SetSlot(to, target, next->second);
  }
}

void SwapPager::MoveAll(Object& from, Object& to, Pindex offset) {
  MoveRange(from, to, offset);
  Deallocate(from);
}

}  // namespace vm
