// Locks that are biased towards their readers: who reads by a slot is as much a reader as who is
// counted.
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "locking/asymmetric_barrier.h"
#include "locking/atomic.h"
#include "locking/futex.h"
#include "locking/rw_mutex.h"
#include "locking/thread.h"

namespace locking {
namespace {

const LockClass kRwClass("test rw", LockKind::kMutex);
constexpr int kManyReads = 5000;

void ReadOften(RwMutex& mutex) {
  for (int i = 0; i < kManyReads; ++i) {
    mutex.LockShared();
    mutex.UnlockShared();
  }
}

// Longer than what another thread does between its looks at a lock.
void Linger() {
  for (int i = 0; i < 30; ++i) CpuPause();
}

class ReaderBias : public testing::Test {
 protected:
  void SetUp() override {
    if (!AsymmetricBarriers()) GTEST_SKIP() << "the kernel has no asymmetric barriers";
    ReadOften(mutex_);
    ASSERT_TRUE(mutex_.biased());
  }

  bool OtherGetsItExclusively() {
    bool taken = false;
    Thread("other", [&] {
      taken = mutex_.TryLock();
      if (taken) mutex_.Unlock();
    }).Join();
    return taken;
  }

  // Whoever wants to write looks for readers as soon as no new one may enter.
  void WaitUntilNoReaderEnters() {
    for (bool enters = true; enters; Yield()) {
      Thread("reader", [&] {
        enters = mutex_.TryLockShared();
        if (enters) mutex_.UnlockShared();
      }).Join();
    }
  }

  RwMutex mutex_{kRwClass};
};

TEST_F(ReaderBias, IsTakenBackByTheNextWriter) {
  mutex_.Lock();
  EXPECT_FALSE(mutex_.biased());
  mutex_.Unlock();
  EXPECT_FALSE(mutex_.biased());
  ReadOften(mutex_);
  EXPECT_TRUE(mutex_.biased());
}

TEST_F(ReaderBias, IsNotGivenToALockThatIsWrittenNowAndThen) {
  RwMutex mutex(kRwClass);
  for (int i = 0; i < kManyReads; ++i) {
    mutex.LockShared();
    mutex.UnlockShared();
    if (i % 1000 == 0) {
      mutex.Lock();
      mutex.Unlock();
    }
  }
  EXPECT_FALSE(mutex.biased());
}

// Its readers may enter again while a writer waits, which no reader may while one looks for slots.
TEST_F(ReaderBias, IsNotGivenToALockWhoseReadersMayReadAgain) {
  const LockClass recursive("test recursive-read rw", LockKind::kMutex,
                            LockClassFlags::kRecursiveRead);
  RwMutex mutex(recursive);
  ReadOften(mutex);
  EXPECT_FALSE(mutex.biased());
}

TEST_F(ReaderBias, ATryFailsAgainstAReaderAndLeavesTheOthersAlone) {
  mutex_.LockShared();
  EXPECT_FALSE(OtherGetsItExclusively());
  EXPECT_TRUE(mutex_.biased());
  mutex_.AssertHeldShared();
  mutex_.UnlockShared();
  EXPECT_TRUE(OtherGetsItExclusively());
}

// One that has seen no reader, and then finds one, gives the lock back as it was: the next try must
// find that reader too, unless it has turned back.
TEST_F(ReaderBias, ATryThatAReaderOvertakesLeavesItKnown) LOCKING_NO_ANALYSIS {
  constexpr int kRounds = 4000;
  Atomic<int> round{0}, tried{0};
  Atomic<bool> inside{false};
  Thread reader("reader", [&]() LOCKING_NO_ANALYSIS {
    for (int i = 1; i <= kRounds; ++i) {
      while (round.Load() < i) Yield();
      mutex_.LockShared();
      inside.Store(true);
      while (tried.Load() < i) Yield();
      inside.Store(false);
      mutex_.UnlockShared();
    }
  });
  int together = 0;
  for (int i = 1; i <= kRounds; ++i) {
    while (!mutex_.biased()) ReadGuard guard(mutex_);
    round.Store(i);
    for (int pause = 0; pause < i % 8; ++pause) CpuPause();
    if (mutex_.TryLock() || mutex_.TryLock()) {
      Linger();
      if (inside.Load()) ++together;
      mutex_.Unlock();
    }
    tried.Store(i);
  }
  reader.Join();
  EXPECT_EQ(together, 0);
}

TEST_F(ReaderBias, AWriterWaitsForReaders) {
  mutex_.LockShared();
  Atomic<bool> written{false};
  Thread writer("writer", [&] {
    mutex_.Lock();
    written.Store(true);
    mutex_.Unlock();
  });
  WaitUntilNoReaderEnters();
  EXPECT_FALSE(written.Load());
  mutex_.UnlockShared();
  writer.Join();
  EXPECT_TRUE(written.Load());
}

TEST_F(ReaderBias, AReaderWithoutAFreeSlotIsCounted) {
  std::deque<RwMutex> others;
  for (int i = 0; i < 12; ++i) {
    ReadOften(others.emplace_back(kRwClass));
    ASSERT_TRUE(others.back().biased());
  }
  for (RwMutex& other : others) other.LockShared();
  for (RwMutex& other : others) {
    bool taken = true;
    Thread("other", [&] { taken = other.TryLock(); }).Join();
    EXPECT_FALSE(taken);
  }
  for (RwMutex& other : others) other.UnlockShared();
  for (RwMutex& other : others) {
    EXPECT_TRUE(other.TryLock());
    other.Unlock();
  }
}

TEST_F(ReaderBias, AReaderUpgradesAndWaitsForTheOthers) {
  Atomic<bool> reads{false}, leaves{false}, upgraded{false};
  Thread other("other", [&] {
    mutex_.LockShared();
    reads.Store(true);
    while (!leaves.Load()) Yield();
    EXPECT_FALSE(upgraded.Load());
    mutex_.UnlockShared();
  });
  while (!reads.Load()) Yield();
  Thread upgrader("upgrader", [&]() LOCKING_NO_ANALYSIS {
    mutex_.LockShared();
    ASSERT_TRUE(mutex_.Upgrade());
    upgraded.Store(true);
    mutex_.Unlock();
  });
  WaitUntilNoReaderEnters();
  EXPECT_FALSE(upgraded.Load());
  leaves.Store(true);
  other.Join();
  upgrader.Join();
  EXPECT_TRUE(upgraded.Load());
}

TEST_F(ReaderBias, AnUpgradeFailsWhereAWriterWaitsForTheCaller) LOCKING_NO_ANALYSIS {
  mutex_.LockShared();
  Thread writer("writer", [&] {
    mutex_.Lock();
    mutex_.Unlock();
  });
  WaitUntilNoReaderEnters();
  EXPECT_FALSE(mutex_.Upgrade());
  mutex_.AssertHeldShared();
  mutex_.UnlockShared();
  writer.Join();
}

// Readers in slots, counted ones, tries, upgrades and writers, with the bias coming and going.
TEST_F(ReaderBias, ComesAndGoesAndReadersSeeWholeWrites) LOCKING_NO_ANALYSIS {
  constexpr int kWrites = 1500;
  std::uint64_t a = 0, b = 0;
  Atomic<bool> torn{false}, done{false};
  std::uint64_t upgrades = 0;
  std::vector<Thread> running;
  for (int t = 0; t < 3; ++t)
    running.emplace_back("reader", [&, t]() LOCKING_NO_ANALYSIS {
      for (int i = 1; !done.Load(std::memory_order_relaxed); ++i) {
        mutex_.LockShared();
        const std::uint64_t seen = a;
        if (i % 4 == 0) Linger();
        if (seen != b) torn.Store(true);
        if (t != 0 || i % 20'000 != 0 || !mutex_.Upgrade()) {
          mutex_.UnlockShared();
          continue;
        }
        ++a, ++b, ++upgrades;
        mutex_.Unlock();
      }
    });
  for (int i = 0; i < kWrites; ++i) {
    while (!mutex_.biased()) {
      ReadGuard guard(mutex_);
      if (a != b) torn.Store(true);
    }
    bool taken = false;
    for (int tries = 0; i % 2 == 0 && !taken && tries < 5; ++tries) taken = mutex_.TryLock();
    if (!taken) mutex_.Lock();
    ++a;
    Linger();
    ++b;
    mutex_.Unlock();
  }
  done.Store(true);
  for (Thread& thread : running) thread.Join();
  EXPECT_FALSE(torn.Load());
  EXPECT_EQ(a, kWrites + upgrades);
}

using ReaderBiasDeathTest = ReaderBias;

TEST_F(ReaderBiasDeathTest, OneUnlockTooManyIsCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        mutex_.LockShared();
        mutex_.UnlockShared();
        mutex_.UnlockShared();
      },
      "LK01");
  EXPECT_DEATH(mutex_.AssertHeldShared(), "LK01");
}

}  // namespace
}  // namespace locking
