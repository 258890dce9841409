#include "vm/reclaim.h"

#include <array>
#include <span>

#include "vm/page_alloc.h"
#include "vm/page_queues.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {

std::uint32_t TakeReferences(System& system, Object& object, Page& page) {
  std::uint32_t references = Pmap::TestAndClearReferenced(system, page);
  if (page.referenced.Load() && page.referenced.Exchange(false)) ++references;
  return object.ref_count == 0 ? 0 : references;
}

Reclaimed ReclaimPage(System& system, Object& object, Page& page) {
  // Only now can nobody dirty the page any more (D05).
  Pmap::RemoveAll(system, page);
  if (page.valid != 0 && page.dirty.Load() != 0) return Reclaimed::kDirty;
  PageQueues& queues = system.queues();
  FreeQueue& free_queue = system.free_queue();
  {
    PageRoleGuard guard(queues.PageLock(page));
    if (page.queue != PageQueue::kInactive || page.wire_count != 0 || page.hold_count != 0)
      return Reclaimed::kNo;
    const bool cache = page.valid != 0 && queues.cache_count() < free_queue.thresholds().cache_min;
    if (!cache) {
      FreePage(system, object, page);
      return Reclaimed::kYes;
    }
    queues.Cache(page);
  }
  free_queue.NoteCached();
  return Reclaimed::kYes;
}

namespace {

// The dirty pages around one of them, in the aligned window of kClusterPages that holds it.
class Cluster {
 public:
  Cluster(System& system, Object& object, Page& center) LOCKING_REQUIRES(object.lock)
      : system_(system) {
    const PageQueues::OneHold hold(system.queues());
    const auto place = static_cast<std::uint32_t>(center.pindex % kClusterPages);
    const Pindex base = center.pindex - place;
    pages_[place] = &center;
    begin_ = place;
    end_ = place + 1;
    while (begin_ > 0 && Enroll(object, base, begin_ - 1)) --begin_;
    while (end_ < kClusterPages && Enroll(object, base, end_)) ++end_;
  }

  std::span<Page* const> pages() const { return {&pages_[begin_], end_ - begin_}; }

 private:
  bool Enroll(Object& object, Pindex base, std::uint32_t place) LOCKING_REQUIRES(object.lock) {
    Page* page = LookupPage(object, base + place);
    if (page == nullptr || page->busied() || page->valid != system_.AllBlocks()) return false;
    PageRoleGuard guard(system_.queues().PageLock(*page));
    if (page->wire_count != 0 || page->hold_count != 0) return false;
    if (page->queue != PageQueue::kInactive &&
        (page->queue != PageQueue::kActive || IsReferenced(object, *page)))
      return false;
    if (!TestDirty(system_, object, *page)) return false;
    pages_[place] = page;
    return true;
  }

  // The references stay on record for the active scan.
  bool IsReferenced(Object& object, Page& page) LOCKING_REQUIRES(object.lock) {
    if (TakeReferences(system_, object, page) == 0) return false;
    page.referenced.Store(true);
    return true;
  }

  System& system_;
  std::array<Page*, kClusterPages> pages_{};
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
};

}  // namespace

void BeginLaundering(System& system, Object& object, Page& page, WriteOut* write) {
  const Cluster cluster(system, object, page);
  write->map_in = MapIn::kLaundry;
  PagerForWriting(system, object).BeginPageOut(object, cluster.pages(), write);
}

Laundered EndLaundering(System& system, Object& object, WriteOut& write, std::uint32_t wanted) {
  Laundered laundered;
  laundered.written = PagerForWriting(system, object).EndPageOut(object, write);
  laundered.failed = write.Count(PutState::kFailed);
  for (Page* each : write.cluster()) {
    if (!TestDirty(system, object, *each)) {
      if (laundered.reclaimed < wanted && each->queue == PageQueue::kInactive &&
          ReclaimPage(system, object, *each) == Reclaimed::kYes)
        ++laundered.reclaimed;
      continue;
    }
    PageRoleGuard guard(system.queues().PageLock(*each));
    if (each->wire_count == 0) system.queues().Activate(*each);
  }
  return laundered;
}

Laundered LaunderFile(System& system, Vnode& vnode, Pindex pindex, std::uint32_t wanted) {
  locking::WriteGuard vnode_guard(vnode.lock);
  if (vnode.object == nullptr) return {};
  Object& object = *vnode.object;
  ObjectGuard guard(object.lock);
  Page* page = LookupPage(object, pindex);
  if (page == nullptr || page->busied() || page->valid != system.AllBlocks() ||
      page->queue != PageQueue::kInactive || !TestDirty(system, object, *page))
    return {};
  WriteOut write;
  BeginLaundering(system, object, *page, &write);
  if (write.segment_count != 0) {
    object.lock.Unlock();
    system.vnode_pager().Write(write);
    object.lock.Lock();
  }
  return EndLaundering(system, object, write, wanted);
}

}  // namespace vm
