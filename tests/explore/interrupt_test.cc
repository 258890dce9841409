// Interrupts under a strategy: it says where a handler runs, and all that it can say is tried.
#include "locking/interrupt.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/explore/strategies.h"
#include "locking/interrupt_timer.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sched/explore_executor.h"
#include "locking/sched/plain_array.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"
#include "locking/witness/scoped_witness.h"

namespace locking {
namespace {

using explore::Check;
using explore::Result;

const LockClass kTick("tick", LockKind::kInterrupt);
const LockClass kQueues("queues", LockKind::kSpin);
const LockClass kOpen("open", LockKind::kSpin, LockClassFlags::kInterruptsOn);
const LockClass kOther("other", LockKind::kSpin, LockClassFlags::kInterruptsOn);
const LockClass kOpenReaders(
    "open readers", LockKind::kSpin,
    static_cast<LockClassFlags>(static_cast<std::uint32_t>(LockClassFlags::kInterruptsOn) |
                                static_cast<std::uint32_t>(LockClassFlags::kRecursiveRead)));
const LockClass kObject("object", LockKind::kMutex);
const LockClass kEvent("event", LockKind::kResource);

// Every schedule, one after the other: the next differs from the last in its latest choice that has
// an alternative left.
class Exhaustive : public Strategy {
 public:
  const char* name() const override { return "exhaustive"; }
  void BeginExecution(std::uint64_t) override { depth_ = 0; }
  LOCKING_UNINSTRUMENTED std::uint32_t Pick(const Choice& choice) override {
    if (depth_ == taken_.size()) {
      taken_.push_back(0);
      of_.push_back(0);
    }
    of_[depth_] = choice.count;
    return taken_[depth_++];
  }
  bool EndExecution() override {
    while (taken_.size() > depth_) Drop();
    while (!taken_.empty() && taken_.back() + 1 == of_.back()) Drop();
    if (taken_.empty()) return false;
    ++taken_.back();
    return true;
  }

 private:
  void Drop() {
    taken_.pop_back();
    of_.pop_back();
  }
  PlainArray<std::uint32_t> taken_, of_;
  std::uint32_t depth_ = 0;
};

// The findings of all schedules of `body`, by id and title; "" where one ends without any.
std::set<std::string> AllEndings(const std::function<void()>& body, std::uint64_t* schedules) {
  ExploreExecutor executor;
  Exhaustive strategy;
  std::set<std::string> endings;
  do {
    const bool ended = executor.Run(body, strategy, {.max_steps = 1000});
    endings.insert(ended ? "" : executor.failure().id + ": " + executor.failure().title);
    ++*schedules;
  } while (strategy.EndExecution() && *schedules < 100'000);
  return endings;
}

TEST(ExploredInterrupt, RunsAtEachPointOfItsThreadOrNotAtAll) {
  std::set<int> seen;
  std::uint64_t schedules = 0;
  const auto endings = AllEndings(
      [&] {
        Atomic<int> steps{0};
        int at = -1;
        Interrupt tick(kTick, [&] { at = steps.Peek(); });
        {
          TakesInterrupt takes(tick);
          InterruptTimer timer(tick, 1);
          for (int i = 1; i <= 3; ++i) steps.Store(i);
        }
        seen.insert(at);
      },
      &schedules);
  EXPECT_EQ(endings, std::set<std::string>{""});
  EXPECT_EQ(seen, (std::set<int>{-1, 0, 1, 2}));
  EXPECT_EQ(schedules, 4u);
}

TEST(ExploredInterrupt, ComesAsOftenAsItWasPosted) {
  std::set<int> seen;
  std::uint64_t schedules = 0;
  AllEndings(
      [&] {
        Atomic<int> word{0};
        int runs = 0;
        Interrupt tick(kTick, [&] { ++runs; });
        {
          TakesInterrupt takes(tick);
          InterruptTimer timer(tick, 1, 2);
          word.Load();
          word.Load();
        }
        seen.insert(runs);
      },
      &schedules);
  EXPECT_EQ(seen, (std::set<int>{0, 1, 2}));
}

// In any schedule: a spin lock, InterruptsOff, another handler.
TEST(ExploredInterrupt, NeverWhereInterruptsAreOff) {
  std::uint64_t schedules = 0;
  const auto endings = AllEndings(
      [] {
        SpinMutex queues(kQueues);
        Atomic<int> word{0};
        bool off = false;
        int handlers = 0;
        Interrupt tick(kTick, [&] {
          explore::Expect(!off, "interrupts are on");
          explore::Expect(++handlers == 1, "no handler interrupts another");
          SpinGuard guard(queues);
          word.Load();
          --handlers;
        });
        TakesInterrupt takes(tick);
        InterruptTimer timer(tick, 1, 2);
        {
          SpinGuard guard(queues);
          off = true;
          word.Load();
          off = false;
        }
        {
          InterruptsOff outer;
          off = true;
          {
            InterruptsOff inner;
          }
          word.Load();
          {
            SpinGuard guard(queues);
          }
          word.Load();
          off = false;
        }
        word.Load();
      },
      &schedules);
  EXPECT_EQ(endings, std::set<std::string>{""});
  EXPECT_GT(schedules, 10u);
}

TEST(ExploredInterrupt, OfALockThatItsThreadHoldsIsAnInversion) {
  std::uint64_t schedules = 0;
  const auto endings = AllEndings(
      [] {
        SpinMutex open(kOpen);
        Interrupt tick(kTick, [&] { SpinGuard guard(open); });
        TakesInterrupt takes(tick);
        InterruptTimer timer(tick, 1);
        SpinGuard guard(open);
      },
      &schedules);
  EXPECT_EQ(endings,
            (std::set<std::string>{
                "",
                "LK06: the handler of tick waits for open, which the thread that it interrupts "
                "holds"}));
}

TEST(ExploredInterrupt, OfALockThatItsThreadReadsIsAnInversionForWhoHasToWait) {
  const auto endings_with = [](const LockClass& lock_class, auto handler, bool writer) {
    std::uint64_t schedules = 0;
    return AllEndings(
        [&] {
          RwMutex open(lock_class);
          Interrupt tick(kTick, [&] { handler(open); });
          Thread writes("writes", [&] {
            if (writer) WriteGuard guard(open);
          });
          TakesInterrupt takes(tick);
          InterruptTimer timer(tick, 1);
          ReadGuard guard(open);
        },
        &schedules);
  };
  const auto reads = [](RwMutex& open) { ReadGuard guard(open); };
  const auto writes = [](RwMutex& open) { WriteGuard guard(open); };
  const auto upgrades = [](RwMutex& open) {
    open.LockShared();
    if (!open.Upgrade()) return open.UnlockShared();
    open.Unlock();
  };
  const std::set<std::string> none{""};
  const auto inversion_of = [](const LockClass& lock_class) {
    return std::set<std::string>{"", "LK06: the handler of tick waits for " + lock_class.name() +
                                         ", which the thread that it interrupts holds"};
  };
  EXPECT_EQ(endings_with(kOpenReaders, reads, true), none);
  EXPECT_EQ(endings_with(kOpenReaders, writes, false), inversion_of(kOpenReaders));
  EXPECT_EQ(endings_with(kOpenReaders, upgrades, false), inversion_of(kOpenReaders));
  EXPECT_EQ(endings_with(kOpen, reads, false), none);
  EXPECT_EQ(endings_with(kOpen, reads, true), inversion_of(kOpen)) << "behind a writer";
}

// The thread that is interrupted holds what the holder of the handler's lock waits for.
void InversionThroughAnother() {
  SpinMutex open(kOpen), other(kOther);
  Interrupt tick(kTick, [&] { SpinGuard guard(other); });
  Thread nests("nests", [&] {
    SpinGuard outer(other);
    SpinGuard inner(open);
  });
  TakesInterrupt takes(tick);
  InterruptTimer timer(tick, 1);
  open.Lock();
  // Without a guard: a stack that is given up in a destructor does not unwind.
  open.Unlock();
}

TEST(ExploredInterrupt, AnInversionThroughAnotherLockEndsInADeadlock) {
  const Result result = Check(InversionThroughAnother, {.executions = 2000});
  ASSERT_EQ(result.failures.size(), 1u);
  const Finding& finding = result.failures[0].finding;
  EXPECT_EQ(finding.id, "LK09") << FormatFinding(finding);
  EXPECT_TRUE(result.failures[0].reproduced);
  EXPECT_NE(FormatFinding(finding).find("tick, which interrupted it at "), std::string::npos)
      << FormatFinding(finding);
}

TEST(ExploredInterrupt, TheWitnessSeesTheInversionInSchedulesThatDoNotBlock) {
  const auto body = [] {
    ScopedWitness witnessed;
    InversionThroughAnother();
  };
  const Result result = Check(body, {.executions = 200});
  ASSERT_FALSE(result.failures.empty());
  const Finding& finding = result.failures[0].finding;
  EXPECT_EQ(finding.id, "LK06") << FormatFinding(finding);
  EXPECT_EQ(finding.tier, "confirmed") << FormatFinding(finding);
  const explore::ReplayResult again = explore::Replay(body, result.failures[0]);
  EXPECT_FALSE(again.diverged) << again.divergence;
  EXPECT_EQ(again.finding.id, "LK06");
}

// Whoever sleeps takes interrupts as well, and a handler may wake it.
TEST(ExploredInterrupt, ComesInASleepAndMayEndIt) {
  std::uint64_t schedules = 0;
  const auto endings = AllEndings(
      [] {
        SpinMutex queues(kQueues);
        SleepQueue sleepers;
        bool done = false;
        Interrupt tick(kTick, [&] {
          SpinGuard guard(queues);
          done = true;
          sleepers.WakeAll(&done);
        });
        TakesInterrupt takes(tick);
        tick.Post();
        SpinGuard guard(queues);
        while (!done)
          sleepers.SleepKeep(&done, queues, {.resource_class = &kEvent, .message = "tick"})
              .AndRetry();
      },
      &schedules);
  EXPECT_EQ(endings, std::set<std::string>{""});
  EXPECT_EQ(schedules, 2u);
}

// A thread that waits for a lock takes interrupts meanwhile: the holder may wait for the handler.
TEST(ExploredInterrupt, ComesWhileItsThreadWaitsForALock) {
  std::uint64_t schedules = 0;
  const auto endings = AllEndings(
      [] {
        Mutex object(kObject);
        SpinMutex queues(kQueues);
        SleepQueue sleepers;
        bool done = false;
        Interrupt tick(kTick, [&] {
          SpinGuard guard(queues);
          done = true;
          sleepers.WakeAll(&done);
        });
        const auto wait = [&] {
          SpinGuard guard(queues);
          while (!done) sleepers.SleepKeep(&done, queues, {.resource_class = &kEvent}).AndRetry();
        };
        Thread waits("waits", [&] {
          TakesInterrupt takes(tick);
          tick.Post();
          {
            MutexGuard guard(object);
          }
          wait();
        });
        MutexGuard guard(object);
        wait();
      },
      &schedules);
  EXPECT_EQ(endings, std::set<std::string>{""});
}

TEST(ExploredInterrupt, ASleepInAHandlerEndsTheExecution) {
  std::uint64_t schedules = 0;
  const auto endings = AllEndings(
      [] {
        SpinMutex queues(kQueues);
        SleepQueue sleepers;
        Interrupt tick(kTick, [&] {
          SpinGuard guard(queues);
          sleepers.SleepKeep(&queues, queues, {.resource_class = &kEvent}).AndRetry();
        });
        TakesInterrupt takes(tick);
        tick.Post();
        Yield();
      },
      &schedules);
  EXPECT_EQ(endings, (std::set<std::string>{"", "LK05: the handler of tick sleeps for event"}));
}

TEST(ExploredInterrupt, WhatThePosterWroteTheHandlerReadsWithoutARace) {
  const Result result = Check(
      [] {
        int word = 0;
        Interrupt tick(kTick, [&] { ++word; });
        Thread takes("takes", [&] {
          TakesInterrupt takes(tick);
          Yield();
          Yield();
        });
        word = 1;
        tick.Post();
        takes.Join();
      },
      {.executions = 500});
  EXPECT_TRUE(result.ok()) << FormatFinding(result.failures[0].finding);
}

void TicksInTwoThreads() {
  SpinMutex queues(kQueues);
  Mutex object(kObject);
  int ticks = 0;
  Interrupt tick(kTick, [&] {
    SpinGuard guard(queues);
    ++ticks;
  });
  InterruptTimer timer(tick, 1, 2);
  const auto work = [&] {
    TakesInterrupt takes(tick);
    for (int i = 0; i < 3; ++i) {
      MutexGuard outer(object);
      SpinGuard inner(queues);
      ++ticks;
    }
  };
  Thread a("a", work), b("b", work);
}

TEST(ExploredInterrupt, TheSameSeedGivesTheSameTrace) {
  const auto body = [] {
    ScopedWitness witnessed;
    TicksInTwoThreads();
  };
  const Result result = Check(body, {.executions = 300});
  EXPECT_TRUE(result.ok()) << FormatFinding(result.failures[0].finding);
  EXPECT_EQ(Check(body, {.executions = 300}).trace_hash, result.trace_hash);
  EXPECT_EQ(Check(body, {.executions = 300, .jobs = 2}).trace_hash, result.trace_hash);
  EXPECT_NE(Check(body, {.seed = 2, .executions = 300}).trace_hash, result.trace_hash);
}

TEST(ExploredInterrupt, AScheduleWithHandlersReplays) {
  ExploreExecutor executor;
  explore::RandomWalk walk;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    ASSERT_TRUE(executor.Run(TicksInTwoThreads, walk, {.seed = seed}));
    const std::uint64_t hash = executor.trace_hash();
    const std::vector<std::uint32_t> choices(executor.choices().begin(), executor.choices().end());
    explore::RecordedSchedule recorded(choices);
    ASSERT_TRUE(executor.Run(TicksInTwoThreads, recorded, {}));
    EXPECT_FALSE(recorded.diverged());
    EXPECT_EQ(executor.trace_hash(), hash);
  }
}

}  // namespace
}  // namespace locking
