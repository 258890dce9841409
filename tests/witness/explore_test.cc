// The witness in explored executions: it sees in one schedule what another one would block on, and
// orders nothing for ThreadSanitizer.
#include <gtest/gtest.h>

#include "locking/explore/check.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/thread.h"
#include "locking/witness/scoped_witness.h"

namespace locking {
namespace {

using explore::Check;
using explore::Result;

const LockClass kA("alpha", LockKind::kMutex);
const LockClass kB("beta", LockKind::kMutex);
const LockClass kC("gamma", LockKind::kMutex);
const LockClass kMap("map", LockKind::kSleepable);
const LockClass kEvent("event", LockKind::kResource);

void Nest(Mutex& outer, Mutex& inner) {
  MutexGuard a(outer);
  MutexGuard b(inner);
}

TEST(WitnessedExploration, SchedulesThatDoNotBlockShowTheReversalToo) {
  const Result result = Check(
      [] {
        Mutex a(kA), b(kB);
        ScopedWitness witnessed;
        Thread first("first", [&] { Nest(a, b); });
        Thread second("second", [&] { Nest(b, a); });
      },
      {.executions = 50, .keep_going = true});
  // In every schedule: one that blocks is a deadlock and confirms it, any other completes both
  // orders.
  EXPECT_EQ(result.failed_executions, 50u);
  std::uint64_t reversals = 0, deadlocks = 0;
  for (const explore::Failure& failure : result.failures) {
    if (failure.finding.id == "LK02") reversals += failure.count;
    if (failure.finding.id == "LK09") deadlocks += failure.count;
  }
  EXPECT_EQ(reversals, 50u) << "who never gets the lock has asked for it";
  EXPECT_GT(deadlocks, 0u);
  EXPECT_LT(deadlocks, 50u);
}

TEST(WitnessedExploration, ListedTiersFailNothing) {
  const Result result = Check(
      [] {
        Mutex a(kA), b(kB);
        ScopedWitness witnessed;
        Nest(a, b);
        Nest(b, a);
      },
      {.executions = 5});
  EXPECT_TRUE(result.ok());
}

TEST(WitnessedExploration, WhatUnwindsReportsNothing) {
  const Result result = Check(
      [] {
        Mutex a(kA);
        ScopedWitness witnessed;
        Thread holder("holder", [&] {
          Operation operation("holding");
          a.Lock();
          explore::Expect(false, "this ends the execution");
        });
      },
      {.executions = 1});
  ASSERT_EQ(result.failures.size(), 1u) << FormatFinding(result.failures[1].finding);
  EXPECT_EQ(result.failures[0].finding.id, "CHECK");
}

TEST(WitnessedExploration, CleanProgramsStayCleanAndReplayable) {
  const auto body = [] {
    Mutex a(kA), b(kB), c(kC);
    RwMutex map(kMap);
    SleepQueue queue;
    int ready = 0;
    ScopedWitness witnessed;
    const auto work = [&] {
      for (int i = 0; i < 3; ++i) {
        ReadGuard outer(map);
        Nest(a, b);
        MutexGuard guard(c);
        ++ready;
        queue.WakeAll(&ready);
      }
    };
    Thread first("first", work), second("second", work);
    WriteGuard outer(map);
    while (ready == 0) {
      c.Lock();
      if (ready == 0) {
        map.Unlock();
        queue.SleepKeep(&ready, c, {.resource_class = &kEvent}).AndRetry();
        c.Unlock();
        map.Lock();
        continue;
      }
      c.Unlock();
    }
  };
  const Result result = Check(body, {.executions = 200});
  EXPECT_TRUE(result.ok()) << (result.failures.empty() ? result.error
                                                       : FormatFinding(result.failures[0].finding));
  EXPECT_EQ(Check(body, {.executions = 200}).trace_hash, result.trace_hash);
  EXPECT_EQ(Check(body, {.executions = 200, .jobs = 2}).trace_hash, result.trace_hash);
}

// One witness for executions that run side by side, whose threads have the same ids.
TEST(WitnessedExploration, ExecutionsMayShareAWitness) {
  LockOrderWitness witness;
  explore::Options options;
  options.executions = 300;
  options.jobs = 2;
  options.run.witness = &witness;
  const Result result = Check(
      [] {
        Mutex a(kA), b(kB);
        const auto work = [&] { Nest(a, b); };
        Thread first("first", work), second("second", work);
      },
      options);
  EXPECT_TRUE(result.ok());
  const OrderSnapshot snapshot = witness.Snapshot(LockOrderWitness::Stacks::kNone);
  ASSERT_EQ(snapshot.edges.size(), 1u);
  EXPECT_EQ(snapshot.edges[0].count, 600u);
}

}  // namespace
}  // namespace locking
