#include "vm/pager/pager.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/page_cow.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {

std::uint32_t WriteOut::Count(PutState state) const {
  return static_cast<std::uint32_t>(std::count(states.begin(), states.begin() + page_count, state));
}

Pager& PagerForWriting(System& system, const Object& object) {
  if (object.pager != nullptr) return *object.pager;
  Require(object.type == ObjectType::kDefault, "PAGER",
          "an object is written out that has no pager");
  return system.swap();
}

// From here on the pages can neither be freed nor renamed, nor written without being dirtied anew.
void Pager::ProtectCluster(Object& object, WriteOut& write) {
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

void Pager::GiveBackDirty(WriteOut& write, std::uint32_t index, PutState why) {
  write.states[index] = why;
  write.pages[index]->dirty.FetchOr(std::exchange(write.dirty[index], 0));
}

void Pager::BeginPageOut(Object& object, std::span<Page* const> pages, WriteOut* write) {
  object.lock.AssertHeld();
  Require(!pages.empty() && pages.size() <= kClusterPages, "PAGER",
          "a cluster is empty or too large");
  std::copy(pages.begin(), pages.end(), write->pages.begin());
  write->page_count = static_cast<std::uint32_t>(pages.size());
  ProtectCluster(object, *write);
  AssignPlaces(object, *write);
  if (write->segment_count > 0) PagingBegin(object);
}

void Pager::GiveAway(const Object& object, const WriteOut& write) {
  GiveAwayPaging(object);
  // The newest first, here and when all have been taken over: the list of what a thread holds then
  // closes no gaps.
  for (const Page* page : write.cluster() | std::views::reverse) GiveAwaySharedBusy(*page);
}

void Pager::TakeOver(const Object& object, const WriteOut& write) {
  for (const Page* page : write.cluster() | std::views::reverse) TakeOverSharedBusy(*page);
  TakeOverPaging(object);
}

std::uint32_t Pager::EndPageOut(Object& object, WriteOut& write) {
  object.lock.AssertHeld();
  std::uint32_t written = 0;
  for (std::uint32_t i = 0; i < write.segment_count; ++i) {
    const WriteOut::Segment& segment = write.segments[i];
    system_.counters().Add(Event::kPageOut, segment.written);
    system_.counters().Add(Event::kPageOutError, segment.count - segment.written);
    Settle(object, write, segment);
    for (std::uint32_t k = 0; k < segment.count; ++k) {
      if (k < segment.written)
        write.states[segment.first + k] = PutState::kWritten;
      else
        GiveBackDirty(write, segment.first + k, PutState::kFailed);
    }
    written += segment.written;
  }
  for (Page* page : write.cluster()) UnshareBusyPage(system_, object, *page);
  if (write.segment_count > 0) PagingEnd(system_, object);
  return written;
}

std::uint32_t Pager::PageOut(Object& object, std::span<Page* const> pages) {
  WriteOut write;
  return PageOut(object, pages, &write);
}

std::uint32_t Pager::PageOut(Object& object, std::span<Page* const> pages, WriteOut* write) {
  BeginPageOut(object, pages, write);
  if (write->segment_count > 0) {
    object.lock.Unlock();
    Write(*write);
    object.lock.Lock();
  }
  return EndPageOut(object, *write);
}

Result Pager::MakePage(Object&, Pindex, Page**) { return Result::kIoError; }

namespace {

// The pages of one read: the one wanted, and its neighbours as far as there is memory to spare.
class Reading {
 public:
  Reading(System& system, Pindex pindex) : system_(system), pindex_(pindex) {}

  // False: there is no page for the one wanted. `invalid`: there is one already.
  bool Collect(Object& object, Page* invalid) LOCKING_REQUIRES(object.lock) {
    if (invalid != nullptr)
      BusyPage(object, *invalid);
    else
      invalid = AllocatePage(system_, object, pindex_, {.busy = true});
    if (invalid == nullptr) return false;
    pages_[kPlace] = invalid;
    const PageRun run = object.pager->RunAround(object, pindex_);
    for (std::uint32_t i = 1; i <= run.behind && AddNeighbour(object, pindex_ + i, end_); ++i)
      ++end_;
    for (std::uint32_t i = 1; i <= run.before && AddNeighbour(object, pindex_ - i, first_ - 1); ++i)
      --first_;
    return true;
  }

  Result Read(Object& object) LOCKING_REQUIRES(object.lock) {
    return object.pager->GetPages(object, {&pages_[first_], end_ - first_}, kPlace - first_);
  }

  // Ends the busy of all; what was not read is freed, unless it is wired. Returns the page wanted,
  // if it was read.
  Page* Finish(Object& object) LOCKING_REQUIRES(object.lock) {
    for (std::uint32_t i = end_; i-- > first_;) Finish(object, pages_[i], i == kPlace);
    return pages_[kPlace];
  }

 private:
  void Finish(Object& object, Page*& page, bool wanted) LOCKING_REQUIRES(object.lock) {
    PageRoleGuard guard(system_.queues().PageLock(*page));
    if (page->valid == 0 && page->wire_count == 0) {
      FreePage(system_, object, *page);
      page = nullptr;
      return;
    }
    UnbusyPage(system_, object, *page);
    if (wanted)
      system_.queues().Activate(*page);
    else
      system_.queues().Deactivate(*page);
    if (page->valid == 0) page = nullptr;
  }

  // Only where the page daemon has nothing to do, and will not have for it.
  bool AddNeighbour(Object& object, Pindex pindex, std::uint32_t place)
      LOCKING_REQUIRES(object.lock) {
    if (system_.free_queue().PagingTarget() >= 0 || LookupPage(object, pindex) != nullptr)
      return false;
    pages_[place] = AllocatePage(system_, object, pindex, {.busy = true, .reclaim = false});
    return pages_[place] != nullptr;
  }

  System& system_;
  const Pindex pindex_;
  // The one wanted stands in the middle.
  static constexpr std::uint32_t kPlace = kClusterPages - 1;
  std::array<Page*, std::size_t{2} * kClusterPages> pages_{};
  std::uint32_t first_ = kPlace;
  std::uint32_t end_ = kPlace + 1;
};

}  // namespace

Result PageIn(System& system, Object& object, Pindex pindex, Page** page) {
  object.lock.AssertHeld();
  if (object.pager->makes_pages()) return object.pager->MakePage(object, pindex, page);
  if (*page != nullptr && (*page)->cow != 0) {
    // Whoever borrowed it before it became invalid keeps it as it is.
    Page* replacement = ReplaceLentPage(system, object, **page);
    if (replacement == nullptr) return Result::kShortage;
    replacement->valid = 0;
    UndirtyPage(*replacement);
    *page = replacement;
  }
  Reading reading(system, pindex);
  if (!reading.Collect(object, *page)) return Result::kShortage;
  PagingBegin(object);
  const Result result = reading.Read(object);
  *page = reading.Finish(object);
  PagingEnd(system, object);
  return result;
}

}  // namespace vm
