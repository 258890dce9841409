#include "vm/page_busy.h"

#include "locking/thread_state.h"
#include "vm/lock_classes.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

// Whoever looks for a page to take would meet it there, with nothing that keeps it busy (D12).
void RequireNotCached(const Page& page) {
  Require(page.queue != PageQueue::kCache, "INV-23", "a page is busied on the cache queue");
}

}  // namespace

void BusyPage(Object& owner, Page& page) {
  Require(page.object == &owner, "INV-18", "a page is busied under another object's lock");
  Require(!page.busied() && (page.identity == PageIdentity::kObject || page.fictitious()), "INV-11",
          "a page is busied that is busy or free");
  RequireNotCached(page);
  page.busy_owner = locking::Self().id;
  locking::HoldResource(&page, kPageBusy, page.frame, locking::LockMode::kExclusive);
}

void UnbusyPage(System& system, Object& owner, Page& page) {
  Require(page.object == &owner, "INV-18", "a page is unbusied under another object's lock");
  Require(page.busy_owner == locking::Self().id, "INV-11",
          "a page is unbusied by a thread that does not hold it");
  page.busy_owner = locking::kNobody;
  locking::DropResource(&page);
  FlashPage(system, page);
}

void ShareBusyPage(Object& owner, Page& page) {
  Require(page.object == &owner, "INV-18", "a page is busied under another object's lock");
  Require(!page.exclusively_busy(), "INV-12", "a page is shared-busied that is exclusively busy");
  RequireNotCached(page);
  ++page.shared_busy;
  TakeOverSharedBusy(page);
}

void UnshareBusyPage(System& system, Object& owner, Page& page) {
  Require(page.object == &owner, "INV-18", "a page is unbusied under another object's lock");
  Require(page.shared_busy > 0, "INV-12", "a page is unshared that is not shared-busy");
  GiveAwaySharedBusy(page);
  if (--page.shared_busy == 0) FlashPage(system, page);
}

void GiveAwaySharedBusy(const Page& page) { locking::DropResource(&page); }
void TakeOverSharedBusy(const Page& page) {
  locking::HoldResource(&page, kPageBusy, page.frame, locking::LockMode::kShared);
}

locking::LookUpAgain SleepWhileBusy(System& system, Object& owner, Page& page,
                                    const char* message) {
  Require(page.object == &owner && page.busied(), "INV-16",
          "a thread sleeps for a page that is not busy, or not its owner's");
  page.wanted = true;
  page.referenced.Store(true, std::memory_order_relaxed);
  system.counters().Add(Event::kBusyWait);
  const auto* holder = page.exclusively_busy() ? &page.busy_owner.word() : nullptr;
  return system.sleep_queue().SleepDrop(
      &page, owner.lock,
      {.resource_class = &kPageBusy, .instance = page.frame, .holder = holder, .message = message});
}

bool SleepIfBusy(System& system, Object& owner, Page& page, Busy busy, const char* message) {
  if (!page.exclusively_busy() && (busy == Busy::kExclusive || page.shared_busy == 0)) return false;
  SleepWhileBusy(system, owner, page, message).AndRetry();
  owner.lock.Lock();
  return true;
}

void FlashPage(System& system, Page& page) {
  if (!page.wanted) return;
  page.wanted = false;
  system.sleep_queue().WakeAll(&page);
}

}  // namespace vm
