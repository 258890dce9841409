// What controlled execution costs: whole executions, one scheduling point, a switch, a thread.
#include <benchmark/benchmark.h>

#include <functional>
#include <vector>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/explore/strategies.h"
#include "locking/mutex.h"
#include "locking/sched/explore_executor.h"
#include "locking/thread.h"

namespace locking {
namespace {

const LockClass kMutexClass("bench mutex", LockKind::kMutex);

// Runs `body` until the benchmark has seen enough: one execution an iteration, from one executor.
std::uint64_t RunExecutions(benchmark::State& state, const std::function<void()>& body,
                            const char* strategy_name) {
  ExploreExecutor executor;
  const auto strategy = explore::MakeStrategy(strategy_name, 3);
  std::uint64_t execution = 0, points = 0;
  ExploreExecutor::Execution settings;
  settings.max_steps = 1u << 30;
  for (auto _ : state) {
    settings.seed = explore::ExecutionSeed(1, execution++);
    if (!executor.Run(body, *strategy, settings)) state.SkipWithError("an execution failed");
    points += executor.steps();
  }
  return points;
}

// Three threads lock and unlock one mutex ten times each: at least 60 scheduling points.
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

void MutexExecutions(benchmark::State& state, const char* strategy) {
  const std::uint64_t points = RunExecutions(state, ThreeThreadsTenLocks, strategy);
  state.SetItemsProcessed(state.iterations());
  state.counters["points"] =
      benchmark::Counter(static_cast<double>(points), benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(MutexExecutions, random, "random")->Name("Explore/mutex_3x10/random");

// Threads that do nothing but one atomic operation after the other.
void Points(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(0));
  constexpr int kRounds = 1000;
  const std::uint64_t points = RunExecutions(
      state,
      [threads] {
        Atomic<int> word{0};
        std::vector<Thread> running;
        for (int t = 0; t < threads; ++t)
          running.emplace_back("t", [&word] {
            for (int i = 0; i < kRounds; ++i) word.Load(std::memory_order_relaxed);
          });
      },
      "random");
  state.SetItemsProcessed(static_cast<std::int64_t>(points));
}
BENCHMARK(Points)->Name("Explore/point/random")->Arg(1)->Arg(2)->Arg(3)->Arg(8)->Arg(32)->Arg(256);

// Always another thread than the one that ran.
class Alternate : public Strategy {
 public:
  const char* name() const override { return "alternate"; }
  void BeginExecution(std::uint64_t) override {}
  std::uint32_t Pick(const Choice& choice) override {
    return choice.runnable[0] == choice.previous ? choice.count - 1 : 0;
  }
};

void Switches(benchmark::State& state) {
  ExploreExecutor executor;
  Alternate strategy;
  constexpr int kRounds = 10'000;
  const std::function<void()> body = [] {
    Atomic<int> word{0};
    const auto work = [&word] {
      for (int i = 0; i < kRounds; ++i) word.Load(std::memory_order_relaxed);
    };
    Thread a("a", work), b("b", work);
    a.Join();
    b.Join();
  };
  std::uint64_t points = 0;
  for (auto _ : state) {
    if (!executor.Run(body, strategy, {})) state.SkipWithError("an execution failed");
    points += executor.steps();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(points));
}
BENCHMARK(Switches)->Name("Explore/switch");

// A thread that does nothing: spawn, run, end, join.
void Spawns(benchmark::State& state) {
  constexpr int kThreads = 100;
  RunExecutions(
      state,
      [] {
        for (int i = 0; i < kThreads; ++i) Thread("t", [] {}).Join();
      },
      "random");
  state.SetItemsProcessed(state.iterations() * kThreads);
}
BENCHMARK(Spawns)->Name("Explore/spawn");

}  // namespace
}  // namespace locking
