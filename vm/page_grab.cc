#include "vm/page_grab.h"

#include "vm/page_busy.h"
#include "vm/system.h"

namespace vm {
namespace {

// A resident page that is not busy.
void TakeResident(System& system, Object& object, Page& page, const GrabRequest& request)
    LOCKING_REQUIRES(object.lock) {
  if (request.wired || page.queue == PageQueue::kCache) {
    PageQueues& queues = system.queues();
    PageRoleGuard guard(queues.PageLock(page));
    // Nobody keeps a page busy where a search for a page to take would meet it (D12).
    if (page.queue == PageQueue::kCache) queues.Deactivate(page);
    if (request.wired) queues.Wire(page);
  }
  if (request.busy) BusyPage(object, page);
}

Page* TakeNew(System& system, Object& object, Pindex pindex, const GrabRequest& request)
    LOCKING_REQUIRES(object.lock) {
  if (object.pager != nullptr && object.pager->makes_pages()) {
    Page* made = nullptr;
    if (object.pager->MakePage(object, pindex, &made) != Result::kOk) return nullptr;
    TakeResident(system, object, *made, request);
    return made;
  }
  Page* page = AllocatePage(system, object, pindex,
                            {.alloc_class = request.alloc_class,
                             .zeroed = request.zeroed,
                             .wired = request.wired,
                             .busy = request.busy});
  if (page != nullptr && request.zeroed && !page->zeroed) ZeroPage(system, *page);
  return page;
}

Result WaitForPagesUnlocked(System& system, Object& object) LOCKING_REQUIRES(object.lock) {
  object.lock.Unlock();
  const Result result = WaitForPages(system, FreeQueue::Waiter::kSystem);
  object.lock.Lock();
  return result;
}

}  // namespace

Page* GrabPage(System& system, Object& object, Pindex pindex, const GrabRequest& request) {
  while (pindex < object.size) {
    if (Page* page = LookupPage(object, pindex); page != nullptr) {
      if (!SleepIfBusy(system, object, *page, Busy::kAny, "pgrbwt")) {
        TakeResident(system, object, *page, request);
        return page;
      }
    } else {
      page = TakeNew(system, object, pindex, request);
      if (page != nullptr) return page;
      if (WaitForPagesUnlocked(system, object) != Result::kOk) return nullptr;
    }
    if (!request.retry) return nullptr;
  }
  return nullptr;
}

}  // namespace vm
