#include "vm/page_queues.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <numeric>

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {

PageQueues::PooledLock::PooledLock(std::uint32_t number) : lock(kPageLock, number, nullptr) {}

PageQueues::PageQueues(std::uint32_t batch_pages, Counters& counters, LockDialect dialect,
                       locking::Giant* giant)
    : lock(kPageQueuesLock, 0, giant), counters_(counters), batch_pages_(batch_pages) {
  if (dialect != LockDialect::kPerPage) return;
  // A lock cannot be moved: the vector makes each of them from one element of a range.
  std::array<std::uint32_t, kPageLocks> numbers;
  std::iota(numbers.begin(), numbers.end(), 0);
  page_locks_ = std::vector<PooledLock>(numbers.begin(), numbers.end());
}

PageList& PageQueues::ListOf(PageQueue queue, const Page& page) {
  return queue == PageQueue::kActive     ? active_
         : queue == PageQueue::kInactive ? inactive_
                                         : cache_.OfPage(page);
}

locking::Relaxed<std::uint32_t>& PageQueues::CountOf(PageQueue queue) {
  return queue == PageQueue::kActive     ? active_count_
         : queue == PageQueue::kInactive ? inactive_count_
                                         : cache_count_;
}

void PageQueues::Link(Page& page, PageQueue queue, Where where) {
  Require(page.queue == PageQueue::kNone && page.wire_count == 0 && !page.unmanaged, "INV-22",
          "a page is queued that is wired, unmanaged or on a queue");
  PageList& list = ListOf(queue, page);
  if (where == Where::kHead)
    list.push_front(page);
  else
    list.push_back(page);
  page.queue = queue;
  CountOf(queue).Add(1);
}

void PageQueues::Unlink(Page& page) {
  Require(!IsFree(page.queue) && page.queue != PageQueue::kHold, "INV-25",
          "a free page is taken off the paging queues");
  if (page.batch != 0) {
    PageBatch& batch = batches_[page.batch - 1];
    locking::SpinGuard guard(batch.lock);
    batch.pages.erase(batch.pages.iterator_to(page));
    page.batch = 0;
  } else {
    PageList& list = ListOf(page.queue, page);
    list.erase(list.iterator_to(page));
    CountOf(page.queue).Subtract(1);
  }
  page.queue = PageQueue::kNone;
}

void PageQueues::Move(Page& page, PageQueue to, Where where) {
  PageLock(page).AssertHeld();
  PageRoleGuard guard(lock);
  if (page.queue != PageQueue::kNone) Unlink(page);
  if (to != PageQueue::kNone) Link(page, to, where);
}

void PageQueues::Dequeue(Page& page) {
  if (page.queue != PageQueue::kNone) Move(page, PageQueue::kNone, Where::kTail);
}

void PageQueues::ActivateNew(Page& page) {
  if (batch_pages_ == 1) {
    PageRoleGuard guard(PageLock(page));
    Activate(page);
    return;
  }
  page.act_count = std::max(page.act_count, kActInit);
  const std::uint32_t number = OwnBatch();
  PageBatch& batch = batches_[number];
  bool full;
  {
    locking::SpinGuard guard(batch.lock);
    page.queue = PageQueue::kActive;
    page.batch = static_cast<std::uint8_t>(number + 1);
    batch.pages.push_back(page);
    full = batch.pages.size() >= batch_pages_;
  }
  if (!full) return;
  PageRoleGuard guard(lock);
  Flush(batch);
}

void PageQueues::Flush(PageBatch& batch) {
  locking::SpinGuard guard(batch.lock);
  for (Page& page : batch.pages) page.batch = 0;
  active_count_.Add(static_cast<std::uint32_t>(batch.pages.size()));
  active_.splice(active_.end(), batch.pages);
}

void PageQueues::FlushBatches() {
  if (batch_pages_ == 1) return;
  for (PageBatch& batch : batches_) Flush(batch);
}

void PageQueues::NoteReactivated(const Page& page) {
  if (page.queue == PageQueue::kCache) counters_.Add(Event::kReactivated);
}

std::uint32_t PageQueues::CountDontNeed() {
  PageRoleGuard guard(lock);
  return ++dont_need_count_;
}

void PageQueues::Activate(Page& page) {
  if (page.queue != PageQueue::kActive) {
    NoteReactivated(page);
    const bool may = page.wire_count == 0 && !page.unmanaged;
    Move(page, may ? PageQueue::kActive : PageQueue::kNone, Where::kTail);
    if (!may) return;
  }
  if (page.act_count < kActInit) page.act_count = kActInit;
}

void PageQueues::Deactivate(Page& page, Where where) {
  if (page.queue == PageQueue::kInactive || page.wire_count != 0 || page.unmanaged) return;
  NoteReactivated(page);
  page.winatcfls = false;
  Move(page, PageQueue::kInactive, where);
}

void PageQueues::Cache(Page& page) {
  Require(page.dirty.Peek() == 0 && page.pv_first == nullptr && !page.busied() &&
              page.hold_count == 0 && page.wire_count == 0 && !page.unmanaged,
          "INV-23", "a page is cached that is dirty, mapped, busy, held, wired or unmanaged");
  if (page.queue == PageQueue::kCache) return;
  Move(page, PageQueue::kCache, Where::kTail);
}

void PageQueues::RequeueActive(Page& page) {
  PageRoleGuard guard(lock);
  active_.splice(active_.end(), active_, active_.iterator_to(page));
}

void PageQueues::RequeueInactive(Page& page) {
  PageRoleGuard guard(lock);
  inactive_.splice(inactive_.end(), inactive_, inactive_.iterator_to(page));
}

void PageQueues::PlaceMarker(Page& marker, PageQueue queue) {
  Require(marker.marker && marker.queue == PageQueue::kNone, "INV-24",
          "a marker is placed that is none, or is placed twice");
  ListOf(queue, marker).push_front(marker);
  marker.queue = queue;
}

// Markers of other scans may stand between.
Page* PageQueues::BehindMarker(Page& marker) {
  PageList& list = ListOf(marker.queue, marker);
  const auto behind = std::find_if(std::next(list.iterator_to(marker)), list.end(),
                                   [](const Page& page) { return !page.marker; });
  return behind == list.end() ? nullptr : &*behind;
}

Page* PageQueues::StepMarker(Page& marker) {
  Page* page = BehindMarker(marker);
  if (page == nullptr) return nullptr;
  PageList& list = ListOf(marker.queue, marker);
  list.splice(std::next(list.iterator_to(*page)), list, list.iterator_to(marker));
  return page;
}

Page* PageQueues::StepMarkerWithin(Page& marker, const Object& object) {
  const Page* page = BehindMarker(marker);
  return page != nullptr && page->object == &object ? StepMarker(marker) : nullptr;
}

void PageQueues::RemoveMarker(Page& marker) {
  PageList& list = ListOf(marker.queue, marker);
  list.erase(list.iterator_to(marker));
  marker.queue = PageQueue::kNone;
}

void PageQueues::Wire(Page& page) {
  PageLock(page).AssertHeld();
  if (page.fictitious()) return;
  if (page.wire_count == 0) {
    Dequeue(page);
    wired_count_.Add(1);
  }
  Require(page.wire_count != std::numeric_limits<decltype(page.wire_count)>::max(), "INV-27",
          "the wire count of a page overflows");
  ++page.wire_count;
}

void PageQueues::WireNew(Page& page) {
  page.wire_count = 1;
  wired_count_.Add(1);
}

bool PageQueues::Unwire(Page& page, Then then) {
  PageLock(page).AssertHeld();
  Require(page.wire_count > 0, "INV-27", "a page is unwired that is not wired");
  if (page.fictitious()) return false;
  if (--page.wire_count != 0) return false;
  wired_count_.Subtract(1);
  if (page.identity != PageIdentity::kObject || page.unmanaged) return true;
  if (then == Then::kActivate)
    Activate(page);
  else
    Deactivate(page);
  return true;
}

void PageQueues::Unmanage(Page& page) {
  if (page.wire_count == 0) Dequeue(page);
  page.unmanaged = true;
}

void PageQueues::Hold(Page& page) {
  PageLock(page).AssertHeld();
  Require(page.hold_count != std::numeric_limits<std::uint16_t>::max(), "INV-27",
          "the hold count of a page overflows");
  page.hold_count.Add(1);
}

bool PageQueues::Unhold(Page& page) {
  PageLock(page).AssertHeld();
  Require(page.hold_count > 0, "INV-27", "a page is unheld that is not held");
  page.hold_count.Subtract(1);
  return page.hold_count == 0 && page.queue == PageQueue::kHold;
}

}  // namespace vm
