#include "vm/page_release.h"

#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

// The weights of DontNeedPage: bits of the count of its calls.
constexpr std::uint32_t kLeaveAlone = 0x1F0;  // none of these set
constexpr std::uint32_t kToTheTail = 0x70;

// Under the page role: nobody takes the page up meanwhile.
bool Unused(const Page& page) {
  return !page.busied() && page.wire_count == 0 && page.hold_count == 0 && !page.unmanaged;
}

// Unmaps the page if it is clean. False: it is not, by the time that nobody can write to it.
bool UnmapClean(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock) {
  if (TestDirty(system, object, page)) return false;
  Pmap::RemoveAll(system, page);
  return page.dirty.Load() == 0;
}

}  // namespace

bool CachePage(System& system, Object& object, Page& page) {
  object.lock.AssertHeld();
  {
    PageRoleGuard guard(system.queues().PageLock(page));
    if (!Unused(page)) return false;
    Pmap::RemoveAll(system, page);
    system.queues().Cache(page);
  }
  system.free_queue().NoteCached();
  return true;
}

bool TryToCachePage(System& system, Object& object, Page& page) {
  PageRoleGuard guard(system.queues().PageLock(page));
  if (!Unused(page) || !UnmapClean(system, object, page)) return false;
  if (page.valid != 0) return CachePage(system, object, page);
  FreePage(system, object, page);
  return true;
}

bool TryToFreePage(System& system, Object& object, Page& page) {
  PageRoleGuard guard(system.queues().PageLock(page));
  if (!Unused(page) || !UnmapClean(system, object, page)) return false;
  FreePage(system, object, page);
  return true;
}

void DontNeedPage(System& system, Object& object, Page& page) {
  PageQueues& queues = system.queues();
  PageRoleGuard guard(queues.PageLock(page));
  const std::uint32_t count = queues.CountDontNeed();
  if ((count & kLeaveAlone) == 0 || page.queue == PageQueue::kInactive ||
      page.queue == PageQueue::kCache) {
    if (page.act_count >= kActInit) --page.act_count;
    return;
  }
  const bool to_tail = TestDirty(system, object, page) || (count & kToTheTail) == 0;
  queues.Deactivate(page, to_tail ? PageQueues::Where::kTail : PageQueues::Where::kHead);
}

}  // namespace vm
