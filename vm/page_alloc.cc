#include "vm/page_alloc.h"

#include <cstring>

#include "vm/page_busy.h"
#include "vm/prefetch.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

// Whether the cache page was freed. One that is held would only go to the hold list: it is used
// still. The object is only tried, since its lock comes before page queues, unless it is `own`,
// which the caller holds. The analysis cannot follow a lock that may be held already.
bool FreeCached(System& system, Object* own, Page& page) LOCKING_NO_ANALYSIS {
  Require(page.wire_count == 0 && !page.unmanaged, "INV-23",
          "a page on the cache queue is wired or unmanaged");
  if (page.hold_count != 0) {
    system.queues().Deactivate(page);
    return false;
  }
  Object& object = *page.object;
  const bool held = own != nullptr && &object == own;
  if (!held && !object.lock.TryLock()) return false;
  Require(page.dirty.Peek() == 0, "INV-23", "a page on the cache queue is dirty");
  FreePage(system, object, page);
  if (!held) object.lock.Unlock();
  return true;
}

// The same. The page role comes before page queues, too.
bool ReclaimIfPossible(System& system, Object* own, Page& page)
    LOCKING_REQUIRES(system.queues().lock) {
  PageRole& page_lock = system.queues().PageLock(page);
  if (!page_lock.TryLock()) return false;
  const bool freed = FreeCached(system, own, page);
  page_lock.Unlock();
  return freed;
}

// vm_page_select_cache: frees a cache page, of the colour if there is one. Each is looked at once.
// False: none could be had.
bool ReclaimCachePage(System& system, Object* own, std::uint64_t color) {
  PageRoleGuard guard(system.queues().lock);
  for (std::uint32_t n = 0; n < kColors && system.queues().cache_count() != 0; ++n) {
    PageList& list = system.queues().cache().OfColor(NthColor(color, n));
    for (auto next = list.begin(); next != list.end();) {
      Page& page = *next++;
      if (!ReclaimIfPossible(system, own, page)) continue;
      system.counters().Add(Event::kCacheReclaimed);
      return true;
    }
  }
  return false;
}

// What a new page of the object may be reserved for.
ReservationPlace PlaceOf(const System& system, Object& object, Pindex pindex)
    LOCKING_REQUIRES(object.lock) {
  const std::uint32_t run = system.config().reservation_pages;
  if (run == 0 || !object.pageable()) return {};
  const Pindex first = pindex & ~Pindex{run - 1};
  const Pindex end = first + run;
  const Page* there = object.index.LookupAtOrAfter(first);
  const bool may_grow = object.anonymous() && object.backing == nullptr;
  return {
      .object = &object,
      .pindex = pindex,
      .may_begin = (there == nullptr || there->pindex >= end) && (end <= object.size || may_grow)};
}

// vm_page.c:787–929, without the insertion.
Page* TakePage(System& system, Object* own, const AllocRequest& request, std::uint64_t color,
               const ReservationPlace& place) {
  AllocClass alloc_class = request.alloc_class;
  if (alloc_class != AllocClass::kInterrupt && system.daemon().CallerIsDaemon())
    alloc_class = AllocClass::kSystem;
  FreeQueue& free_queue = system.free_queue();
  for (;;) {
    const FreeQueue::Taken taken = free_queue.TryTake(alloc_class, request.zeroed, color, place);
    if (taken.verdict == FreeQueue::Verdict::kTaken) {
      Page* page = taken.page;
      Require(page->dirty.Peek() == 0 && page->wire_count == 0 && page->hold_count == 0 &&
                  !page->busied() && page->object == nullptr &&
                  page->identity == PageIdentity::kFree,
              "INV-01", "a page on the free queue is in use");
      page->act_count = 0;
      page->valid = 0;
      if (request.wired) system.queues().WireNew(*page);
      if (free_queue.PagingNeeded()) free_queue.WakeDaemon();
      return page;
    }
    if (taken.verdict == FreeQueue::Verdict::kReclaimCache && request.reclaim &&
        ReclaimCachePage(system, own, color))
      continue;
    free_queue.NoteDeficit();
    free_queue.WakeDaemon();
    return nullptr;
  }
}

enum class FrameBytesAre : std::uint8_t { kAnything, kZero };

// The page has no owner any more.
void PutPage(System& system, Page& page, FrameBytesAre bytes)
    LOCKING_REQUIRES(system.queues().page_role) {
  page.valid = 0;
  page.dirty.Store(0, std::memory_order_relaxed);
  page.writeable.Store(false, std::memory_order_relaxed);
  page.referenced.Store(false, std::memory_order_relaxed);
  page.zeroed = bytes == FrameBytesAre::kZero;
  page.unmanaged = false;
  page.nosync = false;
  system.counters().Add(Event::kFree);
  system.free_queue().Put(page);
}

void FreeOwnedPage(System& system, Object& object, Page& page, FrameBytesAre bytes)
    LOCKING_REQUIRES(object.lock) {
  Require(page.object == &object, "INV-18", "a page is freed under another object's lock");
  const std::uint32_t busy_owner = page.busy_owner;
  Require(page.shared_busy == 0 && (busy_owner == 0 || busy_owner == locking::Self().id), "INV-13",
          "a busy page is freed");
  if (page.fictitious()) [[unlikely]] {
    RemovePage(system, object, page);
    return;
  }
  Require(!Pmap::IsMapped(system, page), "INV-42", "a mapped page is freed");
  PageRoleGuard guard(system.queues().PageLock(page));
  Require(page.wire_count == 0, "INV-30", "a wired page is freed");
  system.queues().Dequeue(page);
  RemovePage(system, object, page);
  PutPage(system, page, bytes);
}

void FreeUnowned(System& system, Page& page, FrameBytesAre bytes) {
  Require(page.object == nullptr && (page.identity == PageIdentity::kNoObject ||
                                     page.identity == PageIdentity::kContiguous ||
                                     page.identity == PageIdentity::kDetached),
          "INV-10", "a page is freed as unowned that has an owner or is free");
  PageRoleGuard guard(system.queues().PageLock(page));
  Require(page.wire_count == 0, "INV-30", "a wired page is freed");
  PutPage(system, page, bytes);
}

}  // namespace

Page* AllocatePage(System& system, Object& object, Pindex pindex, const AllocRequest& request) {
  Page* page =
      TakePage(system, &object, request, object.color + pindex, PlaceOf(system, object, pindex));
  if (page == nullptr) return nullptr;
  // It will be written whole, once it is in its object and on its queue.
  Prefetch(system.FrameBytes(*page));
  ChangeIdentity(*page, PageIdentity::kObject);
  InsertPage(system, object, pindex, *page);
  if (request.busy) BusyPage(object, *page);
  return page;
}

Page* AllocateUnownedPage(System& system, const AllocRequest& request, std::uint64_t color,
                          Object* own) {
  Page* page = TakePage(system, own, request, color, {});
  if (page != nullptr) ChangeIdentity(*page, PageIdentity::kNoObject);
  return page;
}

void FreePage(System& system, Object& object, Page& page) {
  FreeOwnedPage(system, object, page, FrameBytesAre::kAnything);
}

void FreeZeroedPage(System& system, Object& object, Page& page) {
  FreeOwnedPage(system, object, page, FrameBytesAre::kZero);
}

void FreeUnownedPage(System& system, Page& page) {
  FreeUnowned(system, page, FrameBytesAre::kAnything);
}

void FreeZeroedUnownedPage(System& system, Page& page) {
  FreeUnowned(system, page, FrameBytesAre::kZero);
}

void UnholdPage(System& system, Page& page) {
  PageRoleGuard guard(system.queues().PageLock(page));
  if (system.queues().Unhold(page)) system.free_queue().PutUnheld(page);
}

Result WaitForPages(System& system, FreeQueue::Waiter waiter) {
  system.counters().Add(Event::kPageWait);
  // Cached pages count as available, so nobody would free them for us: those of an object that the
  // caller had locked could not be had with it.
  const FreeQueue& free_queue = system.free_queue();
  while (free_queue.free_count() <= free_queue.thresholds().free_reserved &&
         ReclaimCachePage(system, nullptr, 0)) {
  }
  if (system.daemon().CallerIsDaemon()) waiter = FreeQueue::Waiter::kDaemon;
  return system.free_queue().WaitForPages(
      waiter, waiter == FreeQueue::Waiter::kFault ? "pfault" : "vmwait");
}

void ZeroPage(System& system, Page& page) {
  const std::span<std::byte> bytes = system.FrameBytes(page);
  std::memset(bytes.data(), 0, bytes.size());
}

void CopyPage(System& system, const Page& from, Page& to) {
  const std::span<std::byte> source = system.FrameBytes(from);
  std::memcpy(system.FrameBytes(to).data(), source.data(), source.size());
  to.valid = system.AllBlocks();
}

}  // namespace vm
