// The native primitives: exclusion, fairness, sleeping and waking, assertions.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "locking/atomic.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"

namespace locking {
namespace {

const LockClass kMutexClass("test mutex", LockKind::kMutex);
const LockClass kSpinClass("test spin", LockKind::kSpin);
const LockClass kRwClass("test rw", LockKind::kMutex);
const LockClass kEventClass("test event", LockKind::kResource);

template <typename Lock>
int CountUnder(Lock& lock, int threads, int rounds) {
  int counter = 0;
  std::vector<Thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back("counter", [&] {
      for (int i = 0; i < rounds; ++i) {
        Guard<Lock> guard(lock);
        ++counter;
      }
    });
  }
  for (Thread& thread : running) thread.Join();
  return counter;
}

TEST(Mutex, ExcludesOthers) {
  Mutex mutex(kMutexClass);
  EXPECT_EQ(CountUnder(mutex, 4, 10000), 40000);
}

TEST(SpinMutex, ExcludesOthers) {
  SpinMutex mutex(kSpinClass);
  EXPECT_EQ(CountUnder(mutex, 4, 10000), 40000);
}

TEST(RwMutex, WritersExcludeEachOther) {
  RwMutex mutex(kRwClass);
  EXPECT_EQ(CountUnder(mutex, 4, 10000), 40000);
}

TEST(RecursiveMutex, OwnerTakesItAgainAndOthersWait) {
  RecursiveMutex mutex(kMutexClass);
  EXPECT_EQ(CountUnder(mutex, 4, 10000), 40000);
  mutex.Lock();
  mutex.Lock();
  EXPECT_EQ(mutex.depth(), 1u);
  bool taken = true;
  Thread("trier", [&] { taken = mutex.TryLock(); }).Join();
  EXPECT_FALSE(taken);
  mutex.Unlock();
  EXPECT_TRUE(mutex.HeldByCaller());
  mutex.Unlock();
  EXPECT_FALSE(mutex.HeldByCaller());
}

TEST(RwMutex, ReadersSeeWholeWrites) {
  RwMutex mutex(kRwClass);
  std::uint64_t a = 0, b = 0;
  bool torn = false;
  std::vector<Thread> running;
  for (int t = 0; t < 2; ++t) {
    running.emplace_back("writer", [&] {
      for (int i = 0; i < 5000; ++i) {
        WriteGuard guard(mutex);
        ++a;
        ++b;
      }
    });
  }
  Atomic<bool> saw_torn{false};
  for (int t = 0; t < 2; ++t) {
    running.emplace_back("reader", [&] {
      for (int i = 0; i < 5000; ++i) {
        ReadGuard guard(mutex);
        if (a != b) saw_torn.Store(true);
      }
    });
  }
  for (Thread& thread : running) thread.Join();
  torn = saw_torn.Load();
  EXPECT_FALSE(torn);
  EXPECT_EQ(a, 10000u);
}

TEST(RwMutex, ReadersShareAndTryFailsAgainstThem) {
  RwMutex mutex(kRwClass);
  mutex.LockShared();
  bool shared = false, exclusive = true;
  Thread("other", [&] {
    shared = mutex.TryLockShared();
    if (shared) mutex.UnlockShared();
    exclusive = mutex.TryLock();
  }).Join();
  EXPECT_TRUE(shared);
  EXPECT_FALSE(exclusive);
  mutex.UnlockShared();
}

TEST(RwMutex, DowngradeLetsReadersIn) {
  RwMutex mutex(kRwClass);
  mutex.Lock();
  mutex.Downgrade();
  bool shared = false, exclusive = true;
  Thread("other", [&] {
    shared = mutex.TryLockShared();
    if (shared) mutex.UnlockShared();
    exclusive = mutex.TryLock();
  }).Join();
  EXPECT_TRUE(shared);
  EXPECT_FALSE(exclusive);
  mutex.UnlockShared();
  EXPECT_TRUE(mutex.TryLock());
  mutex.Unlock();
}

TEST(RwMutex, TheOnlyReaderUpgradesAtOnce) {
  RwMutex mutex(kRwClass);
  mutex.LockShared();
  ASSERT_TRUE(mutex.Upgrade());
  EXPECT_TRUE(mutex.HeldByCaller());
  bool shared = true;
  Thread("other", [&] { shared = mutex.TryLockShared(); }).Join();
  EXPECT_FALSE(shared);
  mutex.Unlock();
  EXPECT_TRUE(mutex.TryLock());
  mutex.Unlock();
}

TEST(RwMutex, TheSecondUpgraderFailsAndKeepsItsReadLock) {
  RwMutex mutex(kRwClass);
  mutex.LockShared();
  Atomic<bool> reads{false};
  bool upgraded = false;
  Thread first("first", [&] {
    mutex.LockShared();
    reads.Store(true);
    upgraded = mutex.Upgrade();  // waits for the other reader
    mutex.Unlock();
  });
  while (!reads.Load()) Yield();
  // The first waits as soon as no reader may enter any more.
  for (bool enters = true; enters; Yield()) {
    Thread("reader", [&] {
      enters = mutex.TryLockShared();
      if (enters) mutex.UnlockShared();
    }).Join();
  }
  EXPECT_FALSE(mutex.Upgrade());
  mutex.AssertHeldShared();
  mutex.UnlockShared();
  first.Join();
  EXPECT_TRUE(upgraded);
}

// Each adds to what it read before the upgrade: nothing came in between.
TEST(RwMutex, NobodyWritesBetweenAReadAndItsUpgrade) {
  RwMutex mutex(kRwClass);
  std::uint64_t value = 0;
  Atomic<std::uint64_t> upgrades{0}, writes{0};
  std::vector<Thread> running;
  for (int t = 0; t < 3; ++t)
    running.emplace_back("upgrader", [&]() LOCKING_NO_ANALYSIS {
      for (int i = 0; i < 3000; ++i) {
        mutex.LockShared();
        const std::uint64_t former = value;
        if (!mutex.Upgrade()) {
          mutex.UnlockShared();
          continue;
        }
        value = former + 1;
        upgrades.FetchAdd(1);
        mutex.Unlock();
      }
    });
  running.emplace_back("writer", [&] {
    for (int i = 0; i < 3000; ++i) {
      WriteGuard guard(mutex);
      ++value;
      writes.FetchAdd(1);
    }
  });
  for (Thread& thread : running) thread.Join();
  EXPECT_GT(upgrades.Load(), 0u);
  EXPECT_EQ(value, upgrades.Load() + writes.Load());
}

// Threads that the kernel gives no asymmetric barriers.
TEST(Mutex, ExcludesAndWakesWithFullBarriers) {
  Mutex mutex(kMutexClass);
  std::uint64_t value = 0;
  std::vector<Thread> running;
  for (int t = 0; t < 4; ++t)
    running.emplace_back("worker", [&] {
      ThreadWord word = WordOf(Self());
      word.watch |= kWatchFullBarriers;
      InstallThreadWord(word);
      for (int i = 0; i < 5000; ++i) {
        MutexGuard guard(mutex);
        ++value;
      }
    });
  for (Thread& thread : running) thread.Join();
  EXPECT_EQ(value, 20000u);
}

TEST(SleepQueue, HandsOverEveryItem) {
  SleepQueue queue;
  Mutex mutex(kMutexClass);
  int produced = 0, consumed = 0;
  constexpr int kItems = 2000;
  Thread consumer("consumer", [&] {
    mutex.Lock();
    while (consumed < kItems) {
      if (produced == consumed) {
        queue.SleepKeep(&produced, mutex, {&kEventClass}).AndRetry();
        continue;
      }
      ++consumed;
      queue.WakeOne(&consumed);
    }
    mutex.Unlock();
  });
  mutex.Lock();
  while (produced < kItems) {
    if (produced - consumed == 4) {
      queue.SleepKeep(&consumed, mutex, {&kEventClass}).AndRetry();
      continue;
    }
    ++produced;
    queue.WakeOne(&produced);
  }
  mutex.Unlock();
  consumer.Join();
  EXPECT_EQ(consumed, kItems);
}

TEST(SleepQueue, WakeAllWakesEverySleeperOfThatChannelOnly) {
  SleepQueue queue;
  SpinMutex spin(kSpinClass);
  int sleeping = 0, awake = 0;
  bool go = false, other_go = false;
  std::vector<Thread> running;
  for (int t = 0; t < 3; ++t) {
    running.emplace_back("sleeper", [&] {
      spin.Lock();
      ++sleeping;
      while (!go) queue.SleepKeep(&go, spin, {&kEventClass}).AndRetry();
      ++awake;
      spin.Unlock();
    });
  }
  Thread other("other", [&] {
    spin.Lock();
    ++sleeping;
    while (!other_go) queue.SleepKeep(&other_go, spin, {&kEventClass}).AndRetry();
    spin.Unlock();
  });
  for (bool all = false; !all; Yield()) {
    SpinGuard guard(spin);
    all = sleeping == 4;
  }
  spin.Lock();
  go = true;
  EXPECT_EQ(queue.WakeAll(&go), 3u);
  EXPECT_TRUE(queue.HasSleepers(&other_go));
  spin.Unlock();
  for (Thread& thread : running) thread.Join();
  EXPECT_EQ(awake, 3);
  spin.Lock();
  other_go = true;
  EXPECT_EQ(queue.WakeOne(&other_go), 1u);
  spin.Unlock();
}

TEST(SleepQueue, TimesOutWithTheInterlockHeld) {
  SleepQueue queue;
  RwMutex mutex(kRwClass);
  mutex.Lock();
  const LookUpAgain slept =
      queue.SleepKeep(&mutex, mutex, {&kEventClass}, Clock::NowNs() + 1'000'000);
  EXPECT_EQ(slept.reason, WakeReason::kTimedOut);
  EXPECT_TRUE(mutex.HeldByCaller());
  EXPECT_FALSE(queue.HasSleepers(&mutex));
  mutex.Unlock();
}

// The word of such a thread must not look like that of a free lock.
TEST(Mutex, IsNotHeldByAThreadThatLockingHasNotSeen) {
  Mutex mutex(kMutexClass);
  SpinMutex spin(kSpinClass);
  RwMutex rw(kRwClass);
  bool held = true;
  std::thread([&] {
    held = mutex.HeldByCaller() || spin.HeldByCaller() || rw.HeldByCaller();
    MutexGuard guard(mutex);
    EXPECT_TRUE(mutex.HeldByCaller());
  }).join();
  EXPECT_FALSE(held);
}

using PrimitivesDeathTest = ::testing::Test;

TEST(ThreadOrdinal, IsUsedAgainWhenItsThreadHasEnded) {
  std::uint32_t first = 0, second = 0;
  Thread("first", [&] {
    first = Self().ordinal;
    Thread("second", [&] { second = Self().ordinal; }).Join();
  }).Join();
  EXPECT_NE(first, second);
  for (int i = 0; i < 3; ++i) {
    std::uint32_t again = 0;
    Thread("again", [&] { again = Self().ordinal; }).Join();
    EXPECT_EQ(again, std::min(first, second));
  }
}

TEST(PrimitivesDeathTest, RecursionAndForeignUnlockAreCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Mutex mutex(kMutexClass);
  EXPECT_DEATH(
      {
        mutex.Lock();
        mutex.Lock();
      },
      "LK01.*taken again");
  EXPECT_DEATH(mutex.Unlock(), "LK01.*does not hold it");
  RwMutex rw(kRwClass);
  EXPECT_DEATH(rw.UnlockShared(), "LK01");
  SpinMutex spin(kSpinClass);
  EXPECT_DEATH(
      {
        spin.Lock();
        spin.Lock();
      },
      "LK01.*taken again");
}

}  // namespace
}  // namespace locking
