// A recorded failure runs again exactly, from memory and from its file.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/explore/strategies.h"
#include "locking/mutex.h"
#include "locking/sleep_queue.h"
#include "locking/thread.h"

namespace locking {
namespace {

using explore::Check;
using explore::Expect;
using explore::Failure;
using explore::Replay;
using explore::ReplayResult;
using explore::Result;

const LockClass kFirst("first", LockKind::kMutex);
const LockClass kSecond("second", LockKind::kMutex);
const LockClass kEvent("an event", LockKind::kResource);

void LostUpdate() {
  Atomic<int> value{0};
  const auto add = [&] {
    for (int i = 0; i < 3; ++i) value.Store(value.Load() + 1);
  };
  Thread a("a", add), b("b", add);
  a.Join();
  b.Join();
  Expect(value.Load() >= 4, "at most two updates are lost");
}

void Abba() {
  Mutex first(kFirst), second(kSecond);
  Thread a("a", [&] {
    MutexGuard outer(first);
    MutexGuard inner(second);
  });
  Thread b("b", [&] {
    MutexGuard outer(second);
    MutexGuard inner(first);
  });
}

Failure FailureOf(void (*body)(), const char* name) {
  Result result = Check(body, {.test = name, .seed = 11, .executions = 5000});
  EXPECT_EQ(result.failures.size(), 1u);
  return result.failures.empty() ? Failure{} : result.failures[0];
}

TEST(Replay, RunsTheSameScheduleAgain) {
  for (auto* body : {LostUpdate, Abba}) {
    const Failure failure = FailureOf(body, "body");
    for (int i = 0; i < 3; ++i) {
      const ReplayResult again = Replay(body, failure);
      EXPECT_TRUE(again.failed);
      EXPECT_FALSE(again.diverged) << again.divergence;
      EXPECT_EQ(again.trace_hash, failure.trace_hash);
      EXPECT_EQ(again.steps, failure.choices.size());
      EXPECT_EQ(again.finding.signature, failure.finding.signature);
      EXPECT_FALSE(again.finding.threads.empty());
    }
  }
}

TEST(Replay, OfTheExecutionAloneByItsSeed) {
  const Failure failure = FailureOf(LostUpdate, "lost update");
  ExploreExecutor executor;
  const auto strategy = explore::MakeStrategy(failure.strategy, 3);
  EXPECT_FALSE(executor.Run(LostUpdate, *strategy, {.seed = failure.seed}));
  EXPECT_EQ(executor.trace_hash(), failure.trace_hash);
}

TEST(Replay, OfALivelockEndsAtTheSameStep) {
  const auto spin = [] {
    Atomic<int> turn{0};
    Thread other("other", [&] {
      while (turn.Load() != 2) turn.Store(1);
    });
    while (turn.Load() != 2) turn.Store(0);
  };
  const Result result = Check(spin, {.max_steps = 500});
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "LIVELOCK");
  const ReplayResult again = Replay(spin, result.failures[0]);
  EXPECT_TRUE(again.failed);
  EXPECT_FALSE(again.diverged) << again.divergence;
  EXPECT_EQ(again.trace_hash, result.failures[0].trace_hash);
}

TEST(Replay, OfSpinningForTimeIsExact) {
  // Time jumps when all that can run only spin, whoever waits for locks and ends meanwhile.
  const auto body = [] {
    Mutex first(kFirst), second(kSecond);
    SleepQueue queue;
    Atomic<bool> flag{false};
    Thread holder("holder", [&] {
      MutexGuard outer(first);
      while (!flag.Load()) Yield();
    });
    Thread waiter("waiter", [&] { MutexGuard guard(first); });
    Thread sleeper("sleeper", [&] {
      second.Lock();
      queue.SleepDrop(&queue, second, {&kEvent}, Clock::NowNs() + 50'000).AndRetry();
      flag.Store(true);
    });
    holder.Join();
    sleeper.Join();
    Expect(Clock::NowNs() % 700 != 0, "a moment that some schedules hit");
  };
  const Result result = Check(body, {.executions = 300, .keep_going = true});
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_GT(result.failed_executions, 5u);
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Result found = Check(body, {.seed = seed, .executions = 300});
    ASSERT_EQ(found.failures.size(), 1u);
    EXPECT_TRUE(found.failures[0].reproduced) << seed;
  }
}

// Time passes once whoever could run has been asked, and found its lock held: of which the record
// says nothing.
TEST(Replay, OfASleepWhileTheOthersWaitForTheSleepersLock) {
  const auto body = [] {
    Mutex mutex(kFirst), interlock(kSecond);
    SleepQueue queue;
    Thread sleeper("sleeper", [&] {
      MutexGuard guard(mutex);
      interlock.Lock();
      queue.SleepDrop(&queue, interlock, {&kEvent}, Clock::NowNs() + 50'000).AndRetry();
    });
    Thread waiter("waiter", [&] { MutexGuard guard(mutex); });
    sleeper.Join();
    waiter.Join();
    Expect(false, "this always fails");
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Result result = Check(body, {.test = "sleeps", .seed = seed, .executions = 1});
    ASSERT_EQ(result.failures.size(), 1u);
    EXPECT_TRUE(result.failures[0].reproduced);
    const ReplayResult again = Replay(body, result.failures[0]);
    EXPECT_TRUE(again.failed);
    EXPECT_FALSE(again.diverged) << again.divergence;
  }
}

TEST(Replay, SaysThatTheProgramIsAnother) {
  const Failure failure = FailureOf(Abba, "abba");
  const ReplayResult other = Replay(LostUpdate, failure);
  EXPECT_TRUE(other.diverged);
  EXPECT_NE(other.divergence, "");
}

TEST(Replay, NoticesAProgramThatIsNotDeterministic) {
  int calls = 0;
  const auto body = [&calls] {
    Atomic<int> value{0};
    Thread a("a", [&] { value.Store(1); });
    for (int i = 0; i < calls; ++i) value.Load();
    ++calls;  // what is carried from one execution to the next changes the program
    a.Join();
    Expect(calls < 3, "the third execution fails");
  };
  const Result result = Check(body, {.executions = 10});
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_FALSE(result.failures[0].reproduced);
}

TEST(FailureFile, KeepsAllThatAReplayNeeds) {
  Failure failure = FailureOf(Abba, "abba");
  failure.with = {{"pages", "64"}, {"locks", "per-page"}};
  const std::string path = testing::TempDir() + "/failure.replay";
  std::string error;
  ASSERT_TRUE(SaveFailure(failure, path, &error)) << error;
  Failure loaded;
  ASSERT_TRUE(LoadFailure(path, &loaded, &error)) << error;
  EXPECT_EQ(loaded.test, "abba");
  EXPECT_EQ(loaded.strategy, failure.strategy);
  EXPECT_EQ(loaded.seed, failure.seed);
  EXPECT_EQ(loaded.execution, failure.execution);
  EXPECT_EQ(loaded.max_steps, failure.max_steps);
  EXPECT_EQ(loaded.choices, failure.choices);
  EXPECT_EQ(loaded.trace_hash, failure.trace_hash);
  EXPECT_EQ(loaded.finding.signature, failure.finding.signature);
  EXPECT_EQ(loaded.with, failure.with);
  EXPECT_EQ(FormatFailure(loaded), FormatFailure(failure));
  EXPECT_TRUE(Replay(Abba, loaded).failed);
}

TEST(FailureFile, SaysWhatIsWrongWithIt) {
  const std::string good = FormatFailure(FailureOf(Abba, "abba"));
  Failure parsed;
  std::string error;
  EXPECT_TRUE(ParseFailure(good, &parsed, &error)) << error;
  const auto wrong = [&](std::string text, const char* expected) {
    EXPECT_FALSE(ParseFailure(text, &parsed, &error)) << text;
    EXPECT_NE(error.find(expected), std::string::npos) << error;
  };
  wrong("", "empty");
  wrong("vmstress-replay 9\n", "line 1");
  wrong(good.substr(0, good.size() - 4), "'end' is missing");
  wrong(good.substr(0, good.find("choices")) + "end\n", "no choices");
  wrong(good.substr(0, good.find("choices")) + "choices 5\n1x2 2x9\nend\n", "no choice: '2x9'");
  wrong(good.substr(0, good.find("choices")) + "choices 5\n1x2 0\nend\n", "no choice: '0'");
  wrong(good.substr(0, good.find("choices")) + "choices 99999999999\nend\n", "no number");
  wrong("vmstress-replay 1\nseed twelve\n", "'twelve' is no value of seed");
  wrong("vmstress-replay 1\ncolour red\n", "unknown key 'colour'");
  EXPECT_FALSE(LoadFailure("/nowhere/at.all", &parsed, &error));
  EXPECT_NE(error.find("/nowhere/at.all"), std::string::npos);
  EXPECT_FALSE(SaveFailure(parsed, "/nowhere/at.all", &error));
}

}  // namespace
}  // namespace locking
