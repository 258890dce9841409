// Under ThreadSanitizer the switch between fibres is no synchronisation: a data race in an explored
// schedule is reported, becomes a finding, and what a lock orders is no race. The process ends
// without the exit code that ThreadSanitizer gives to a process with reports.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sanitizer_report.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

namespace locking {
namespace {

using explore::Check;
using explore::Result;

const LockClass kMutex("a mutex", LockKind::kMutex);
const LockClass kSpin("a spin lock", LockKind::kSpin);
const LockClass kRw("a readers-writer lock", LockKind::kMutex);
const LockClass kEvent("an event", LockKind::kResource);

TEST(Race, OfAnUnsynchronisedCounterIsReported) {
  const auto body = [] {
    int counter = 0;
    Atomic<int> word{0};
    const auto count = [&] {
      word.Load(std::memory_order_relaxed);
      ++counter;
    };
    Thread a("a", count), b("b", count);
  };
  const Result result = Check(body, {.executions = 50});
  if (!UNDER_TSAN) {
    EXPECT_TRUE(result.ok());
    GTEST_SKIP() << "only ThreadSanitizer sees races";
  }
  ASSERT_EQ(result.failures.size(), 1u);
  const Finding& finding = result.failures[0].finding;
  EXPECT_EQ(finding.id, "RACE");
  EXPECT_TRUE(result.failures[0].reproduced);
  ASSERT_EQ(finding.threads.size(), 2u);
  for (const ThreadEvidence& thread : finding.threads) {
    EXPECT_NE(thread.what.find("write"), std::string::npos);
    ASSERT_FALSE(thread.stack.empty());
    EXPECT_NE(thread.stack[0].find("race_test.cc"), std::string::npos) << thread.stack[0];
  }
  EXPECT_GE(SanitizerReportCount(), 1u);
  const explore::ReplayResult again = explore::Replay(body, result.failures[0]);
  EXPECT_FALSE(again.diverged) << again.divergence;
  EXPECT_EQ(again.trace_hash, result.failures[0].trace_hash);
}

template <typename Lock>
void CountUnder(const LockClass& lock_class) {
  Lock lock(lock_class);
  int counter = 0;
  const auto count = [&] {
    for (int i = 0; i < 3; ++i) {
      Guard<Lock> guard(lock);
      ++counter;
    }
  };
  Thread a("a", count), b("b", count);
  a.Join();
  b.Join();
  explore::Expect(counter == 6, "all are counted");
}

TEST(Race, NoneBehindALock) {
  EXPECT_TRUE(Check([] { CountUnder<Mutex>(kMutex); }, {.executions = 200}).ok());
  EXPECT_TRUE(Check([] { CountUnder<SpinMutex>(kSpin); }, {.executions = 200}).ok());
  EXPECT_TRUE(Check([] { CountUnder<RwMutex>(kRw); }, {.executions = 200}).ok());
}

TEST(Race, NoneAcrossSpawnJoinAndWakeup) {
  const Result result = Check(
      [] {
        int value = 1;
        Mutex mutex(kMutex);
        SleepQueue queue;
        bool ready = false;
        int message = 0;
        Thread child("child", [&] {
          ++value;
          Thread grandchild("grandchild", [&] { ++value; });
          grandchild.Join();
          ++value;
          mutex.Lock();
          while (!ready) queue.SleepKeep(&ready, mutex, {&kEvent}).AndRetry();
          mutex.Unlock();
          ++message;
        });
        message = 41;
        mutex.Lock();
        ready = true;
        queue.WakeAll(&ready);
        mutex.Unlock();
        child.Join();
        ++value;
        explore::Expect(value == 5 && message == 42, "all is seen");
      },
      {.executions = 200});
  EXPECT_TRUE(result.ok()) << FormatFinding(result.failures.at(0).finding);
}

TEST(Race, NoneInReferenceCounts) {
  const Result result = Check(
      [] {
        const auto shared = std::make_shared<int>(1);
        Atomic<int> word{0};
        const auto copy = [shared, &word] {
          const std::shared_ptr<int> mine = shared;
          word.FetchAdd(*mine, std::memory_order_relaxed);
        };
        Thread a("a", copy), b("b", copy);
      },
      {.executions = 100});
  EXPECT_TRUE(result.ok()) << FormatFinding(result.failures.at(0).finding);
}

TEST(Race, NoEdgeFromTheSwitchHidesOne) {
  // The write happens in one schedule long before the read, with many switches in between.
  const Result result = Check(
      [] {
        // On lines of their own: TSan remembers the last four accesses to eight bytes.
        alignas(64) int plain = 0;
        alignas(64) Atomic<int> word{0};
        Thread writer("writer", [&] {
          plain = 1;
          for (int i = 0; i < 5; ++i) word.Load(std::memory_order_relaxed);
        });
        Thread reader("reader", [&] {
          for (int i = 0; i < 5; ++i) word.Load(std::memory_order_relaxed);
          if (plain == 7) word.Store(1);
        });
      },
      {.executions = 1});
  if (!UNDER_TSAN) GTEST_SKIP() << "only ThreadSanitizer sees races";
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "RACE");
}

}  // namespace
}  // namespace locking

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  std::fflush(nullptr);
  syscall(SYS_exit_group, result);  // _exit would let the runtime count its reports
}
