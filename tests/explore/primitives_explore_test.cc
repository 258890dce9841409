// The primitives of locking/ as properties of every schedule that a random walk comes to.
#include <gtest/gtest.h>

#include <vector>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/mutex.h"
#include "locking/role.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"

namespace locking {
namespace {

using explore::Check;
using explore::Expect;
using explore::Result;

const LockClass kMutex("a mutex", LockKind::kMutex);
const LockClass kSpin("a spin lock", LockKind::kSpin);
const LockClass kRw("a readers-writer lock", LockKind::kMutex);
const LockClass kRecursiveRead("a recursive-read lock", LockKind::kMutex,
                               LockClassFlags::kRecursiveRead);
const LockClass kEvent("an event", LockKind::kResource);

void ExpectClean(const explore::Body& body, std::uint64_t executions = 1'000) {
  const Result result = Check(body, {.seed = 2, .executions = executions, .max_steps = 20'000});
  EXPECT_TRUE(result.ok()) << FormatFinding(result.failures.at(0).finding);
  EXPECT_EQ(result.executions, executions);
}

template <typename Lock>
void Excludes(Lock& lock) {
  Atomic<int> inside{0};
  Atomic<int> total{0};
  const auto work = [&] {
    for (int i = 0; i < 3; ++i) {
      Guard<Lock> guard(lock);
      Expect(lock.HeldByCaller(), "the holder knows it");
      Expect(inside.FetchAdd(1) == 0, "nobody else is inside");
      total.Store(total.Load() + 1);
      inside.FetchSub(1);
    }
  };
  {
    Thread a("a", work), b("b", work), c("c", work);
  }
  Expect(total.Load() == 9, "all were inside");
}

TEST(Explored, LocksExclude) {
  ExpectClean([] {
    Mutex mutex(kMutex);
    Excludes(mutex);
  });
  ExpectClean([] {
    SpinMutex spin(kSpin);
    Excludes(spin);
  });
  ExpectClean([] {
    RwMutex rw(kRw);
    Excludes(rw);
  });
  ExpectClean([] {
    RecursiveMutex recursive(kMutex);
    Excludes(recursive);
  });
}

TEST(Explored, RolesOfOneMutexExcludeOneAnother) {
  ExpectClean([] {
    Giant giant(kMutex);
    RwRole object(kRw, 1, &giant);
    Role<Mutex> pmap(kMutex, 1, &giant);
    Atomic<int> inside{0};
    const auto outer = [&] {
      for (int i = 0; i < 2; ++i) {
        Guard guard(object);
        Guard inner(pmap);
        Expect(inside.FetchAdd(1) == 0, "nobody else is inside");
        inside.FetchSub(1);
      }
    };
    const auto inner = [&]() LOCKING_NO_ANALYSIS {
      if (!pmap.TryLock()) pmap.Lock();
      Expect(inside.FetchAdd(1) == 0, "nobody else is inside");
      inside.FetchSub(1);
      pmap.Unlock();
    };
    Thread a("a", outer), b("b", outer), c("c", inner);
  });
}

// The one who sleeps gives up the whole mutex, and no wakeup is lost.
TEST(Explored, ASleepWithARoleAsInterlockEnds) {
  ExpectClean([] {
    Giant giant(kMutex);
    Role<Mutex> queue(kMutex, 1, &giant);
    Role<Mutex> other(kMutex, 2, &giant);
    SleepQueue sleep_queue;
    bool ready = false;
    Thread sleeper("sleeper", [&]() LOCKING_NO_ANALYSIS {
      queue.Lock();
      while (!ready)
        sleep_queue.SleepKeep(&ready, queue, {.resource_class = &kEvent, .message = "ready"})
            .AndRetry();
      Expect(queue.HeldByCaller() && !other.HeldByCaller(), "as before the sleep");
      queue.Unlock();
    });
    Thread waker("waker", [&]() LOCKING_NO_ANALYSIS {
      other.Lock();
      queue.Lock();
      ready = true;
      sleep_queue.WakeAll(&ready);
      queue.Unlock();
      other.Unlock();
    });
  });
}

TEST(Explored, ReadersShareAndWritersDoNot) {
  for (const LockClass* lock_class : {&kRw, &kRecursiveRead}) {
    ExpectClean([lock_class] {
      RwMutex rw(*lock_class);
      Atomic<int> readers{0}, writers{0};
      const auto read = [&] {
        for (int i = 0; i < 2; ++i) {
          ReadGuard guard(rw);
          readers.FetchAdd(1);
          Expect(writers.Load() == 0, "no writer beside a reader");
          readers.FetchSub(1);
        }
      };
      const auto write = [&] {
        for (int i = 0; i < 2; ++i) {
          rw.Lock();
          Expect(writers.FetchAdd(1) == 0 && readers.Load() == 0, "a writer is alone");
          writers.FetchSub(1);
          if (i == 0) {
            rw.Unlock();
            continue;
          }
          rw.Downgrade();
          Expect(writers.Load() == 0, "no writer beside a reader");
          rw.UnlockShared();
        }
      };
      Thread a("reader a", read), b("reader b", read), c("writer c", write), d("writer d", write);
    });
  }
}

TEST(Explored, OneOfTwoUpgradersFailsAndNothingComesInBetween) {
  bool both = false, one = false;
  ExpectClean([&] {
    RwMutex rw(kRw);
    int value = 0;
    Atomic<int> upgraded{0};
    {
      const auto upgrade = [&]() LOCKING_NO_ANALYSIS {
        rw.LockShared();
        const int former = value;
        if (!rw.Upgrade()) return rw.UnlockShared();
        value = former + 1;
        upgraded.FetchAdd(1);
        rw.Unlock();
      };
      Thread a("a", upgrade), b("b", upgrade), c("reader", [&] { ReadGuard guard(rw); });
      Thread d("writer", [&] {
        WriteGuard guard(rw);
        ++value;
      });
    }
    Expect(value == upgraded.Load() + 1, "every write counts");
    (upgraded.Load() == 2 ? both : one) = true;
  });
  EXPECT_TRUE(both);  // one after the other
  EXPECT_TRUE(one);
}

TEST(Explored, ReadersMeetInsideInSomeSchedule) {
  bool met = false;
  ExpectClean([&met] {
    RwMutex rw(kRw);
    Atomic<int> readers{0};
    const auto read = [&] {
      ReadGuard guard(rw);
      if (readers.FetchAdd(1) == 1) met = true;
      readers.FetchSub(1);
    };
    Thread a("a", read);
    a.Join();
    Atomic<bool> go{false};
    Thread b("b", [&] {
      ReadGuard guard(rw);
      readers.FetchAdd(1);
      while (!go.Load()) Yield();
      readers.FetchSub(1);
    });
    Thread c("c", [&] {
      ReadGuard guard(rw);
      go.Store(true);
    });
  });
  EXPECT_FALSE(met);  // a alone
}

TEST(Explored, TryNeverBlocks) {
  bool failed = false, taken = false;
  const Result result = Check([&] {
    Mutex mutex(kMutex);
    Atomic<bool> got{false};
    Thread holder("holder", [&] { MutexGuard guard(mutex); });
    Thread trier("trier", [&] {
      if (!mutex.TryLock()) return;
      got.Store(true);
      mutex.Unlock();
    });
    holder.Join();
    trier.Join();
    (got.Load() ? taken : failed) = true;
  });
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(taken);
  EXPECT_TRUE(failed);
}

TEST(Explored, NoWakeupIsLost) {
  ExpectClean([] {
    Mutex mutex(kMutex);
    SleepQueue queue;
    int produced = 0, consumed = 0;
    const auto consume = [&] {
      for (int i = 0; i < 2; ++i) {
        MutexGuard guard(mutex);
        while (produced == consumed) queue.SleepKeep(&produced, mutex, {&kEvent}).AndRetry();
        ++consumed;
        queue.WakeOne(&consumed);
      }
    };
    const auto produce = [&] {
      for (int i = 0; i < 2; ++i) {
        MutexGuard guard(mutex);
        while (produced - consumed == 1) queue.SleepKeep(&consumed, mutex, {&kEvent}).AndRetry();
        ++produced;
        queue.WakeOne(&produced);
      }
    };
    {
      Thread a("consumer a", consume), b("consumer b", consume);
      Thread c("producer c", produce), d("producer d", produce);
    }
    Expect(consumed == 4, "all is consumed");
  });
}

TEST(Explored, WakeOneWakesTheOneThatSleptLongest) {
  ExpectClean([] {
    SpinMutex spin(kSpin);
    SleepQueue queue;
    std::vector<int> slept, woken;
    const auto sleep = [&](int id) {
      spin.Lock();
      slept.push_back(id);
      // Only the queue's order decides: whoever is woken is done.
      queue.SleepKeep(&queue, spin, {&kEvent}).AndRetry();
      woken.push_back(id);
      spin.Unlock();
    };
    Thread a("a", [&] { sleep(1); }), b("b", [&] { sleep(2); });
    for (int woke = 0; woke < 2;) {
      {
        SpinGuard guard(spin);
        if (slept.size() == 2 && woken.size() == static_cast<std::size_t>(woke))
          woke += static_cast<int>(queue.WakeOne(&queue));
      }
      Yield();
    }
    a.Join();
    b.Join();
    Expect(slept == woken, "in order of arrival");
  });
}

TEST(Explored, TimeoutsEndSleepsInOrderOfTheirDeadlines) {
  ExpectClean([] {
    Mutex mutex(kMutex);
    SleepQueue queue;
    std::vector<int> ended;
    const auto sleep = [&](int order, std::uint64_t ns) {
      MutexGuard guard(mutex);
      const std::uint64_t deadline = Clock::NowNs() + ns;
      const LookUpAgain slept = queue.SleepKeep(&ended, mutex, {&kEvent}, deadline);
      Expect(slept.reason == WakeReason::kTimedOut, "nobody wakes it");
      Expect(Clock::NowNs() >= deadline, "it slept long enough");
      ended.push_back(order);
    };
    Thread later("later", [&] { sleep(2, 900'000'000); });
    Thread sooner("sooner", [&] { sleep(1, 1'000'000); });
    later.Join();
    sooner.Join();
    Expect(ended == std::vector<int>({1, 2}), "the sooner first");
    Expect(!queue.HasSleepers(&ended), "nobody is left in the queue");
  });
}

TEST(Explored, AWakeupMayComeBeforeTheTimeout) {
  int woken = 0, timed_out = 0;
  ExpectClean([&] {
    Mutex mutex(kMutex);
    SleepQueue queue;
    WakeReason reason = WakeReason::kTimedOut;
    Thread sleeper("sleeper", [&] {
      MutexGuard guard(mutex);
      reason = queue.SleepKeep(&queue, mutex, {&kEvent}, Clock::NowNs() + 10'000'000).reason;
    });
    queue.WakeOne(&queue);
    sleeper.Join();
    ++(reason == WakeReason::kWoken ? woken : timed_out);
  });
  EXPECT_GT(woken, 0);
  EXPECT_GT(timed_out, 0);
}

TEST(Explored, SpinningForATimeEnds) {
  ExpectClean(
      [] {
        Atomic<bool> flag{false};
        Mutex mutex(kMutex);
        SleepQueue queue;
        Thread setter("setter", [&] {
          MutexGuard guard(mutex);
          queue.SleepKeep(&queue, mutex, {&kEvent}, Clock::NowNs() + 3'600'000'000'000u).AndRetry();
          flag.Store(true);
        });
        const auto spin = [&] {
          while (!flag.Load()) Yield();
        };
        Thread a("a", spin), b("b", spin);
        const std::uint64_t until = Clock::NowNs() + 1'000'000;
        while (Clock::NowNs() < until) continue;
      },
      100);
}

TEST(Explored, MisuseIsAFindingAndNotTheEnd) {
  const auto finds = [](const char* id, const explore::Body& body) {
    const Result result = Check(body, {.executions = 20, .keep_going = true});
    EXPECT_EQ(result.failed_executions, 20u);
    ASSERT_FALSE(result.failures.empty());
    EXPECT_EQ(result.failures[0].finding.id, id) << FormatFinding(result.failures[0].finding);
  };
  finds("LK01", [] {
    Mutex mutex(kMutex);
    MutexGuard guard(mutex);
    mutex.Lock();
  });
  finds("LK01", [] {
    Mutex mutex(kMutex);
    mutex.Unlock();
  });
  finds("LK01", [] {
    RwMutex rw(kRw);
    rw.UnlockShared();
  });
  finds("LK01", [] {
    SpinMutex spin(kSpin);
    spin.AssertHeld();
  });
}

}  // namespace
}  // namespace locking
