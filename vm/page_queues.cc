#include "vm/page_queues.h"

#include <iterator>
#include <limits>

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {

PageQueues::PageQueues() : lock(kPageQueuesLock) {}

PageList& PageQueues::ListOf(PageQueue queue) {
  return queue == PageQueue::kActive ? active_ : queue == PageQueue::kInactive ? inactive_ : cache_;
}

locking::Relaxed<std::uint32_t>& PageQueues::CountOf(PageQueue queue) {
  return queue == PageQueue::kActive     ? active_count_
         : queue == PageQueue::kInactive ? inactive_count_
                                         : cache_count_;
}

void PageQueues::Enqueue(Page& page, PageQueue queue, Where where) {
  Require(page.queue == PageQueue::kNone && page.wire_count == 0, "INV-22",
          "a page is queued that is wired or on a queue");
  PageList& list = ListOf(queue);
  if (where == Where::kHead)
    list.push_front(page);
  else
    list.push_back(page);
  page.queue = queue;
  CountOf(queue).Add(1);
}

void PageQueues::Dequeue(Page& page) {
  if (page.queue == PageQueue::kNone) return;
  Require(page.queue != PageQueue::kFree && page.queue != PageQueue::kHold, "INV-25",
          "a free page is taken off the paging queues");
  PageList& list = ListOf(page.queue);
  list.erase(list.iterator_to(page));
  CountOf(page.queue).Subtract(1);
  page.queue = PageQueue::kNone;
}

void PageQueues::Activate(Page& page) {
  if (page.queue != PageQueue::kActive) {
    Dequeue(page);
    if (page.wire_count != 0) return;
    Enqueue(page, PageQueue::kActive, Where::kTail);
  }
  if (page.act_count < kActInit) page.act_count = kActInit;
}

void PageQueues::Deactivate(Page& page, Where where) {
  if (page.queue == PageQueue::kInactive || page.wire_count != 0) return;
  Dequeue(page);
  page.winatcfls = false;
  Enqueue(page, PageQueue::kInactive, where);
}

void PageQueues::Cache(Page& page) {
  Require(page.dirty.Peek() == 0 && page.pv_first == nullptr && !page.busied() &&
              page.hold_count == 0 && page.wire_count == 0,
          "INV-23", "a page is cached that is dirty, mapped, busy, held or wired");
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
  ListOf(queue).push_front(marker);
  marker.queue = queue;
}

Page* PageQueues::StepMarker(Page& marker) {
  PageList& list = ListOf(marker.queue);
  const auto place = list.iterator_to(marker);
  for (auto next = std::next(place); next != list.end(); ++next) {
    if (next->marker) continue;  // another scan's
    Page& page = *next;
    list.splice(std::next(next), list, place);
    return &page;
  }
  return nullptr;
}

void PageQueues::RemoveMarker(Page& marker) {
  PageList& list = ListOf(marker.queue);
  list.erase(list.iterator_to(marker));
  marker.queue = PageQueue::kNone;
}

void PageQueues::Wire(Page& page) {
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
  if (--page.wire_count != 0) return false;
  wired_count_.Subtract(1);
  if (page.identity != PageIdentity::kObject) return true;
  if (then == Then::kActivate)
    Activate(page);
  else
    Deactivate(page);
  return true;
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
