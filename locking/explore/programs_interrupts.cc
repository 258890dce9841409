#include "locking/explore/program_bodies.h"
#include "locking/interrupt.h"
#include "locking/interrupt_timer.h"
#include "locking/mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"

namespace locking::explore::programs {
namespace {

const LockClass kTickClass("program tick", LockKind::kInterrupt);
const LockClass kSpinClass("program spin lock", LockKind::kSpin);
const LockClass kOpenClass("program open lock", LockKind::kSpin, LockClassFlags::kInterruptsOn);
const LockClass kInnerClass("program inner lock", LockKind::kSpin);
const LockClass kInnerOpenClass("program inner open lock", LockKind::kSpin,
                                LockClassFlags::kInterruptsOn);
const LockClass kDoneClass("done", LockKind::kResource);
constexpr std::uint64_t kPeriodNs = 1'000'000;

}  // namespace

// The handler counts under the lock that the thread counts under.
void InterruptInversion(Bug bug) {
  SpinMutex lock(bug == Bug::kPresent ? kOpenClass : kSpinClass);
  int count = 0;
  const auto add = [&] {
    SpinGuard guard(lock);
    ++count;
  };
  Interrupt tick(kTickClass, add);
  InterruptTimer timer(tick, kPeriodNs);
  const auto work = [&] {
    TakesInterrupt takes(tick);
    add();
  };
  Thread other("other", work);
  work();
}

// One thread is interrupted while it holds `inner`, and the handler waits for `lock`, whose holder
// waits for `inner`.
void InterruptInversionBetweenTwo(Bug bug) {
  SpinMutex lock(kSpinClass), inner(bug == Bug::kPresent ? kInnerOpenClass : kInnerClass);
  Interrupt tick(kTickClass, [&] { SpinGuard guard(lock); });
  InterruptTimer timer(tick, kPeriodNs);
  Thread nests("nests", [&] {
    TakesInterrupt takes(tick);
    SpinGuard outer(lock);
    SpinGuard guard(inner);
  });
  TakesInterrupt takes(tick);
  SpinGuard guard(inner);
}

// The handler comes between the test of what it sets and the sleep, and wakes nobody.
void InterruptWakeup(Bug bug) {
  SpinMutex lock(kSpinClass);
  SleepQueue queue;
  bool done = false;
  Interrupt tick(kTickClass, [&] {
    SpinGuard guard(lock);
    done = true;
    queue.WakeAll(&done);
  });
  TakesInterrupt takes(tick);
  tick.Post();
  lock.Lock();
  while (!done) {
    if (bug == Bug::kPresent) {
      lock.Unlock();
      lock.Lock();
    }
    queue.SleepKeep(&done, lock, {.resource_class = &kDoneClass, .message = "done"}).AndRetry();
  }
  lock.Unlock();
}

}  // namespace locking::explore::programs
