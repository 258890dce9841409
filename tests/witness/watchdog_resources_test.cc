// Circles of waits over what is no lock, as they happen.
#include <gtest/gtest.h>

#include "locking/event.h"
#include "locking/mutex.h"
#include "locking/resource.h"
#include "locking/semaphore.h"
#include "locking/sleep_queue.h"
#include "tests/witness/hanging_run.h"
#include "tests/witness/recording_sink.h"

namespace locking {
namespace {

const LockClass kMap("map", LockKind::kSleepable);
const LockClass kObject("object", LockKind::kMutex);
const LockClass kUnits("units", LockKind::kResource);
const LockClass kOtherUnits("other units", LockKind::kResource);
const LockClass kReady("ready", LockKind::kResource);
const LockClass kBusy("page busy", LockKind::kResource);

const auto kReported = ::testing::ExitedWithCode(42);

class WatchdogResourcesDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(WatchdogResourcesDeathTest, AJoinUnderALock) {
  EXPECT_EXIT(
      {
        Mutex map(kMap);
        Meeting meeting(2);
        HangingRun run;
        Thread joined("joined", [&] {
          meeting.Arrive();
          map.Lock();
        });
        run.Run([&] {
          map.Lock();
          meeting.Arrive();
          joined.Join();
        });
      },
      kReported, "LK09 .confirmed.: deadlock: .*thread 1 waits for thread join");
}

// A condition whose signaller needs the lock that is kept over the sleep.
TEST_F(WatchdogResourcesDeathTest, AConditionUnderAnotherLock) {
  EXPECT_EXIT(
      {
        Mutex map(kMap);
        Mutex object(kObject);
        SleepQueue queue;
        Meeting meeting(2);
        HangingRun().Run(
            [&] {
              map.Lock();
              meeting.Arrive();
              object.Lock();
              queue.SleepDrop(&queue, object, {.resource_class = &kReady}).AndRetry();
            },
            [&] {
              Signaller signaller(kReady, &queue);
              meeting.Arrive();
              map.Lock();
              queue.WakeAll(&queue);
            });
      },
      kReported, "LK09 .*thread 1 waits for ready");
}

TEST_F(WatchdogResourcesDeathTest, AnEventUnderALock) {
  EXPECT_EXIT(
      {
        Mutex map(kMap);
        Event ready(kReady, 3);
        Meeting meeting(2);
        HangingRun().Run(
            [&] {
              map.Lock();
              meeting.Arrive();
              ready.Wait();
            },
            [&] {
              ready.Promise();
              meeting.Arrive();
              map.Lock();
              ready.Set();
            });
      },
      kReported, "LK09 .*thread 1 waits for ready #3");
}

TEST_F(WatchdogResourcesDeathTest, SemaphoresInOppositeOrder) {
  EXPECT_EXIT(
      {
        Semaphore a(kUnits, 1);
        Semaphore b(kOtherUnits, 1);
        Meeting meeting(2);
        const auto take = [&](Semaphore& first, Semaphore& second) {
          first.Acquire();
          meeting.Arrive();
          second.Acquire();
        };
        HangingRun().Run([&] { take(a, b); }, [&] { take(b, a); });
      },
      kReported, "LK09 .*thread 1 waits for other units");
}

TEST_F(WatchdogResourcesDeathTest, ASemaphoreTakenAgain) {
  EXPECT_EXIT(
      {
        Semaphore units(kUnits, 1);
        HangingRun().Run([&] {
          units.Acquire();
          units.Acquire();
        });
      },
      kReported, "LK09 .*thread 1 waits for units; then thread 1 again");
}

TEST_F(WatchdogResourcesDeathTest, ASemaphoreWhoseUnitsAllWait) {
  EXPECT_EXIT(
      {
        Semaphore units(kUnits, 2);
        Mutex map(kMap);
        Meeting meeting(3);
        const auto hold = [&] {
          units.Acquire();
          meeting.Arrive();
          map.Lock();
        };
        HangingRun().Run(hold, hold, [&] {
          map.Lock();
          meeting.Arrive();
          units.Acquire();
        });
      },
      kReported, "LK09 .*thread 3 waits for units");
}

// A page that two threads share, of whom one wants what its waiter has.
TEST_F(WatchdogResourcesDeathTest, ASharerOfABusyPage) {
  EXPECT_EXIT(
      {
        Mutex map(kMap);
        Mutex object(kObject);
        SleepQueue queue;
        std::atomic<bool> never{false};
        Meeting meeting(3);
        const auto share = [&] {
          HoldResource(&queue, kBusy, 12, LockMode::kShared);
          meeting.Arrive();
        };
        HangingRun().Run(
            [&] {
              share();
              while (!never) std::this_thread::yield();
            },
            [&] {
              share();
              map.Lock();
            },
            [&] {
              map.Lock();
              meeting.Arrive();
              object.Lock();
              queue.SleepDrop(&queue, object, Resource(&kBusy, 12)).AndRetry();
            });
      },
      kReported, "LK09 .*thread 3 waits for page busy #12");
}

// From here on one is left who can end the wait.
class WatchdogResources : public ::testing::Test {
 protected:
  WatchdogResources() {
    context_.sink = &sink_;
    context_.witness = &witness_;
    context_.id = NextRunId();
    former_ = SetRunContext(context_);
  }
  ~WatchdogResources() override { SetRunContext(former_); }

  // `stuck` needs `map` after all have met, `waiter` has it; `last` waits until the watchdog has
  // looked often.
  template <typename Stuck, typename Waiter, typename Last>
  void Run(Stuck stuck, Waiter waiter, Last last) {
    Watchdog watchdog({context_.id, &sink_, kShortPeriodNs, kStallNs});
    Meeting meeting(3);
    std::vector<Thread> threads;
    threads.emplace_back("stuck", [&] { stuck(meeting); });
    threads.emplace_back("waiter", [&] { waiter(meeting); });
    threads.emplace_back("last", [&] {
      last(meeting, [&] {
        const std::uint64_t looks = watchdog.scans() + 10;
        while (watchdog.scans() < looks) std::this_thread::yield();
      });
    });
  }

  RecordingSink sink_;
  LockOrderWitness witness_;
  RunContext context_;
  RunContext former_;
  Mutex map_{kMap};
};

TEST_F(WatchdogResources, AUnitOfASemaphoreIsLeft) {
  Semaphore units(kUnits, 2);
  Run(
      [&](Meeting& meeting) {
        units.Acquire();
        meeting.Arrive();
        MutexGuard guard(map_);
        units.Release();
      },
      [&](Meeting& meeting) {
        MutexGuard guard(map_);
        meeting.Arrive();
        units.Acquire();
        units.Release();
      },
      [&](Meeting& meeting, auto look) {
        units.Acquire();
        meeting.Arrive();
        look();
        units.Release();
      });
  EXPECT_EQ(sink_.Summary(), "LK08/other-signaller");
}

TEST_F(WatchdogResources, ASignallerIsLeft) {
  Mutex object(kObject);
  SleepQueue queue;
  bool ready = false;
  const auto signal = [&] {
    MutexGuard guard(object);
    ready = true;
    queue.WakeAll(&queue);
  };
  Run(
      [&](Meeting& meeting) {
        Signaller signaller(kReady, &queue);
        meeting.Arrive();
        MutexGuard guard(map_);
        signal();
      },
      [&](Meeting& meeting) {
        MutexGuard guard(map_);
        meeting.Arrive();
        MutexGuard interlock(object);
        while (!ready) queue.SleepKeep(&queue, object, {.resource_class = &kReady}).AndRetry();
      },
      [&](Meeting& meeting, auto look) {
        Signaller signaller(kReady, &queue);
        meeting.Arrive();
        look();
        signal();
      });
  EXPECT_EQ(sink_.Summary(), "LK08/other-signaller");
}

}  // namespace
}  // namespace locking
