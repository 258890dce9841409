#include "bench/explore_loads.h"

#include <stdexcept>
#include <utility>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/explore/strategies.h"
#include "locking/mutex.h"
#include "locking/sched/explore_executor.h"
#include "locking/thread.h"

namespace bench {
namespace {

using locking::Choice;
using locking::Mutex;
using locking::Strategy;
using locking::Thread;
using Body = std::function<void()>;
using MakeStrategy = std::function<std::unique_ptr<Strategy>()>;

const locking::LockClass kMutexClass("bench mutex", locking::LockKind::kMutex);

constexpr std::uint32_t kDepth = 3;

enum class Items { kExecutions, kPoints };

// A batch is some executions of one body, from one executor.
class ExploreLoad final : public Load {
 public:
  ExploreLoad(MakeStrategy make, Items items, std::uint64_t executions, std::uint64_t iterations,
              Body body)
      : make_(std::move(make)),
        items_(items),
        executions_(executions),
        iterations_(iterations),
        body_(std::move(body)) {}

  void Enter() override {
    executor_ = std::make_unique<locking::ExploreExecutor>();
    strategy_ = make_();
  }
  void Leave() override { executor_.reset(); }
  void Run() override {
    locking::ExploreExecutor::Execution settings;
    settings.max_steps = 1u << 30;
    for (std::uint64_t i = 0; i < executions_; ++i) {
      settings.seed = locking::explore::ExecutionSeed(1, execution_++);
      if (!executor_->Run(body_, *strategy_, settings))
        throw std::runtime_error("an execution failed: " + executor_->failure().title);
      points_ += executor_->steps();
      if (!strategy_->EndExecution()) strategy_ = make_();
    }
  }
  std::uint64_t iterations() const override { return iterations_; }
  std::uint64_t items() const override {
    return items_ == Items::kExecutions ? execution_ : points_;
  }

 private:
  const MakeStrategy make_;
  const Items items_;
  const std::uint64_t executions_;  // of a batch
  const std::uint64_t iterations_;  // of a batch
  const Body body_;
  std::unique_ptr<locking::ExploreExecutor> executor_;  // of the thread that runs
  std::unique_ptr<Strategy> strategy_;
  std::uint64_t execution_ = 0;
  std::uint64_t points_ = 0;
};

Loads One(MakeStrategy make, Items items, std::uint64_t executions, std::uint64_t iterations,
          Body body) {
  Loads loads;
  loads.push_back(std::make_unique<ExploreLoad>(std::move(make), items, executions, iterations,
                                                std::move(body)));
  return loads;
}

MakeStrategy Named(const std::string& name) {
  return [name] { return locking::explore::MakeStrategy(name, kDepth); };
}

void ThreeThreadsTenLocks() {
  Mutex mutex(kMutexClass);
  const auto work = [&mutex] {
    for (int i = 0; i < 10; ++i) {
      mutex.Lock();
      mutex.Unlock();
    }
  };
  Thread a("a", work), b("b", work), c("c", work);
  a.Join();
  b.Join();
  c.Join();
}

// `threads` threads with `rounds` operations each.
Body Operations(std::uint32_t threads, std::uint32_t rounds) {
  return [threads, rounds] {
    locking::Atomic<int> word{0};
    std::vector<Thread> running;
    for (std::uint32_t t = 0; t < threads; ++t)
      running.emplace_back("t", [&word, rounds] {
        for (std::uint32_t i = 0; i < rounds; ++i) word.Load(std::memory_order_relaxed);
      });
  };
}

// Always another thread than the one that ran.
class Alternate final : public Strategy {
 public:
  const char* name() const override { return "alternate"; }
  void BeginExecution(std::uint64_t) override {}
  std::uint32_t Pick(const Choice& choice) override {
    return choice.runnable[0] == choice.previous ? choice.count - 1 : 0;
  }
};

}  // namespace

MakeLoads MutexExecutions(const std::string& strategy) {
  constexpr std::uint64_t kExecutions = 100;
  return [strategy](std::uint32_t) {
    return One(Named(strategy), Items::kExecutions, kExecutions, kExecutions, ThreeThreadsTenLocks);
  };
}

MakeLoads Points(const std::string& strategy, std::uint32_t fibres) {
  constexpr std::uint32_t kRounds = 1000;
  return [strategy, fibres](std::uint32_t) {
    return One(Named(strategy), Items::kPoints, 1, std::uint64_t{fibres} * kRounds,
               Operations(fibres, kRounds));
  };
}

Loads Switches(std::uint32_t) {
  constexpr std::uint32_t kRounds = 10'000;
  return One([] { return std::make_unique<Alternate>(); }, Items::kPoints, 1,
             std::uint64_t{2} * kRounds, Operations(2, kRounds));
}

Loads Spawns(std::uint32_t) {
  constexpr std::uint64_t kThreads = 100;
  return One(Named("random"), Items::kPoints, 1, kThreads, [] {
    for (std::uint64_t i = 0; i < kThreads; ++i) Thread("t", [] {}).Join();
  });
}

}  // namespace bench
