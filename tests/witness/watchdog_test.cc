// Threads that really hang, under the watchdog: each ends in a report with every thread's stack.
// The sink ends the process, as that of a run does, so each stands in a death test.
#include "locking/witness/watchdog.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"
#include "tests/witness/hanging_run.h"
#include "tests/witness/recording_sink.h"

namespace locking {
namespace {

const LockClass kA("alpha", LockKind::kMutex);
const LockClass kB("beta", LockKind::kMutex);
const LockClass kC("gamma", LockKind::kMutex);
const LockClass kRw("map", LockKind::kSleepable);
const LockClass kSpin("queues", LockKind::kSpin);
const LockClass kBusy("page busy", LockKind::kResource);
const LockClass kEvent("event", LockKind::kResource);

const auto kReported = ::testing::ExitedWithCode(42);

class WatchdogDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

template <typename First, typename Second>
void TakeBoth(First& first, Meeting& meeting, Second& second) {
  first.Lock();
  meeting.Arrive();
  second.Lock();
  std::abort();  // not reached; and so the call above leaves its frame on the stack
}

TEST_F(WatchdogDeathTest, TwoThreadsInOppositeOrder) {
  const auto body = [] {
    Mutex a(kA, 1), b(kB, 2);
    Meeting meeting(2);
    HangingRun().Run([&] { TakeBoth(a, meeting, b); }, [&] { TakeBoth(b, meeting, a); });
  };
  EXPECT_EXIT(
      body(), kReported,
      "LK09 .confirmed.: deadlock: thread 1 waits for beta #2; thread 2 waits for alpha #1");
  EXPECT_EXIT(body(), kReported, "holds alpha #1 .exclusive. at .*watchdog_test.cc");
  EXPECT_EXIT(body(), kReported, "TakeBoth(.|\n)*TakeBoth");
}

TEST_F(WatchdogDeathTest, ThreeThreadsInARing) {
  EXPECT_EXIT(
      {
        Mutex a(kA);
        Mutex b(kB);
        Mutex c(kC);
        Meeting meeting(3);
        HangingRun().Run([&] { TakeBoth(a, meeting, b); }, [&] { TakeBoth(b, meeting, c); },
                         [&] { TakeBoth(c, meeting, a); });
      },
      kReported, "LK09 .*beta; .*gamma; .*alpha; then");
}

TEST_F(WatchdogDeathTest, SpinLocks) {
  EXPECT_EXIT(
      {
        SpinMutex a(kSpin, 1);
        SpinMutex b(kSpin, 2);
        Meeting meeting(2);
        HangingRun().Run([&] { TakeBoth(a, meeting, b); }, [&] { TakeBoth(b, meeting, a); });
      },
      kReported, "LK09 .*queues #2; .*queues #1");
}

TEST_F(WatchdogDeathTest, ReaderAndMutex) {
  EXPECT_EXIT(
      {
        RwMutex map(kRw);
        Mutex a(kA);
        Meeting meeting(2);
        HangingRun().Run(
            [&] {
              map.LockShared();
              meeting.Arrive();
              a.Lock();
            },
            [&] { TakeBoth(a, meeting, map); });
      },
      kReported, "LK09 .*alpha; .*map");
}

// Who upgrades waits for the other readers.
TEST_F(WatchdogDeathTest, UpgraderAndReader) {
  EXPECT_EXIT(
      {
        RwMutex map(kRw);
        Mutex a(kA);
        Meeting meeting(2);
        HangingRun().Run(
            [&] {
              a.Lock();
              map.LockShared();
              meeting.Arrive();
              (void)map.Upgrade();
            },
            [&] {
              map.LockShared();
              meeting.Arrive();
              a.Lock();
            });
      },
      kReported, "LK09 .*map; .*alpha|LK09 .*alpha; .*map");
}

// A reader that reads again behind a waiting writer.
TEST_F(WatchdogDeathTest, WriterBetweenTwoReads) {
  EXPECT_EXIT(
      {
        RwMutex map(kRw);
        std::atomic<const ThreadState*> writer{nullptr};
        Meeting meeting(2);
        HangingRun().Run(
            [&] {
              map.LockShared();
              meeting.Arrive();
              while (writer.load() == nullptr || writer.load()->waiting.sequence.load() % 2 == 0)
                std::this_thread::yield();
              map.LockShared();
            },
            [&] {
              meeting.Arrive();
              writer = &Self();
              map.Lock();
            });
      },
      kReported, "LK09 .*thread 1 waits for map; thread 2 waits for map");
}

// One thread holds the page busy and wants the lock, the other holds the lock and waits for the
// page.
TEST_F(WatchdogDeathTest, BusyPageAgainstLock) {
  EXPECT_EXIT(
      {
        Mutex object(kA);
        RwMutex map(kRw);
        std::atomic<std::uint32_t> busy_holder{kNobody};
        SleepQueue queue;
        Meeting meeting(2);
        HangingRun().Run(
            [&] {
              busy_holder = Self().id;
              meeting.Arrive();
              map.Lock();
            },
            [&] {
              map.Lock();
              meeting.Arrive();
              object.Lock();
              queue
                  .SleepKeep(&busy_holder, object,
                             {.resource_class = &kBusy,
                              .instance = 12,
                              .holder = &busy_holder,
                              .message = "vmopar"})
                  .AndRetry();
            });
      },
      kReported, "LK09 .*thread 1 waits for map; thread 2 waits for page busy #12");
}

void SleepForEvent(SleepQueue& queue, Mutex& mutex, bool may_idle) {
  mutex.Lock();
  for (;;)
    queue.SleepKeep(&queue, mutex, {.resource_class = &kEvent, .may_idle = may_idle}).AndRetry();
}

TEST_F(WatchdogDeathTest, LostWakeup) {
  EXPECT_EXIT(
      {
        Mutex mutex(kA);
        Mutex other(kB);
        SleepQueue queue;
        HangingRun().Run([&] { SleepForEvent(queue, mutex, false); },
                         [&] { SleepForEvent(queue, other, true); });
      },
      kReported, "LK10: lost wakeup(.|\n)*thread 1: waits for event(.|\n)*SleepForEvent");
}

TEST_F(WatchdogDeathTest, NoOperationEnds) {
  EXPECT_EXIT(
      {
        std::atomic<bool> never{false};
        HangingRun(10 * kShortPeriodNs).Run([&] {
          Operation operation("spinning");
          while (!never) std::this_thread::yield();
        });
      },
      kReported, "HANG: no operation ended for [0-9]* ms(.|\n)*thread 1: runs in spinning");
}

// The same without a watchdog, for threads that stand still.
TEST(FindDeadlock, NamesTheCircleAndNobodyElse) {
  ThreadState a(1, "a"), b(2, "b"), c(3, "c");
  const std::atomic<std::uint32_t> held_by[] = {2, 3, 2};
  ThreadState* const threads[] = {&a, &b, &c};
  for (int i = 0; i < 3; ++i) {
    threads[i]->waiting.holder = &held_by[i];
    threads[i]->waiting.target = &held_by[i];
    threads[i]->waiting.target_class = &kA;
    threads[i]->waiting.settled = true;
    threads[i]->waiting.sequence = 1;
  }
  EXPECT_EQ(FindDeadlock(threads), (std::vector<ThreadState*>{&b, &c}));
  EXPECT_EQ(DeadlockFinding(FindDeadlock(threads)).title,
            "deadlock: b waits for alpha; c waits for alpha; then b again");
  c.waiting.sequence = 2;
  EXPECT_TRUE(FindDeadlock(threads).empty());
}

// It holds the lock shared and wants it again: only the writer in between makes it wait.
TEST(FindDeadlock, AReaderWaitsForTheWriterBeforeIt) {
  const LockClass fair("fair", LockKind::kSleepable);
  ThreadState reader(1, "reader"), writer(2, "writer");
  const std::atomic<std::uint32_t> readers = kMany;
  ThreadState* const threads[] = {&reader, &writer};
  reader.held.Push(&readers, fair, 0, LockMode::kShared, Attempt::kBlocking, Site::current());
  reader.waiting.mode = LockMode::kShared;
  for (ThreadState* thread : threads) {
    thread->waiting.holder = &readers;
    thread->waiting.target = &readers;
    thread->waiting.target_class = &fair;
    thread->waiting.settled = true;
    thread->waiting.sequence = 1;
  }
  EXPECT_EQ(FindDeadlock(threads), (std::vector<ThreadState*>{&reader, &writer}));
  writer.waiting.mode = LockMode::kShared;
  EXPECT_TRUE(FindDeadlock(threads).empty());
}

// Says what it got before it ends the watchdog's thread, and the test with it.
class LoudSink : public RecordingSink {
 public:
  [[noreturn]] void ReportFatal(Finding finding) override {
    std::fputs(FormatFinding(finding).c_str(), stderr);
    RecordingSink::ReportFatal(std::move(finding));
  }
};

// From here on nothing hangs, and the watchdog has nothing to say.
class WatchdogTest : public ::testing::Test {
 protected:
  void Watch(std::uint64_t looks, std::uint64_t stall_ns) {
    Watchdog watchdog({context_.id, &sink_, kShortPeriodNs, stall_ns});
    while (watchdog.scans() < looks) std::this_thread::yield();
  }
  void SetUp() override {
    context_.sink = &sink_;
    context_.id = NextRunId();
    former_ = SetRunContext(context_);
  }
  void TearDown() override { SetRunContext(former_); }

  LoudSink sink_;
  RunContext context_;
  RunContext former_;
};

TEST_F(WatchdogTest, IdleDaemonsAreNoHang) {
  Mutex mutex(kA);
  SleepQueue queue;
  bool stop = false;
  Thread daemon("daemon", [&] {
    Operation operation("daemon");
    mutex.Lock();
    while (!stop)
      queue.SleepKeep(&queue, mutex, {.resource_class = &kEvent, .may_idle = true}).AndRetry();
    mutex.Unlock();
  });
  SetRunContext(former_);  // the test itself has no part in the run
  Watch(10, 3 * kShortPeriodNs);
  mutex.Lock();
  stop = true;
  queue.WakeAll(&queue);
  mutex.Unlock();
  daemon.Join();
  EXPECT_EQ(sink_.Summary(), "");
}

TEST_F(WatchdogTest, SleepersWithADeadlineWakeByThemselves) {
  Mutex mutex(kA);
  SleepQueue queue;
  std::atomic<bool> stop{false};
  Thread sleeper("sleeper", [&] {
    MutexGuard guard(mutex);
    while (!stop)
      queue
          .SleepKeep(&queue, mutex, {.resource_class = &kEvent},
                     Clock::NowNs() + 5 * kShortPeriodNs)
          .AndRetry();
  });
  SetRunContext(former_);
  Watch(20, kStallNs);
  stop = true;
  sleeper.Join();
  EXPECT_EQ(sink_.Summary(), "");
}

// A circle of waits, one of which ends by itself.
TEST_F(WatchdogTest, ADeadlineBreaksTheCircle) {
  Mutex map(kA), object(kB);
  SleepQueue queue;
  std::atomic<std::uint32_t> busy_holder{kNobody};
  Meeting meeting(2);
  Thread holder("holder of the page", [&] {
    busy_holder = Self().id;
    meeting.Arrive();
    map.Lock();
    map.Unlock();
  });
  Thread waiter("waiter for the page", [&] {
    map.Lock();
    meeting.Arrive();
    object.Lock();
    queue
        .SleepKeep(&busy_holder, object, {.resource_class = &kBusy, .holder = &busy_holder},
                   Clock::NowNs() + 10 * kShortPeriodNs)
        .AndRetry();
    object.Unlock();
    map.Unlock();
  });
  Watch(8, kStallNs);
  holder.Join();
  waiter.Join();
  EXPECT_EQ(sink_.Summary(), "");
}

// Two threads of which one always sleeps: a look that sees them at different moments sees both.
TEST_F(WatchdogTest, TakingTurnsIsNoLostWakeup) {
  Mutex mutex(kA);
  SleepQueue queue;
  bool stop = false;
  int turn = 0;
  std::vector<Thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back("player", [&, t] {
      mutex.Lock();
      while (!stop) {
        if (turn % 2 == t) {
          ++turn;
          queue.WakeAll(&turn);
        } else {
          queue.SleepKeep(&turn, mutex, {.resource_class = &kEvent}).AndRetry();
        }
      }
      queue.WakeAll(&turn);
      mutex.Unlock();
    });
  SetRunContext(former_);
  {
    Watchdog watchdog({context_.id, &sink_, 1000, kStallNs});
    while (watchdog.scans() < 5000) std::this_thread::yield();
  }
  mutex.Lock();
  stop = true;
  mutex.Unlock();
  threads.clear();
  EXPECT_EQ(sink_.Summary(), "");
}

TEST_F(WatchdogTest, SlowProgressIsNoHang) {
  Watchdog watchdog({context_.id, &sink_, kShortPeriodNs, 50 * kShortPeriodNs});
  std::atomic<bool> stop{false};
  std::vector<Thread> threads;
  threads.emplace_back("slow", [&] {
    while (!stop) {
      Operation operation("slow");
      const std::uint64_t looks = watchdog.scans() + 3;
      while (!stop && watchdog.scans() < looks) std::this_thread::yield();
    }
  });
  threads.emplace_back("stuck for long", [&] {
    Operation operation("long");
    while (!stop) std::this_thread::yield();
  });
  while (watchdog.scans() < 120) std::this_thread::yield();
  stop = true;
  threads.clear();
  EXPECT_EQ(sink_.Summary(), "");
}

TEST_F(WatchdogTest, ContentionIsNoDeadlock) {
  Mutex a(kA), b(kB);
  std::atomic<bool> stop{false};
  std::vector<Thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back("contender", [&] {
      while (!stop) {
        Operation operation("contend");
        MutexGuard outer(a);
        MutexGuard inner(b);
      }
    });
  Watch(30, kStallNs);
  stop = true;
  threads.clear();
  EXPECT_EQ(sink_.Summary(), "");
}

TEST_F(WatchdogTest, OtherRunsAreNotItsBusiness) {
  Mutex mutex(kA);
  SleepQueue queue;
  bool stop = false;
  RunContext other = context_;
  other.id = NextRunId();
  SetRunContext(other);
  Thread sleeper("sleeper", [&] {
    Operation operation("sleep");
    mutex.Lock();
    while (!stop) queue.SleepKeep(&queue, mutex, {.resource_class = &kEvent}).AndRetry();
    mutex.Unlock();
  });
  Watch(10, 3 * kShortPeriodNs);
  mutex.Lock();
  stop = true;
  queue.WakeAll(&queue);
  mutex.Unlock();
  sleeper.Join();
  EXPECT_EQ(sink_.Summary(), "");
}

TEST_F(WatchdogTest, StopsAtOnce) {
  Watchdog watchdog({context_.id, &sink_, 3'600'000'000'000, kStallNs});
  watchdog.Stop();
  EXPECT_EQ(watchdog.scans(), 0u);
}

}  // namespace
}  // namespace locking
