// A circle of waits that an execution shows to be possible is forced by further ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "locking/explore/check.h"
#include "locking/explore/programs.h"
#include "locking/mutex.h"
#include "locking/thread.h"
#include "locking/witness/scoped_witness.h"

namespace locking::explore {
namespace {

Body Witnessed(const std::string& program) {
  return [body = FindProgram(program)->body] {
    ScopedWitness witnessed;
    body();
  };
}

const Failure* CycleOf(const std::vector<Failure>& failures) {
  for (const Failure& failure : failures)
    if (!failure.finding.cycle.empty() && failure.finding.id != "LK09") return &failure;
  return nullptr;
}

class EachInversion : public testing::TestWithParam<const char*> {};

TEST_P(EachInversion, IsConfirmedByADeadlockThatReplays) {
  const Body body = Witnessed(GetParam());
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Result result = Check(body, {.test = GetParam(), .seed = seed, .executions = 20});
    const Failure* cycle = CycleOf(result.failures);
    ASSERT_NE(cycle, nullptr);
    EXPECT_EQ(cycle->finding.tier, "confirmed") << FormatFinding(cycle->finding);
    EXPECT_LE(cycle->directed_executions, 20u);
    EXPECT_TRUE(cycle->reproduced);
    const ReplayResult again = Replay(body, *cycle);
    EXPECT_FALSE(again.diverged) << again.divergence;
    EXPECT_EQ(again.finding.tier, "confirmed");
    EXPECT_EQ(FormatFinding(again.finding), FormatFinding(cycle->finding));
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, EachInversion,
                         testing::Values("abba", "busy_page", "carter", "event_under_lock",
                                         "inversion_apart", "page_daemon_lock", "readers_inversion",
                                         "semaphores"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           return std::string(info.param);
                         });

// By itself a random walk does not bring two threads there that are far apart.
TEST(Directed, FindsWhatARandomWalkDoesNot) {
  const Body body = Witnessed("inversion_apart");
  const Result undirected =
      Check(body, {.executions = 1000, .keep_going = true, .directed_executions = 0});
  ASSERT_NE(CycleOf(undirected.failures), nullptr);
  EXPECT_EQ(CycleOf(undirected.failures)->finding.tier, "provable");
  EXPECT_EQ(undirected.directed_executions, 0u);
  const Result directed = Check(body, {.executions = 1});
  ASSERT_NE(CycleOf(directed.failures), nullptr);
  EXPECT_EQ(CycleOf(directed.failures)->finding.tier, "confirmed");
  EXPECT_LE(directed.directed_executions, 5u);
}

TEST(Directed, ShowsTheDeadlockBesideTheOrder) {
  const Result result = Check(Witnessed("inversion_apart"), {.executions = 1});
  ASSERT_EQ(result.failures.size(), 1u) << "the deadlock is a part of what it confirms";
  const Finding& finding = result.failures[0].finding;
  ASSERT_EQ(finding.threads.size(), 6u) << FormatFinding(finding);
  for (std::size_t i = 4; i < 6; ++i) {
    EXPECT_NE(finding.threads[i].what.find("waits for"), std::string::npos);
    EXPECT_EQ(finding.threads[i].held.size(), 1u);
    EXPECT_FALSE(finding.threads[i].stack.empty());
  }
}

TEST(Directed, ExecutionsContinueTheNumbersOfTheOthers) {
  const Result result =
      Check(Witnessed("inversion_apart"), {.test = "apart", .executions = 7, .keep_going = true});
  EXPECT_EQ(result.executions, 7u);
  EXPECT_EQ(result.failed_executions, 7u);
  const Failure* cycle = CycleOf(result.failures);
  ASSERT_NE(cycle, nullptr);
  EXPECT_EQ(cycle->count, 7u) << "of those that nobody directed";
  EXPECT_EQ(cycle->execution, 7 + result.directed_executions);
  EXPECT_EQ(cycle->strategy, "directed");
}

TEST(Directed, AGateIsNeverPassed) {
  const Result result = Check(Witnessed("inversion_apart_mended"), {.executions = 20});
  EXPECT_TRUE(result.ok());
  ASSERT_EQ(result.listed.size(), 1u);
  EXPECT_EQ(result.listed[0].finding.tier, "gated");
  EXPECT_EQ(result.listed[0].count, 20u);
  EXPECT_EQ(result.listed[0].directed_executions, 100u);
  EXPECT_EQ(result.directed_executions, 100u);
}

TEST(Directed, NobodyIsDrivenIntoWhatWouldNotBlock) {
  const Result readers = Check(Witnessed("readers_inversion_mended"), {.executions = 20});
  EXPECT_TRUE(readers.ok());
  ASSERT_EQ(readers.listed.size(), 1u);
  EXPECT_EQ(readers.listed[0].finding.tier, "no-writer");
  EXPECT_EQ(readers.directed_executions, 0u);
  const Result mended = Check(Witnessed("abba_mended"), {.executions = 20});
  EXPECT_TRUE(mended.ok());
  EXPECT_TRUE(mended.listed.empty());
  EXPECT_EQ(mended.directed_executions, 0u);
}

const LockClass kA("alpha", LockKind::kMutex);
const LockClass kB("beta", LockKind::kMutex);
const LockClass kC("gamma", LockKind::kMutex);

// While the try gets its lock, both hold it: a gate. Where it fails, it is none.
void GateByATry() {
  ScopedWitness witnessed;
  Mutex a(kA), b(kB), c(kC);
  Thread locks("locks", [&] {
    MutexGuard gate(a);
    MutexGuard outer(b);
    MutexGuard inner(c);
  });
  MutexGuard outer(c);
  const bool gated = a.TryLock();
  b.Lock();
  b.Unlock();
  if (gated) a.Unlock();
}

TEST(Directed, AGateThatIsNoneIsPassed) {
  bool seen = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Result result = Check(GateByATry, {.seed = seed, .executions = 1});
    const Failure* cycle = CycleOf(result.failures);
    ASSERT_NE(cycle, nullptr);
    EXPECT_EQ(cycle->finding.tier, "confirmed") << FormatFinding(cycle->finding);
    EXPECT_FALSE(result.ok());
    EXPECT_TRUE(result.listed.empty());
    seen = seen || !result.first_failure_execution.has_value();
  }
  EXPECT_TRUE(seen) << "no execution showed the gate alone";
}

// The same two classes may deadlock elsewhere: that says nothing about the call sites with a gate.
TEST(Directed, ADeadlockAtOtherCallSitesDoesNotPassAGate) {
  const Result result = Check(
      [] {
        ScopedWitness witnessed;
        Mutex a(kA), b(kB), gate(kC);
        const auto nest = [](Mutex& outer, Mutex& inner) {
          MutexGuard outer_guard(outer);
          MutexGuard inner_guard(inner);
        };
        Thread gated("gated", [&] {
          MutexGuard guard(gate);
          MutexGuard outer(a);
          MutexGuard inner(b);
        });
        Thread forward("forward", [&] { nest(a, b); });
        Thread backward("backward", [&] { nest(b, a); });
        MutexGuard guard(gate);
        MutexGuard outer(b);
        MutexGuard inner(a);
      },
      {.executions = 500, .keep_going = true});
  const auto has_tier = [](const std::string& tier) {
    return [tier](const Failure& f) { return f.finding.id == "LK02" && f.finding.tier == tier; };
  };
  EXPECT_TRUE(std::ranges::any_of(result.failures, has_tier("confirmed")));
  EXPECT_TRUE(std::ranges::any_of(result.listed, has_tier("gated")));
}

// What a directed execution meets beside its circle fails the exploration too.
TEST(Directed, OtherFailuresCount) {
  int runs = 0;
  const Body gated = Witnessed("inversion_apart_mended");
  const auto body = [&] {
    Expect(++runs <= 2, "one execution, and once more for its evidence");
    gated();
  };
  const Result result = Check(body, {.executions = 1});
  EXPECT_FALSE(result.ok());
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "CHECK");
  EXPECT_EQ(result.failures[0].execution, 2u);
  EXPECT_EQ(result.failed_executions, 0u);
}

TEST(Directed, SameSeedGivesTheSameTraceWithAnyJobs) {
  const Body body = Witnessed("readers_inversion");
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Result one = Check(body, {.seed = seed, .executions = 50});
    const Result two = Check(body, {.seed = seed, .executions = 50, .jobs = 2});
    EXPECT_EQ(one.trace_hash, two.trace_hash);
    EXPECT_EQ(one.directed_executions, two.directed_executions);
    ASSERT_EQ(one.failures.size(), two.failures.size());
    EXPECT_EQ(one.failures[0].choices, two.failures[0].choices);
  }
}

}  // namespace
}  // namespace locking::explore
