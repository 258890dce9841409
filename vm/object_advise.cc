#include "vm/object_advise.h"

#include "vm/chain_cursor.h"
#include "vm/page_blocks.h"
#include "vm/page_release.h"
#include "vm/pager/pager.h"
#include "vm/system.h"

namespace vm {
namespace {

// Whether the contents may be lost: nobody else sees them, and nothing older is behind them.
bool MayForget(const Object& object) LOCKING_REQUIRES(object.lock) {
  return object.anonymous() && object.one_mapping && object.backing == nullptr;
}

bool MayAdvise(const Page& page) {
  return page.hold_count == 0 && page.wire_count == 0 && !page.unmanaged;
}

// The references so far do not count: else the page daemon would take the page up again.
void ForgetReferences(System& system, Page& page) {
  page.referenced.Store(false, std::memory_order_relaxed);
  Pmap::TestAndClearReferenced(system, page);
}

void AdvisePage(System& system, Object& object, Page& page, Advice advice)
    LOCKING_REQUIRES(object.lock) {
  PageQueues& queues = system.queues();
  PageRoleGuard guard(queues.PageLock(page));
  switch (advice) {
    case Advice::kWillNeed:
      queues.Activate(page);
      return;
    case Advice::kDontNeed:
      ForgetReferences(system, page);
      DontNeedPage(system, object, page);
      return;
    case Advice::kFree:
      // In this order: a store that comes in between keeps the page dirty.
      UndirtyPage(page);
      Pmap::ClearModified(system, page);
      ForgetReferences(system, page);
      page.act_count = 0;
      queues.Deactivate(page);
      system.swap().FreeSpace(object, page.pindex, 1);
  }
}

enum class Advised : std::uint8_t { kDone, kSlept };

// One place. The object is locked; it is no longer where the caller slept.
Advised AdvisePlace(System& system, Object& object, Pindex index,
                    Advice advice) LOCKING_NO_ANALYSIS {
  ChainCursor at(object, index);
  do {
    if (advice == Advice::kFree && !MayForget(at.object())) return Advised::kDone;
    if (Page* page = at.page(); page != nullptr) {
      if (page->valid != system.AllBlocks() || !MayAdvise(*page)) return Advised::kDone;
      if (page->busied()) {
        at.SleepWhileBusy(system, *page, "madvpo").AndRetry();
        return Advised::kSlept;
      }
      AdvisePage(system, at.object(), *page, advice);
      return Advised::kDone;
    }
    if (advice == Advice::kFree) system.swap().FreeSpace(at.object(), at.index(), 1);
    // What is in the pager here hides what is behind.
    const Pager* pager = at.object().pager;
    if (pager != nullptr && pager->HasPage(at.object(), at.index())) return Advised::kDone;
  } while (at.Next());
  return Advised::kDone;
}

// Returns where it slept, or `last`.
Pindex AdviseUntilSleep(System& system, Object& object, Pindex first, Pindex last,
                        Advice advice) LOCKING_NO_ANALYSIS {
  object.lock.Lock();
  for (; first < last; ++first)
    if (AdvisePlace(system, object, first, advice) == Advised::kSlept) return first;
  object.lock.Unlock();
  return last;
}

}  // namespace

void AdviseObject(System& system, Object& object, Pindex first, Pindex last, Advice advice) {
  while (first < last) first = AdviseUntilSleep(system, object, first, last, advice);
}

}  // namespace vm
