// Waits for things that are no locks.
#include <vector>

#include "locking/event.h"
#include "locking/explore/program_bodies.h"
#include "locking/mutex.h"
#include "locking/resource.h"
#include "locking/semaphore.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"

namespace locking::explore::programs {
namespace {

const LockClass kMapClass("program map", LockKind::kSleepable);
const LockClass kObjectClass("program object", LockKind::kMutex);
const LockClass kFreeClass("program free list", LockKind::kSpin);
const LockClass kFreePagesClass("program free pages", LockKind::kResource);
const LockClass kBusyClass("program page busy", LockKind::kResource);
const LockClass kReadyClass("program ready", LockKind::kResource);
const LockClass kUnitsClass("program units", LockKind::kResource);
const LockClass kOtherUnitsClass("program other units", LockKind::kResource);

}  // namespace

// Who waits for free pages keeps the lock that the page daemon needs to free some.
void PageDaemonLock(Bug bug) {
  Mutex map(kMapClass);
  SpinMutex free_list(kFreeClass);
  SleepQueue queue;
  int free_pages = 0;
  Thread daemon("page daemon", [&] {
    Signaller signaller(kFreePagesClass, &free_pages);
    MutexGuard guard(map);
    SpinGuard list(free_list);
    ++free_pages;
    queue.WakeAll(&free_pages);
  });
  map.Lock();
  free_list.Lock();
  while (free_pages == 0) {
    if (bug == Bug::kMended) map.Unlock();
    queue
        .SleepDrop(&free_pages, free_list,
                   {.resource_class = &kFreePagesClass, .message = "pfault"})
        .AndRetry();
    if (bug == Bug::kMended) map.Lock();
    free_list.Lock();
  }
  free_list.Unlock();
  map.Unlock();
}

// Who waits for a busy page keeps the lock that its holder needs before it is done.
void BusyPage(Bug bug) {
  Mutex map(kMapClass);
  Mutex object(kObjectClass);
  SleepQueue queue;
  bool busy = false;
  Thread reader("reader", [&] {
    {
      MutexGuard guard(object);
      busy = true;
      HoldResource(&busy, kBusyClass, 1, LockMode::kExclusive);
    }
    {
      MutexGuard guard(map);
    }
    MutexGuard guard(object);
    busy = false;
    DropResource(&busy);
    queue.WakeAll(&busy);
  });
  MutexGuard guard(map);
  object.Lock();
  while (busy) {
    if (bug == Bug::kMended) map.Unlock();
    queue.SleepDrop(&busy, object, {.resource_class = &kBusyClass, .instance = 1}).AndRetry();
    if (bug == Bug::kMended) map.Lock();
    object.Lock();
  }
  object.Unlock();
}

// Two semaphores of one unit in both orders.
void Semaphores(Bug bug) {
  Semaphore first(kUnitsClass, 1), second(kOtherUnitsClass, 1);
  const auto take = [](Semaphore& outer, Semaphore& inner) {
    outer.Acquire();
    inner.Acquire();
    inner.Release();
    outer.Release();
  };
  Thread forward("forward", [&] { take(first, second); });
  if (bug == Bug::kPresent)
    take(second, first);
  else
    take(first, second);
}

// Each takes two units, one after the other, of as many as there are threads.
void Pool(Bug bug) {
  constexpr int kThreads = 3;
  Semaphore pool(kUnitsClass, bug == Bug::kPresent ? kThreads : kThreads + 1);
  std::vector<Thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back("user", [&] {
      pool.Acquire();
      pool.Acquire();
      pool.Release();
      pool.Release();
    });
}

// Who waits for an event keeps the lock that is needed before it is set.
void EventUnderLock(Bug bug) {
  Mutex map(kMapClass);
  Event ready(kReadyClass);
  Thread setter("setter", [&] {
    ready.Promise();
    {
      MutexGuard guard(map);
    }
    ready.Set();
  });
  if (bug == Bug::kMended) ready.Wait();
  MutexGuard guard(map);
  ready.Wait();
}

}  // namespace locking::explore::programs
