// Interrupts of native threads: who posts only says so, and the thread runs the handler at its
// points.
#include "locking/interrupt.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "locking/interrupt_timer.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"

namespace locking {
namespace {

const LockClass kTick("tick", LockKind::kInterrupt);
const LockClass kTock("tock", LockKind::kInterrupt);
const LockClass kQueues("queues", LockKind::kSpin);
const LockClass kReaders("readers", LockKind::kSpin);
const LockClass kOpen("open", LockKind::kSpin, LockClassFlags::kInterruptsOn);
const LockClass kOpenReaders("open readers", LockKind::kSpin, LockClassFlags::kInterruptsOn);
const LockClass kObject("object", LockKind::kMutex);
const LockClass kEvent("event", LockKind::kResource);

TEST(Interrupt, RunsOnEachThreadThatTakesItAtItsNextPoint) {
  Mutex object(kObject);
  std::thread::id ran_on;
  int runs = 0;
  Interrupt tick(kTick, [&] {
    ran_on = std::this_thread::get_id();
    EXPECT_TRUE(InInterrupt());
    ++runs;
  });
  tick.Post();  // nobody takes it
  std::atomic<int> turn{0};
  Thread takes("takes", [&] {
    TakesInterrupt takes(tick);
    turn = 1;
    while (turn != 2) std::this_thread::yield();
    EXPECT_EQ(runs, 0) << "no point of the thread has come";
    {
      MutexGuard guard(object);
    }
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(ran_on, std::this_thread::get_id());
    EXPECT_FALSE(InInterrupt());
  });
  while (turn != 1) std::this_thread::yield();
  tick.Post();
  {
    MutexGuard guard(object);
  }
  EXPECT_EQ(runs, 0) << "this thread does not take it";
  turn = 2;
}

TEST(Interrupt, ComesAtEachKindOfPoint) {
  Mutex object(kObject);
  RwMutex readers(kReaders);
  int runs = 0;
  Interrupt tick(kTick, [&] { ++runs; });
  TakesInterrupt takes(tick);
  const auto comes_in = [&](const char* what, auto operation) {
    Thread("posts", [&] { tick.Post(); }).Join();
    const int before = runs;
    operation();
    EXPECT_EQ(runs, before + 1) << what;
  };
  comes_in("a lock", [&] { object.Lock(); });
  comes_in("an unlock", [&] { object.Unlock(); });
  comes_in("a try", [&] {
    if (object.TryLock()) object.Unlock();
  });
  comes_in("a read lock", [&] { ReadGuard guard(readers); });
  comes_in("a yield", [] { Yield(); });
  comes_in("the end of an operation", [] { Operation operation("operation"); });
  comes_in("the end of an InterruptsOff", [] { InterruptsOff off; });
  comes_in("a post of the thread itself, both", [&] {
    tick.Post();
    --runs;
  });
}

TEST(Interrupt, ComesAtTheReleaseOfTheLastSpinLock) {
  SpinMutex queues(kQueues);
  RwMutex readers(kReaders);
  Mutex object(kObject);
  int runs = 0;
  Interrupt tick(kTick, [&] {
    EXPECT_FALSE(queues.HeldByCaller());
    SpinGuard guard(queues);
    WriteGuard writes(readers);
    ++runs;
  });
  TakesInterrupt takes(tick);
  object.Lock();
  queues.Lock();
  readers.LockShared();
  tick.Post();
  readers.UnlockShared();
  EXPECT_EQ(runs, 0);
  queues.Unlock();
  EXPECT_EQ(runs, 1);
  ASSERT_TRUE(readers.TryLock());
  tick.Post();
  EXPECT_EQ(runs, 1);
  readers.Unlock();
  EXPECT_EQ(runs, 2);
  object.Unlock();
}

TEST(Interrupt, ATryThatFailsLeavesInterruptsOn) {
  SpinMutex queues(kQueues);
  std::atomic<int> turn{0};
  Thread holds("holds", [&] {
    SpinGuard guard(queues);
    turn = 1;
    while (turn != 2) std::this_thread::yield();
  });
  while (turn != 1) std::this_thread::yield();
  int runs = 0;
  Interrupt tick(kTick, [&] { ++runs; });
  TakesInterrupt takes(tick);
  EXPECT_FALSE(queues.TryLock());
  tick.Post();
  EXPECT_EQ(runs, 1);
  turn = 2;
}

TEST(Interrupt, SeveralComeOneAfterTheOther) {
  std::string order;
  Interrupt tick(kTick, [&] { order += 'a'; });
  Interrupt tock(kTock, [&] {
    order += 'b';
    tick.Post();  // comes when this one has ended
    order += 'c';
  });
  TakesInterrupt takes_tick(tick), takes_tock(tock);
  tock.Post();
  EXPECT_EQ(order, "bca");
}

TEST(Interrupt, ComesInASleepWhichGoesOn) {
  SpinMutex queues(kQueues);
  SleepQueue queue;
  bool done = false;
  std::atomic<int> ticks{0};
  Interrupt tick(kTick, [&] {
    SpinGuard guard(queues);
    if (++ticks < 3) return;
    done = true;
    queue.WakeAll(&done);
  });
  std::atomic<bool> ready{false};
  Thread sleeper("sleeper", [&] {
    TakesInterrupt takes(tick);
    ready = true;
    SpinGuard guard(queues);
    while (!done) queue.SleepKeep(&done, queues, {.resource_class = &kEvent}).AndRetry();
  });
  while (!ready) std::this_thread::yield();
  for (int i = 1; i <= 3; ++i) {
    tick.Post();
    while (ticks.load() < i) std::this_thread::yield();
  }
  sleeper.Join();
  EXPECT_EQ(ticks.load(), 3);
}

// Many ticks of a timer, which has threads of its own beside it.
TEST(Interrupt, OfATimerNeverComesWhereInterruptsAreOff) {
  constexpr int kTicks = 200;
  SpinMutex queues(kQueues);
  RwMutex readers(kReaders);
  Mutex object(kObject);
  std::uint64_t value = 0;    // under queues
  std::uint64_t written = 0;  // under readers
  std::atomic<int> ticks{0};
  thread_local bool off = false;
  thread_local bool in_handler = false;
  Interrupt tick(kTick, [&] {
    EXPECT_FALSE(off);
    EXPECT_FALSE(in_handler);
    in_handler = true;
    {
      SpinGuard guard(queues);
      ++value;
    }
    {
      ReadGuard guard(readers);
    }
    in_handler = false;
    ++ticks;
  });
  InterruptTimer timer(tick, 20'000);
  const auto work = [&] {
    TakesInterrupt takes(tick);
    while (ticks.load() < kTicks) {
      MutexGuard outer(object);
      {
        SpinGuard guard(queues);
        off = true;
        ++value;
        off = false;
      }
      {
        WriteGuard guard(readers);
        off = true;
        ++written;
        off = false;
      }
      InterruptsOff interrupts_off;
      off = true;
      {
        SpinGuard guard(queues);
      }
      off = false;
    }
  };
  Thread a("a", work), b("b", work);
  a.Join();
  b.Join();
}

TEST(Interrupt, AThreadThatTakesNoneIsNotWatchedForThem) {
  Self();
  const std::uint32_t before = t_word.watch;
  EXPECT_EQ(before & kWatchInterrupts, 0u);
  {
    InterruptsOff off;
  }
  Interrupt tick(kTick, [] {});
  Interrupt tock(kTock, [] {});
  {
    TakesInterrupt takes_tick(tick);
    {
      TakesInterrupt takes_tock(tock);
    }
    EXPECT_NE(t_word.watch & kWatchInterrupts, 0u);
  }
  EXPECT_EQ(t_word.watch, before);
}

using InterruptDeathTest = testing::Test;

TEST(InterruptDeathTest, AHandlerThatWaitsForItsOwnThreadEndsTheRun) {
  SpinMutex open(kOpen);
  Interrupt tick(kTick, [&] { SpinGuard guard(open); });
  TakesInterrupt takes(tick);
  SpinGuard guard(open);
  EXPECT_DEATH(
      tick.Post(),
      "LK06 \\(confirmed\\): the handler of tick waits for open, which the thread that it "
      "interrupts holds(.|\n)*open \\(exclusive\\) at (.|\n)*tick, which interrupted it at ");
}

TEST(InterruptDeathTest, SoDoesAWriterOfALockThatItsThreadReads) {
  RwMutex open(kOpenReaders);
  Interrupt tick(kTick, [&] { WriteGuard guard(open); });
  TakesInterrupt takes(tick);
  ReadGuard guard(open);
  EXPECT_DEATH(tick.Post(), "LK06 \\(confirmed\\): the handler of tick waits for open readers");
}

TEST(InterruptDeathTest, ASleepInAHandlerEndsTheRun) {
  SpinMutex queues(kQueues);
  SleepQueue queue;
  Interrupt tick(kTick, [&] {
    SpinGuard guard(queues);
    queue.SleepKeep(&queue, queues, {.resource_class = &kEvent}).AndRetry();
  });
  TakesInterrupt takes(tick);
  EXPECT_DEATH(tick.Post(), "LK05: the handler of tick sleeps for event");
}

TEST(InterruptDeathTest, AnInterruptThatIsTakenIsNotDestroyed) {
  auto tick = std::make_unique<Interrupt>(kTick, [] {});
  TakesInterrupt takes(*tick);
  EXPECT_DEATH(tick.reset(), "LK01: tick #0 is destroyed while it is held");
}

}  // namespace
}  // namespace locking
