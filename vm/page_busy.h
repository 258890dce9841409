// Busy: a page whose owner's lock will be dropped while the page is in transition. Exclusive busy
// has one holder; shared busy is I/O from the page, by several. WANTED says that somebody sleeps.
//
// Contract of all: the owner's lock is held exclusively on entry, and on return unless said
// otherwise.
//
// Follows vm_page.c:292 (busy), :321 (wakeup), :333 (io start), :429 and :457 (sleep if busy).
#ifndef VM_PAGE_BUSY_H_
#define VM_PAGE_BUSY_H_

#include <cstdint>

#include "locking/sleep_queue.h"
#include "vm/object.h"
#include "vm/page.h"

namespace vm {

// The page is not busy (INV-11, INV-13), nor on the cache queue (INV-23). The caller is the holder.
void BusyPage(Object& owner, Page& page) LOCKING_REQUIRES(owner.lock);
// By the holder. Wakes all who want it.
void UnbusyPage(System& system, Object& owner, Page& page) LOCKING_REQUIRES(owner.lock);
// Not exclusively busy, nor on the cache queue; one more sharer.
void ShareBusyPage(Object& owner, Page& page) LOCKING_REQUIRES(owner.lock);
// One sharer less; the last wakes all who want it.
void UnshareBusyPage(System& system, Object& owner, Page& page) LOCKING_REQUIRES(owner.lock);

// A share of busy goes on in another thread: the one that has it gives it away first, then the
// other takes it over. No lock is needed; the page stays shared-busy.
void GiveAwaySharedBusy(const Page& page);
void TakeOverSharedBusy(const Page& page);

// The page is busy: marks it wanted and referenced, drops the owner's lock and sleeps until it no
// longer is. Everything is to be looked up again.
//   locked on entry: owner (and sleepable locks); not locked on return. Sleeps.
locking::LookUpAgain SleepWhileBusy(System& system, Object& owner, Page& page, const char* message)
    LOCKING_RELEASE(owner.lock);

enum class Busy : std::uint8_t {
  kExclusive,  // whoever shares it does not matter
  kAny,
};
// If the page is busy in that way: sleeps as above, once, and retakes the owner's lock. True: it
// slept, and everything is to be looked up again.
//   locked on entry and return: owner; dropped and retaken where it sleeps, so the caller has a
//   reference to it. May sleep.
[[nodiscard]] bool SleepIfBusy(System& system, Object& owner, Page& page, Busy busy,
                               const char* message) LOCKING_REQUIRES(owner.lock);

// Wakes who wants the page, if anybody does (vm_page_flash).
void FlashPage(System& system, Page& page);

}  // namespace vm

#endif  // VM_PAGE_BUSY_H_
