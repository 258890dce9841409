// Lock and unlock: every primitive with and without the witness, beside what others offer. One
// iteration is one pair; each thread has its own locks, except under `/shared`.
//
// For figures with spread: --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
#include <benchmark/benchmark.h>
#include <tbb/queuing_mutex.h>
#include <tbb/spin_mutex.h>
#include <tbb/spin_rw_mutex.h>

#include <mutex>
#include <shared_mutex>
#include <string>

#include "absl/synchronization/mutex.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/spin_mutex.h"
#include "locking/witness/lock_order_witness.h"

namespace locking {
namespace {

const LockClass kOuterClass("bench outer", LockKind::kMutex);
const LockClass kInnerClass("bench inner", LockKind::kMutex);
const LockClass kSpinClass("bench spin", LockKind::kSpin);
const LockClass kRwClass("bench rw", LockKind::kMutex);

LockOrderWitness& TheWitness() {
  static auto* witness = new LockOrderWitness;
  return *witness;
}

// Each subject is a lock, or two, and what one iteration does with it.
struct OurMutex {
  Mutex mutex{kOuterClass};
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct OurRecursive {
  RecursiveMutex mutex{kOuterClass};
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct OurSpin {
  SpinMutex mutex{kSpinClass};
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct OurRead {
  RwMutex mutex{kRwClass};
  void Pair() {
    mutex.LockShared();
    mutex.UnlockShared();
  }
};
struct OurWrite {
  RwMutex mutex{kRwClass};
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct OurNested {
  Mutex outer{kOuterClass};
  Mutex inner{kInnerClass};
  void Pair() {
    outer.Lock();
    inner.Lock();
    inner.Unlock();
    outer.Unlock();
  }
};
template <typename Lockable>
struct Plain {
  Lockable mutex;
  void Pair() {
    mutex.lock();
    mutex.unlock();
  }
};
struct StdShared {
  std::shared_mutex mutex;
  void Pair() {
    mutex.lock_shared();
    mutex.unlock_shared();
  }
};
struct AbslMutex {
  absl::Mutex mutex;
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct AbslNested {
  absl::Mutex outer, inner;
  void Pair() {
    outer.Lock();
    inner.Lock();
    inner.Unlock();
    outer.Unlock();
  }
};
struct TbbQueuing {
  tbb::queuing_mutex mutex;
  void Pair() { tbb::queuing_mutex::scoped_lock lock(mutex); }
};
struct TbbRead {
  tbb::spin_rw_mutex mutex;
  void Pair() {
    mutex.lock_shared();
    mutex.unlock_shared();
  }
};

enum class Watching { kOff, kOn, kAbslDetects };

// What watches the locks of the calling thread while it lives.
class WatchScope {
 public:
  explicit WatchScope(Watching watching) {
    RunContext run;
    if (watching == Watching::kOn) run.witness = &TheWitness();
    former_ = SetRunContext(run);
    absl::SetMutexDeadlockDetectionMode(watching == Watching::kAbslDetects
                                            ? absl::OnDeadlockCycle::kReport
                                            : absl::OnDeadlockCycle::kIgnore);
  }
  ~WatchScope() { SetRunContext(former_); }
  WatchScope(const WatchScope&) = delete;

 private:
  RunContext former_;
};

template <typename Subject>
void Private(benchmark::State& state, Watching watching) {
  WatchScope scope(watching);
  struct alignas(128) Padded {
    Subject subject;
  } own;
  for (auto _ : state) own.subject.Pair();
}

template <typename Subject>
void Shared(benchmark::State& state, Watching watching) {
  alignas(128) static Subject subject;
  WatchScope scope(watching);
  for (auto _ : state) subject.Pair();
}

template <typename Subject>
void Add(const std::string& name, Watching watching) {
  benchmark::RegisterBenchmark(name.c_str(), Private<Subject>, watching)
      ->ThreadRange(1, 2)
      ->UseRealTime();
  benchmark::RegisterBenchmark((name + "/shared").c_str(), Shared<Subject>, watching)
      ->Threads(2)
      ->UseRealTime();
}

template <typename Subject>
void AddOurs(const std::string& kind) {
  Add<Subject>("Lock/" + kind + "/off", Watching::kOff);
  Add<Subject>("Lock/" + kind + "/on", Watching::kOn);
}

const bool kRegistered = [] {
  AddOurs<OurMutex>("mutex");
  AddOurs<OurRecursive>("recursive");
  AddOurs<OurSpin>("spin");
  AddOurs<OurRead>("rw_read");
  AddOurs<OurWrite>("rw_write");
  AddOurs<OurNested>("nested_pair");
  Add<Plain<std::mutex>>("Lock/std_mutex", Watching::kOff);
  Add<StdShared>("Lock/std_shared_mutex_read", Watching::kOff);
  Add<AbslMutex>("Lock/absl_mutex", Watching::kOff);
  Add<AbslMutex>("Lock/absl_mutex_detect", Watching::kAbslDetects);
  Add<AbslNested>("Lock/absl_nested_pair_detect", Watching::kAbslDetects);
  Add<Plain<tbb::spin_mutex>>("Lock/tbb_spin", Watching::kOff);
  Add<TbbQueuing>("Lock/tbb_queuing", Watching::kOff);
  Add<TbbRead>("Lock/tbb_spin_rw_read", Watching::kOff);
  return true;
}();

// An exploration may make one for each execution.
void Construct(benchmark::State& state) {
  for (auto _ : state) {
    LockOrderWitness witness;
    benchmark::DoNotOptimize(&witness);
  }
}
BENCHMARK(Construct)->Name("Witness/construct");

}  // namespace
}  // namespace locking
