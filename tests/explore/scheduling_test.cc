// What the scheduler promises to strategies and traces, whatever the strategy.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/explore/strategies.h"
#include "locking/mutex.h"
#include "locking/sched/explore_executor.h"
#include "locking/sleep_queue.h"
#include "locking/thread.h"

namespace locking {
namespace {

const LockClass kMutex("a mutex", LockKind::kMutex);
const LockClass kEvent("an event", LockKind::kResource);

// Goes on with whoever ran, as long as it can; else the one that was created last.
class Stubborn : public Strategy {
 public:
  const char* name() const override { return "stubborn"; }
  void BeginExecution(std::uint64_t) override {}
  LOCKING_UNINSTRUMENTED std::uint32_t Pick(const Choice& choice) override {
    std::uint32_t last = 0;
    for (std::uint32_t i = 0; i < choice.count; ++i) {
      if (choice.runnable[i] == choice.previous) return i;
      if (choice.runnable[i]->id > choice.runnable[last]->id) last = i;
    }
    return last;
  }
};

TEST(Scheduling, WhoYieldsIsNotPickedAgainBeforeAnother) {
  ExploreExecutor executor;
  Stubborn strategy;
  const bool ended = executor.Run(
      [] {
        Atomic<bool> stop{false};
        Thread spinner("spinner", [&] {
          while (!stop.Load()) Yield();
        });
        Yield();  // to the spinner, which then keeps its turn but for its yields
        stop.Store(true);
      },
      strategy, {.max_steps = 100});
  EXPECT_TRUE(ended) << FormatFinding(executor.failure());
}

TEST(Scheduling, TheTraceTellsWhichOfTwoEqualThreadsRan) {
  const auto body = [] {
    Atomic<int> word{0};
    const auto load = [&] {
      for (int i = 0; i < 3; ++i) word.Load();
    };
    Thread a("a", load), b("b", load);
    a.Join();
    b.Join();
  };
  const auto hash_of = [&](std::vector<std::uint32_t> choices) {
    ExploreExecutor executor;
    explore::RecordedSchedule schedule(choices);
    EXPECT_TRUE(executor.Run(body, schedule, {}));
    EXPECT_FALSE(schedule.diverged());
    return executor.trace_hash();
  };
  // Both have started; then one of them loads first.
  EXPECT_EQ(hash_of({1, 1, 2, 3, 2, 3}), hash_of({1, 1, 2, 3, 2, 3}));
  EXPECT_NE(hash_of({1, 1, 2, 3, 2, 3}), hash_of({1, 1, 2, 3, 3, 2}));
}

TEST(Scheduling, ALockAndAnUnlockAreOnePointEachHoweverContended) {
  constexpr std::uint64_t kThreads = 3, kRounds = 10, kExecutions = 200;
  const explore::Result result = explore::Check(
      [] {
        Mutex mutex(kMutex);
        std::vector<Thread> threads;
        for (std::uint64_t t = 0; t < kThreads; ++t)
          threads.emplace_back("t", [&] {
            for (std::uint64_t i = 0; i < kRounds; ++i) MutexGuard guard(mutex);
          });
      },
      {.executions = kExecutions});
  EXPECT_TRUE(result.ok());
  // Each thread is spawned, starts and is joined; and the body itself starts.
  EXPECT_EQ(result.scheduling_points, kExecutions * kThreads * (2 * kRounds + 3));
}

// Sees that what is shown of a thread is what it does next.
class Watchful : public Strategy {
 public:
  const char* name() const override { return "watchful"; }
  void BeginExecution(std::uint64_t) override {}
  LOCKING_UNINSTRUMENTED std::uint32_t Pick(const Choice& choice) override {
    for (std::uint32_t i = 0; i < choice.count; ++i) {
      const ThreadView& thread = *choice.runnable[i];
      if (thread.id == 2) {
        EXPECT_EQ(thread.parent, 1u);
      }
      if (thread.next.kind == PointKind::kStart) ++starts;
      if (thread.next.kind == PointKind::kLock) {
        EXPECT_EQ(thread.next.lock_class, &kMutex);
        ++locks;
      }
      if (thread.next.kind == PointKind::kSleep) {
        EXPECT_EQ(thread.next.lock_class, &kEvent);
        ++sleeps;
      }
    }
    return 0;
  }
  int starts = 0, locks = 0, sleeps = 0;
};

TEST(Scheduling, AStrategySeesTheNextPointOfEachThread) {
  ExploreExecutor executor;
  Watchful strategy;
  EXPECT_TRUE(executor.Run(
      [] {
        Mutex mutex(kMutex);
        SleepQueue queue;
        bool go = false;
        Thread sleeper("sleeper", [&] {
          MutexGuard guard(mutex);
          while (!go) queue.SleepKeep(&go, mutex, {&kEvent}).AndRetry();
        });
        Yield();
        MutexGuard guard(mutex);
        go = true;
        queue.WakeAll(&go);
      },
      strategy, {}));
  EXPECT_GT(strategy.starts, 0);
  EXPECT_GT(strategy.locks, 0);
  EXPECT_GT(strategy.sleeps, 0);
}

TEST(Scheduling, ExecutorsRunSideBySide) {
  // One inside the other's OS thread would be nested; on threads of their own they do not meet.
  std::vector<std::uint64_t> hashes(4);
  const auto explore_in = [&](std::size_t i) {
    hashes[i] = explore::Check(
                    [] {
                      Mutex mutex(kMutex);
                      Thread a("a", [&] { MutexGuard guard(mutex); });
                      MutexGuard guard(mutex);
                    },
                    {.seed = 9, .executions = 500})
                    .trace_hash;
  };
  {
    std::vector<Thread> threads;
    for (std::size_t i = 0; i < hashes.size(); ++i)
      threads.emplace_back("explorer", [&, i] { explore_in(i); });
  }
  for (std::uint64_t hash : hashes) EXPECT_EQ(hash, hashes[0]);
}

}  // namespace
}  // namespace locking
