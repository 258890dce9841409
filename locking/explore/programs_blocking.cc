#include <deque>
#include <vector>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/explore/program_bodies.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"

namespace locking::explore::programs {
namespace {

const LockClass kLockClass("program lock", LockKind::kMutex);
const LockClass kOtherClass("program second lock", LockKind::kMutex);
const LockClass kGateClass("program gate", LockKind::kMutex);
const LockClass kForkClass("fork", LockKind::kMutex, LockClassFlags::kDuplicateOk);
const LockClass kMapClass("program map", LockKind::kSleepable);
const LockClass kSleepableClass("program sleepable lock", LockKind::kSleepable);
const LockClass kSpinClass("program spin lock", LockKind::kSpin);
const LockClass kItemClass("item", LockKind::kResource);

Resource Item(const char* message) { return {&kItemClass, 0, nullptr, message}; }

}  // namespace

void Abba(Bug bug) {
  Mutex first(kLockClass), second(kOtherClass);
  const auto forward = [&] {
    MutexGuard outer(first);
    MutexGuard inner(second);
  };
  const auto backward = [&] {
    MutexGuard outer(second);
    MutexGuard inner(first);
  };
  Thread a("forward", forward);
  if (bug == Bug::kPresent)
    Thread("backward", backward).Join();
  else
    Thread("forward again", forward).Join();
}

// One channel for both sides and one wakeup: it may wake the side that cannot go on.
void BoundedBuffer(Bug bug) {
  Mutex mutex(kLockClass);
  SleepQueue queue;
  int items = 0;
  const void* not_full = &items;
  const void* not_empty = bug == Bug::kPresent ? not_full : &queue;
  const auto consume = [&] {
    MutexGuard guard(mutex);
    while (items == 0) queue.SleepKeep(not_empty, mutex, Item("empty")).AndRetry();
    --items;
    queue.WakeOne(not_full);
  };
  const auto produce = [&] {
    MutexGuard guard(mutex);
    while (items == 1) queue.SleepKeep(not_full, mutex, Item("full")).AndRetry();
    ++items;
    queue.WakeOne(not_empty);
  };
  Thread consumer("consumer", consume), other_consumer("other consumer", consume);
  produce();
  produce();
}

// Who enters takes `l` while it holds `m`; who leaves needs `m` first.
void Carter() {
  Mutex m(kLockClass), l(kOtherClass);
  const auto group = [&] {
    m.Lock();
    l.Lock();
    m.Unlock();
    m.Lock();
    l.Unlock();
    m.Unlock();
  };
  Thread a("group a", group), b("group b", group);
}

void DiningPhilosophers(int philosophers, Bug bug) {
  std::deque<Mutex> forks;
  for (int i = 0; i < philosophers; ++i) forks.emplace_back(kForkClass, i + 1);
  std::vector<Thread> threads;
  for (int i = 0; i < philosophers; ++i)
    threads.emplace_back("philosopher", [&forks, i, philosophers, bug] {
      int left = i, right = (i + 1) % philosophers;
      if (bug == Bug::kMended && left > right) std::swap(left, right);
      MutexGuard first(forks[static_cast<std::size_t>(left)]);
      MutexGuard second(forks[static_cast<std::size_t>(right)]);
    });
}

// One thread is long past its two locks when the other comes to take them the other way round.
void InversionApart(Bug bug) {
  constexpr int kSteps = 200;
  Mutex gate(kGateClass), first(kLockClass), second(kOtherClass);
  const auto take = [&](Mutex& outer, Mutex& inner) {
    if (bug == Bug::kMended) gate.Lock();
    {
      MutexGuard outer_guard(outer);
      MutexGuard inner_guard(inner);
    }
    if (bug == Bug::kMended) gate.Unlock();
  };
  const auto work = [] {
    Atomic<int> word{0};
    for (int i = 0; i < kSteps; ++i) word.FetchAdd(1);
  };
  Thread early("early", [&] {
    take(first, second);
    work();
  });
  Thread late("late", [&] {
    work();
    take(second, first);
  });
}

// The joiner holds what the thread needs to end.
void JoinUnderLock() {
  Mutex mutex(kLockClass);
  Atomic<int> word{0};
  Thread other("other", [&] {
    word.Store(1);
    MutexGuard guard(mutex);
  });
  MutexGuard guard(mutex);
  if (word.Load() == 1) other.Join();  // else it has not come to the lock yet, and nobody joins
  mutex.Unlock();
  other.Join();
  mutex.Lock();
}

// The condition is tested under the interlock, but the interlock is given up before the sleep.
void LostWakeup(Bug bug) {
  Mutex mutex(kLockClass);
  SleepQueue queue;
  bool ready = false;
  Thread waiter("waiter", [&] {
    mutex.Lock();
    while (!ready) {
      if (bug == Bug::kPresent) {
        mutex.Unlock();
        mutex.Lock();
      }
      queue.SleepKeep(&ready, mutex, Item("ready")).AndRetry();
    }
    mutex.Unlock();
  });
  {
    MutexGuard guard(mutex);
    ready = true;
  }
  queue.WakeAll(&ready);
}

// A reader reads again while a writer waits, in a class where a waiting writer blocks new readers.
void ReadersAgain() {
  RwMutex map(kMapClass);
  Thread writer("writer", [&] { WriteGuard guard(map); });
  ReadGuard guard(map);
  ReadGuard again(map);
}

// Two readers in both orders with another lock: a writer that waits between them closes the circle.
void ReadersInversion(Bug bug) {
  RwMutex map(kMapClass);
  Mutex mutex(kSleepableClass);
  Thread outer("reader outside", [&] {
    ReadGuard reader(map);
    MutexGuard guard(mutex);
  });
  Thread inner("reader inside", [&] {
    MutexGuard guard(mutex);
    ReadGuard reader(map);
  });
  if (bug == Bug::kPresent) WriteGuard writer(map);
}

// A hand-over by spinning: without a yield the loop is as long as chance has it.
void SpinHandOver(Bug bug) {
  SpinMutex spin(kSpinClass);
  bool given = false;
  Thread taker("taker", [&] {
    for (;;) {
      {
        SpinGuard guard(spin);
        if (given) return;
      }
      Yield();
    }
  });
  if (bug == Bug::kPresent) return;  // nobody gives
  SpinGuard guard(spin);
  given = true;
}

}  // namespace locking::explore::programs
