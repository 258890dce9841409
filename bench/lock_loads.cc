#include "bench/lock_loads.h"

#include <tbb/queuing_mutex.h>
#include <tbb/spin_mutex.h>
#include <tbb/spin_rw_mutex.h>

#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "bench/in_run.h"
#include "locking/futex.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/spin_mutex.h"

namespace bench {
namespace {

using locking::LockClass;
using locking::LockKind;

const LockClass kOuterClass("bench outer", LockKind::kMutex);
const LockClass kInnerClass("bench inner", LockKind::kMutex);
const LockClass kSpinClass("bench spin", LockKind::kSpin);
const LockClass kRwClass("bench rw", LockKind::kMutex);

constexpr std::uint64_t kBatch = 10'000;

// Each subject is a lock, or two, and what one iteration does with it.
struct OurMutex {
  locking::Mutex mutex{kOuterClass};
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct OurRecursive {
  locking::RecursiveMutex mutex{kOuterClass};
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct OurSpin {
  locking::SpinMutex mutex{kSpinClass};
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct OurRead {
  locking::RwMutex mutex{kRwClass};
  void Pair() {
    mutex.LockShared();
    mutex.UnlockShared();
  }
};
struct OurWrite {
  locking::RwMutex mutex{kRwClass};
  void Pair() {
    mutex.Lock();
    mutex.Unlock();
  }
};
struct OurNested {
  locking::Mutex outer{kOuterClass};
  locking::Mutex inner{kInnerClass};
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
struct TestAndTestAndSet {
  std::atomic<bool> locked{false};
  void Pair() {
    while (locked.exchange(true, std::memory_order_acquire))
      while (locked.load(std::memory_order_relaxed)) locking::CpuPause();
    locked.store(false, std::memory_order_release);
  }
};

enum class AbslDetects { kNo, kYes };

// One thread's view of a subject that is its own, or everybody's.
template <typename Subject>
class LockLoad final : public Load {
 public:
  LockLoad(std::shared_ptr<Subject> subject, AbslDetects detects)
      : subject_(std::move(subject)), detects_(detects) {}

  void Enter() override {
    absl::SetMutexDeadlockDetectionMode(detects_ == AbslDetects::kYes
                                            ? absl::OnDeadlockCycle::kReport
                                            : absl::OnDeadlockCycle::kIgnore);
  }
  void Run() override {
    Subject& subject = *subject_;
    for (std::uint64_t i = 0; i < kBatch; ++i) subject.Pair();
  }
  std::uint64_t iterations() const override { return kBatch; }

 private:
  const std::shared_ptr<Subject> subject_;
  const AbslDetects detects_;
};

struct LockLoads {
  MakeLoads own, shared;
};

template <typename Subject>
LockLoads LoadsOf(AbslDetects detects = AbslDetects::kNo) {
  struct alignas(128) Padded : Subject {};
  const auto make = [detects](std::uint32_t threads, bool shared) {
    std::shared_ptr<Padded> subject;
    Loads loads;
    for (std::uint32_t i = 0; i < threads; ++i) {
      if (subject == nullptr || !shared) subject = std::make_shared<Padded>();
      loads.push_back(std::make_unique<LockLoad<Subject>>(subject, detects));
    }
    return loads;
  };
  return {[make](std::uint32_t threads) { return make(threads, false); },
          [make](std::uint32_t threads) { return make(threads, true); }};
}

struct NamedLoads {
  std::string name;
  LockLoads loads;
};

template <typename Subject>
void AddOurs(const std::string& kind, std::vector<NamedLoads>* all) {
  const LockLoads loads = LoadsOf<Subject>();
  for (const auto& [suffix, watching] : {std::pair{"/off", Watching::kOff}, {"/on", Watching::kOn}})
    all->push_back({kind + suffix, {InRun(loads.own, watching), InRun(loads.shared, watching)}});
}

const std::vector<NamedLoads>& AllLoads() {
  static const auto* all = [] {
    auto* made = new std::vector<NamedLoads>;
    AddOurs<OurMutex>("mutex", made);
    AddOurs<OurRecursive>("recursive", made);
    AddOurs<OurSpin>("spin", made);
    AddOurs<OurRead>("rw_read", made);
    AddOurs<OurWrite>("rw_write", made);
    AddOurs<OurNested>("nested_pair", made);
    made->push_back({"std_mutex", LoadsOf<Plain<std::mutex>>()});
    made->push_back({"std_shared_mutex_read", LoadsOf<StdShared>()});
    made->push_back({"absl_mutex", LoadsOf<AbslMutex>()});
    made->push_back({"absl_mutex_detect", LoadsOf<AbslMutex>(AbslDetects::kYes)});
    made->push_back({"absl_nested_pair_detect", LoadsOf<AbslNested>(AbslDetects::kYes)});
    made->push_back({"tbb_spin", LoadsOf<Plain<tbb::spin_mutex>>()});
    made->push_back({"tbb_queuing", LoadsOf<TbbQueuing>()});
    made->push_back({"tbb_spin_rw_read", LoadsOf<TbbRead>()});
    made->push_back({"ttas", LoadsOf<TestAndTestAndSet>()});
    return made;
  }();
  return *all;
}

const LockLoads& Find(const std::string& name) {
  for (const NamedLoads& named : AllLoads())
    if (named.name == name) return named.loads;
  throw std::invalid_argument("no lock is called " + name);
}

}  // namespace

std::vector<std::string> LockNames() {
  std::vector<std::string> names;
  for (const NamedLoads& named : AllLoads()) names.push_back(named.name);
  return names;
}

MakeLoads PrivateLocks(const std::string& name) { return Find(name).own; }
MakeLoads SharedLock(const std::string& name) { return Find(name).shared; }

}  // namespace bench
