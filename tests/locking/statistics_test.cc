// What the primitives count, and of which holds they take the time.
#include "locking/statistics.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "locking/atomic.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"
#include "locking/witness/lock_order_witness.h"

namespace locking {
namespace {

LockStatistics Of(const LockClass& lock_class) {
  for (const LockStatistics& s : CollectStatistics())
    if (s.name == lock_class.name()) return s;
  return {};
}
std::uint64_t Acquisitions(const LockClass& lock_class) { return Of(lock_class).acquisitions; }

// Whether a witness watches while it is counted.
class Statistics : public ::testing::TestWithParam<bool> {
 protected:
  Statistics() {
    ResetStatistics();
    RunContext run;
    run.statistics = true;
    if (GetParam()) run.witness = &witness_;
    former_ = SetRunContext(run);
  }
  ~Statistics() override { SetRunContext(former_); }

 private:
  LockOrderWitness witness_;
  RunContext former_;
};

INSTANTIATE_TEST_SUITE_P(, Statistics, ::testing::Bool(), [](const auto& info) {
  return info.param ? std::string("Watched") : std::string("Unwatched");
});

TEST_P(Statistics, CountWhatAllThreadsTake) {
  const LockClass counted("counted", LockKind::kMutex);
  Mutex mutex(counted);
  std::vector<Thread> running;
  for (int t = 0; t < 2; ++t)
    running.emplace_back("taker", [&] {
      for (int i = 0; i < 1000; ++i) MutexGuard guard(mutex);
    });
  for (Thread& thread : running) thread.Join();
  EXPECT_EQ(Acquisitions(counted), 2000u);
}

// Twice, since the witness knows all chains the second time.
TEST_P(Statistics, CountEachWayToALockOnce) {
  const LockClass mutexes("each mutex", LockKind::kMutex), spins("each spin", LockKind::kSpin),
      rws("each rw", LockKind::kMutex), recursives("each recursive", LockKind::kMutex);
  Mutex mutex(mutexes);
  SpinMutex spin(spins);
  RwMutex rw(rws);
  RecursiveMutex recursive(recursives);
  for (std::uint64_t times = 1; times <= 2; ++times) {
    mutex.Lock();
    mutex.Unlock();
    EXPECT_EQ(Acquisitions(mutexes), 2 * times - 1);
    ASSERT_TRUE(mutex.TryLock());
    mutex.Unlock();
    EXPECT_EQ(Acquisitions(mutexes), 2 * times);

    spin.Lock();
    spin.Unlock();
    EXPECT_EQ(Acquisitions(spins), 2 * times - 1);
    ASSERT_TRUE(spin.TryLock());
    spin.Unlock();
    EXPECT_EQ(Acquisitions(spins), 2 * times);

    rw.Lock();
    rw.Downgrade();
    rw.UnlockShared();
    EXPECT_EQ(Acquisitions(rws), 4 * times - 3);
    rw.LockShared();
    ASSERT_TRUE(rw.Upgrade());
    rw.Unlock();
    EXPECT_EQ(Acquisitions(rws), 4 * times - 2);
    ASSERT_TRUE(rw.TryLock());
    rw.Unlock();
    EXPECT_EQ(Acquisitions(rws), 4 * times - 1);
    ASSERT_TRUE(rw.TryLockShared());
    rw.UnlockShared();
    EXPECT_EQ(Acquisitions(rws), 4 * times);

    recursive.Lock();
    recursive.Lock();
    recursive.Unlock();
    recursive.Unlock();
    EXPECT_EQ(Acquisitions(recursives), times);
  }
}

TEST_P(Statistics, CountAWaitAsOneAcquisition) {
  const LockClass counted("waited for", LockKind::kMutex);
  Mutex mutex(counted);
  mutex.Lock();
  Atomic<ThreadState*> state{nullptr};
  Thread waiter("waiter", [&] {
    state.Store(&Self());
    MutexGuard guard(mutex);
  });
  while (state.Load() == nullptr || state.Load()->waiting.sequence.load() % 2 == 0) Yield();
  mutex.Unlock();
  waiter.Join();
  const LockStatistics statistics = Of(counted);
  EXPECT_EQ(statistics.acquisitions, 2u);
  EXPECT_EQ(statistics.contended, 1u);
  EXPECT_GT(statistics.wait_ns, 0u);
}

TEST_P(Statistics, TimeTheFirstHoldOfAClassAndEvery64th) {
  const LockClass counted("timed", LockKind::kSpin);
  SpinMutex spin(counted);
  for (std::uint32_t i = 0; i < 3 * kTimedHolds; ++i) {
    spin.Lock();
    EXPECT_EQ(Watched(kWatchTimedHold), i % kTimedHolds == 0) << i;
    spin.Unlock();
    EXPECT_FALSE(Watched(kWatchTimedHold)) << i;
  }
  EXPECT_GT(Of(counted).hold_ns_max, 0u);
}

TEST_P(Statistics, MayBeReadWhileOthersCount) {
  const LockClass counted("read meanwhile", LockKind::kMutex);
  RwMutex rw(counted);
  Atomic<bool> ended{false};
  Thread taker("taker", [&] {
    for (int i = 0; i < 20'000; ++i) ReadGuard guard(rw);
    ended.Store(true);
  });
  std::uint64_t former = 0;
  while (!ended.Load()) {
    const std::uint64_t now = Acquisitions(counted);
    EXPECT_GE(now, former);
    former = now;
  }
  taker.Join();
  EXPECT_EQ(Acquisitions(counted), 20'000u);
}

}  // namespace
}  // namespace locking
