// What the witness costs as it learns more, and as more threads do what it knows.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "bench/witness_loads.h"
#include "locking/bounds.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"
#include "locking/witness/lock_order_witness.h"

namespace locking {
namespace {

std::uint64_t ProcessorNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

struct Cost {
  double ns = 0;     // of an acquisition, the least of a few batches
  double bytes = 0;  // of an acquisition
};

Cost CostOf(const bench::MakeLoads& make) {
  const bench::Loads loads = make(1);
  bench::Load& load = *loads.front();
  Cost cost;
  for (int batch = 0; batch < 3; ++batch) {
    load.Prepare();
    const std::uint64_t start = ProcessorNs();
    load.Run();
    const double ns =
        static_cast<double>(ProcessorNs() - start) / static_cast<double>(load.iterations());
    cost.ns = batch == 0 ? ns : std::min(cost.ns, ns);
    load.Finish();
    cost.bytes = load.bytes();
  }
  return cost;
}

// Four times as many cost about four times as much: quadratic would be 4, and 1 is expected.
void ExpectLinear(const Cost& few, const Cost& many) {
  EXPECT_LT(many.ns, 2.5 * few.ns) << few.ns << " ns";
  if (kSanitizerFactor == 1) {
    EXPECT_GT(many.bytes, 0);
    EXPECT_LT(many.bytes, 1.5 * few.bytes) << few.bytes << " bytes";
  }
}

TEST(Growth, LocksOfASlidingWindowCostTheSameEach) {
  ExpectLinear(CostOf(bench::SlidingWindow(2'500)), CostOf(bench::SlidingWindow(10'000)));
}

TEST(Growth, DistinctChainsCostTheSameEach) {
  ExpectLinear(CostOf(bench::DistinctChains(2'500)), CostOf(bench::DistinctChains(10'000)));
}

// What a thread writes for a lock that its witness has seen is its own as long as it asks nobody.
class CountingWitness : public LockOrderWitness {
 public:
  void DecideChain(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                   Site site) override {
    asked_.fetch_add(1, std::memory_order_relaxed);
    LockOrderWitness::DecideChain(self, lock, mode, attempt, site);
  }
  std::uint64_t asked() const { return asked_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> asked_{0};
};

const LockClass kMap("map", LockKind::kSleepable);
const LockClass kObject("object", LockKind::kMutex);
const LockClass kQueue("free queue", LockKind::kSpin);

struct PrivateLocks {
  RwMutex map{kMap};
  Mutex object{kObject};
  SpinMutex queue{kQueue};

  void TakeAll(int times) {
    for (int i = 0; i < times; ++i) {
      ReadGuard reads(map);
      MutexGuard guard(object);
      SpinGuard spins(queue);
    }
  }
};

TEST(Growth, ThreadsThatDoWhatIsKnownAskNobody) {
  for (const int threads : {1, 2, 4, 8}) {
    CountingWitness witness;
    RunContext run;
    run.witness = &witness;
    const RunContext former = SetRunContext(run);
    std::atomic<int> warm{0};
    std::atomic<bool> go{false};
    {
      std::vector<Thread> all;
      for (int i = 0; i < threads; ++i)
        all.emplace_back("worker", [&] {
          PrivateLocks locks;
          locks.TakeAll(10);
          warm.fetch_add(1);
          while (!go.load()) std::this_thread::yield();
          const std::uint64_t asked = witness.asked();
          locks.TakeAll(1'000);
          EXPECT_EQ(witness.asked(), asked) << "nobody asks by now, of " << threads;
        });
      while (warm.load() < threads) std::this_thread::yield();
      go = true;
    }
    EXPECT_GT(witness.asked(), 0u);
    SetRunContext(former);
  }
}

}  // namespace
}  // namespace locking
