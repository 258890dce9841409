#include "vm/page_queues.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {

PageQueues::PageQueues(std::uint32_t batch_pages, Counters& counters)
    : lock(kPageQueuesLock), counters_(counters), batch_pages_(batch_pages) {}

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

void PageQueues::Enqueue(Page& page, PageQueue queue, Where where) {
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

void PageQueues::Dequeue(Page& page) {
  if (page.queue == PageQueue::kNone) return;
  Require(page.queue != PageQueue::kFree && page.queue != PageQueue::kFreeBatch &&
              page.queue != PageQueue::kHold,
          "INV-25", "a free page is taken off the paging queues");
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

void PageQueues::ActivateNew(Page& page) {
  if (batch_pages_ == 1) {
    PageRoleGuard guard(lock);
    Activate(page);
    return;
  }
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
  for (Page& page : batch.pages) {
    page.batch = 0;
    page.act_count = std::max(page.act_count, kActInit);
  }
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

void PageQueues::Activate(Page& page) {
  if (page.queue != PageQueue::kActive) {
    NoteReactivated(page);
    Dequeue(page);
    if (page.wire_count != 0 || page.unmanaged) return;
    Enqueue(page, PageQueue::kActive, Where::kTail);
  }
  if (page.act_count < kActInit) page.act_count = kActInit;
}

void PageQueues::Deactivate(Page& page, Where where) {
  if (page.queue == PageQueue::kInactive || page.wire_count != 0 || page.unmanaged) return;
  NoteReactivated(page);
  Dequeue(page);
  page.winatcfls = false;
  Enqueue(page, PageQueue::kInactive, where);
}

void PageQueues::Cache(Page& page) {
  Require(page.dirty.Peek() == 0 && page.pv_first == nullptr && !page.busied() &&
              page.hold_count == 0 && page.wire_count == 0 && !page.unmanaged,
          "INV-23", "a page is cached that is dirty, mapped, busy, held, wired or unmanaged");
  if (page.queue == PageQueue::kCache) return;
  Dequeue(page);
  Enqueue(page, PageQueue::kCache, Where::kTail);
}

void PageQueues::RequeueActive(Page& page) {
  active_.splice(active_.end(), active_, active_.iterator_to(page));
}

void PageQueues::RequeueInactive(Page& page) {
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
  Require(page.hold_count != std::numeric_limits<decltype(page.hold_count)>::max(), "INV-27",
          "the hold count of a page overflows");
  ++page.hold_count;
}

bool PageQueues::Unhold(Page& page) {
  Require(page.hold_count > 0, "INV-27", "a page is unheld that is not held");
  return --page.hold_count == 0 && page.queue == PageQueue::kHold;
}

}  // namespace vm
