// Check: what it finds, and that the same seed always runs the same schedules.
#include "locking/explore/check.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "locking/atomic.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"
#include "locking/witness/lock_order_witness.h"

namespace locking {
namespace {

using explore::Check;
using explore::ExecutionSeed;
using explore::Expect;
using explore::Failure;
using explore::Options;
using explore::Replay;
using explore::Result;

const LockClass kFirst("first", LockKind::kMutex);
const LockClass kSecond("second", LockKind::kMutex);
const LockClass kReadersWriter("readers-writer", LockKind::kMutex);
const LockClass kSpin("spinning", LockKind::kSpin);
const LockClass kItem("item", LockKind::kResource);

void LostUpdate() {
  Atomic<int> value{0};
  const auto add = [&] { value.Store(value.Load() + 1); };
  Thread a("a", add), b("b", add);
  a.Join();
  b.Join();
  Expect(value.Load() == 2, "no update is lost");
}

void CountUnderMutex() {
  Mutex mutex(kFirst);
  int value = 0;
  const auto add = [&] {
    for (int i = 0; i < 3; ++i) {
      MutexGuard guard(mutex);
      ++value;
    }
  };
  Thread a("a", add), b("b", add);
  a.Join();
  b.Join();
  Expect(value == 6, "a mutex excludes");
}

void Abba() {
  Mutex first(kFirst, 1), second(kSecond, 2);
  Thread a("forward", [&] {
    MutexGuard outer(first);
    MutexGuard inner(second);
  });
  Thread b("backward", [&] {
    MutexGuard outer(second);
    MutexGuard inner(first);
  });
}

void LostWakeup() {
  Mutex mutex(kFirst);
  SleepQueue queue;
  bool ready = false;
  Thread waiter("waiter", [&] {
    bool seen;
    {
      MutexGuard guard(mutex);
      seen = ready;
    }
    if (seen) return;
    mutex.Lock();  // the test and the sleep are not under one interlock
    queue.SleepDrop(&ready, mutex, {&kItem, 0, nullptr, "item"}).AndRetry();
  });
  {
    MutexGuard guard(mutex);
    ready = true;
  }
  queue.WakeOne(&ready);
}

TEST(Check, SeedsHaveNoExecutionInCommon) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::uint64_t execution = 0; execution < 100; ++execution)
      seeds.insert(ExecutionSeed(seed, execution));
  EXPECT_EQ(seeds.size(), 1000u);
}

TEST(Check, SameSeedGivesTheSameTrace) {
  const Options options{.seed = 7, .executions = 200};
  const Result first = Check(CountUnderMutex, options);
  const Result again = Check(CountUnderMutex, options);
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(first.executions, 200u);
  EXPECT_GT(first.scheduling_points, 200u * 12);
  EXPECT_EQ(first.trace_hash, again.trace_hash);
  EXPECT_EQ(first.scheduling_points, again.scheduling_points);
  const Result other = Check(CountUnderMutex, {.seed = 8, .executions = 200});
  EXPECT_NE(first.trace_hash, other.trace_hash);
}

TEST(Check, SeveralJobsGiveTheResultOfOne) {
  const Result one = Check(CountUnderMutex, {.seed = 3, .executions = 5000});
  const Result three = Check(CountUnderMutex, {.seed = 3, .executions = 5000, .jobs = 3});
  EXPECT_EQ(one.trace_hash, three.trace_hash);
  EXPECT_EQ(one.scheduling_points, three.scheduling_points);
  const Result failing = Check(LostUpdate, {.seed = 3, .executions = 5000});
  const Result failing_three = Check(LostUpdate, {.seed = 3, .executions = 5000, .jobs = 3});
  EXPECT_EQ(failing.trace_hash, failing_three.trace_hash);
  EXPECT_EQ(failing.first_failure_execution, failing_three.first_failure_execution);
}

TEST(Check, FindsALostUpdate) {
  const Result result = Check(LostUpdate);
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "CHECK");
  EXPECT_TRUE(result.failures[0].reproduced);
  EXPECT_EQ(result.first_failure_execution, result.executions);
  EXPECT_FALSE(result.failures[0].finding.threads.empty());
}

TEST(Check, FindsADeadlockWithItsEvidence) {
  const Result result = Check(Abba);
  ASSERT_EQ(result.failures.size(), 1u);
  const Finding& finding = result.failures[0].finding;
  EXPECT_EQ(finding.id, "LK09");
  EXPECT_EQ(finding.tier, "confirmed");
  EXPECT_TRUE(result.failures[0].reproduced);
  ASSERT_GE(finding.threads.size(), 3u);  // main waits for the end of one of them
  for (int i = 0; i < 2; ++i) {
    const ThreadEvidence& thread = finding.threads[i];
    EXPECT_TRUE(thread.thread == "forward" || thread.thread == "backward");
    ASSERT_EQ(thread.held.size(), 1u) << FormatFinding(finding);
    EXPECT_NE(thread.held[0].find("check_test.cc"), std::string::npos);
    EXPECT_NE(thread.what.find("waits for"), std::string::npos);
    std::string stack;
    for (const std::string& frame : thread.stack) stack += frame + "\n";
    EXPECT_NE(stack.find("locking::Mutex"), std::string::npos) << stack;
    EXPECT_NE(stack.find("RunBody"), std::string::npos) << stack;
  }
}

TEST(Check, FindsALostWakeup) {
  const Result result = Check(LostWakeup);
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "LK10");
  EXPECT_NE(result.failures[0].finding.title.find("waiter"), std::string::npos);
}

TEST(Check, GoesOnAfterAFailure) {
  const Result result = Check(Abba, {.executions = 500, .keep_going = true});
  EXPECT_EQ(result.executions, 500u);
  EXPECT_GT(result.failed_executions, 1u);
  EXPECT_LT(result.failed_executions, 500u);
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].count, result.failed_executions);
}

TEST(Check, ReportsALivelock) {
  const Result result = Check(
      [] {
        Atomic<bool> stop{false};
        Thread spinner("spinner", [&] {
          while (!stop.Load()) Yield();
        });
      },
      {.max_steps = 2000});
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "LIVELOCK");
  EXPECT_TRUE(result.failures[0].reproduced);
}

TEST(Check, SpinLoopsThatYieldLetOthersRun) {
  const Result result = Check(
      [] {
        Atomic<bool> stop{false};
        Thread spinner("spinner", [&] {
          while (!stop.Load()) Yield();
        });
        stop.Store(true);
      },
      {.max_steps = 100});
  EXPECT_TRUE(result.ok());
}

TEST(Check, ReportsExceptions) {
  const Result result = Check([] {
    auto owned = std::make_unique<int>(1);
    Thread thrower("thrower", [&] { throw std::runtime_error("no such page"); });
    thrower.Join();
  });
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "EXCEPTION");
  EXPECT_NE(result.failures[0].finding.title.find("std::runtime_error: no such page"),
            std::string::npos)
      << result.failures[0].finding.title;
}

TEST(Check, TakesWhatAWitnessReportsForAFailure) {
  // The second thread begins when the first is done, by what the witness does not see: no schedule
  // blocks, the order is wrong.
  LockOrderWitness witness;
  RunContext run;
  run.witness = &witness;
  const Result result = Check(
      [] {
        Mutex first(kFirst), second(kSecond);
        Atomic<bool> done{false};
        Thread forward("forward", [&] {
          {
            MutexGuard outer(first);
            MutexGuard inner(second);
          }
          done.Store(true);
        });
        Thread backward("backward", [&] {
          while (!done.Load()) Yield();
          MutexGuard outer(second);
          MutexGuard inner(first);
        });
      },
      {.executions = 50, .run = run});
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "LK02");
  EXPECT_TRUE(result.failures[0].reproduced);
  EXPECT_EQ(result.first_failure_execution, 1u);
}

TEST(Check, OneExecutionGivesAllItsFindings) {
  const auto body = [] {
    for (const char* id : {"FIRST", "SECOND", "FIRST"}) {
      Finding finding;
      finding.id = id;
      ReportFinding(std::move(finding));
    }
    Expect(false, "the end");
  };
  const Result result = Check(body, {.executions = 5, .keep_going = true});
  EXPECT_EQ(result.failed_executions, 5u);
  EXPECT_EQ(result.first_failure_execution, 1u);
  ASSERT_EQ(result.failures.size(), 3u);
  for (const Failure& failure : result.failures) {
    EXPECT_EQ(failure.execution, 1u);
    EXPECT_EQ(failure.count, 5u) << failure.finding.id;
    EXPECT_TRUE(failure.reproduced);
    EXPECT_EQ(Replay(body, failure).finding.id, failure.finding.id);
  }
  EXPECT_EQ(result.failures[0].finding.id, "FIRST");
  EXPECT_EQ(result.failures[1].finding.id, "SECOND");
  EXPECT_EQ(result.failures[2].finding.id, "CHECK");
}

TEST(Check, RunsAThousandThreads) {
  const Result result = Check(
      [] {
        Atomic<int> ended{0};
        std::vector<Thread> threads;
        for (int i = 0; i < 1000; ++i)
          threads.emplace_back("one of many", [&] { ended.FetchAdd(1); });
        for (Thread& thread : threads) thread.Join();
        Expect(ended.Load() == 1000, "all ran");
      },
      {.executions = 3});
  EXPECT_TRUE(result.ok()) << FormatFinding(result.failures.at(0).finding);
}

}  // namespace
}  // namespace locking
