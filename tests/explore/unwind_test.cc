// An execution that is given up leaves nothing behind: what the threads own dies, in an order in
// which nobody touches what is gone. AddressSanitizer sees to the rest.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"

namespace locking {
namespace {

using explore::Check;
using explore::Expect;
using explore::Options;
using explore::Result;

const LockClass kMutex("a mutex", LockKind::kMutex);
const LockClass kRw("a readers-writer lock", LockKind::kMutex);
const LockClass kSpin("a spin lock", LockKind::kSpin);
const LockClass kEvent("an event", LockKind::kResource);

// Counts itself: every execution must end with as many destroyed as made.
using Live = std::atomic<int>;
class Counted {
 public:
  explicit Counted(Live* live) : live_(live) { live_->fetch_add(1, std::memory_order_relaxed); }
  Counted(const Counted& other) : Counted(other.live_) {}
  ~Counted() { live_->fetch_sub(1, std::memory_order_relaxed); }

 private:
  Live* live_;
};

const Options kGoOn{.executions = 300, .keep_going = true};

TEST(Unwind, ThreadsAtEveryKindOfWait) {
  Live live = 0;
  const Result result = Check(
      [&] {
        Mutex mutex(kMutex), held(kMutex);
        RwMutex rw(kRw);
        SpinMutex spin(kSpin);
        SleepQueue queue;
        Counted counted(&live);
        MutexGuard guard(held);
        Thread at_mutex("at mutex", [&] {
          Counted mine(&live);
          MutexGuard mutex_guard(mutex);
          MutexGuard wait(held);
        });
        Thread at_rw("at rw", [&] {
          Counted mine(&live);
          WriteGuard rw_guard(rw);
          MutexGuard wait(held);
        });
        Thread reader("reader", [&] {
          Counted mine(&live);
          ReadGuard rw_guard(rw);
        });
        Thread asleep("asleep", [&, captured = Counted(&live)] {
          auto heap = std::make_unique<std::string>(1000, 'h');
          spin.Lock();
          for (;;) queue.SleepKeep(&queue, spin, {&kEvent}).AndRetry();
        });
        Thread joiner("joiner", [&] {
          Counted mine(&live);
          Thread inner("inner", [&] {
            Counted its_own(&live);
            SpinGuard spin_guard(spin);
            mutex.Lock();
          });
        });
        Expect(false, "this fails always");
      },
      kGoOn);
  EXPECT_EQ(result.failed_executions, 300u);
  EXPECT_EQ(live, 0);
}

TEST(Unwind, EndlessLoopsOfEveryOperation) {
  Live live = 0;
  const Result result = Check(
      [&] {
        Mutex mutex(kMutex);
        Atomic<int> word{0};
        std::vector<Thread> threads;
        threads.emplace_back("locks", [&, mine = Counted(&live)] {
          for (;;) MutexGuard guard(mutex);
        });
        threads.emplace_back("yields", [&, mine = Counted(&live)] {
          for (;;) Yield();
        });
        threads.emplace_back("loads", [&, mine = Counted(&live)] {
          for (;;) word.Load();
        });
        threads.emplace_back("tries", [&, mine = Counted(&live)] {
          for (;;)
            if (mutex.TryLock()) mutex.Unlock();
        });
        threads.emplace_back("spawns", [&, mine = Counted(&live)] {
          for (int i = 0; i < 20; ++i) Thread("child", [captured = Counted(&live)] {});
          Expect(false, "somebody ends it");
        });
      },
      {.executions = 100, .max_steps = 10'000, .keep_going = true});
  EXPECT_EQ(result.failed_executions, 100u);
  EXPECT_EQ(live, 0);
}

// Its destructor waits, as a machine's does that stops its daemons.
class StopsItsDaemon {
 public:
  explicit StopsItsDaemon(Live* live)
      : counted_(live), daemon_("daemon", [this] {
          mutex_.Lock();
          while (!stop_) queue_.SleepKeep(&queue_, mutex_, Idle()).AndRetry();
          ended_ = true;
          queue_.WakeAll(&ended_);
          mutex_.Unlock();
        }) {}
  ~StopsItsDaemon() {
    mutex_.Lock();
    stop_ = true;
    queue_.WakeAll(&queue_);
    while (!ended_ && !unwound_) {
      queue_.SleepKeep(&ended_, mutex_, {&kEvent}).AndRetry();
      if (++waits_ > 10) unwound_ = true;
    }
    mutex_.Unlock();
    daemon_.Join();
  }

 private:
  static Resource Idle() { return {&kEvent, 0, nullptr, "idle", true}; }

  Counted counted_;
  Mutex mutex_{kMutex};
  SleepQueue queue_;
  bool stop_ = false, ended_ = false, unwound_ = false;
  int waits_ = 0;
  Thread daemon_;
};

TEST(Unwind, DestructorsThatLockAndWait) {
  Live live = 0;
  const auto body = [&](bool fails) {
    StopsItsDaemon machine(&live);
    Atomic<int> word{0};
    Thread other("other", [&] { word.Store(1); });
    other.Join();
    Expect(!fails, "this fails if it shall");
  };
  const Result clean = Check([&] { body(false); }, {.executions = 300});
  EXPECT_TRUE(clean.ok()) << FormatFinding(clean.failures.at(0).finding);
  EXPECT_EQ(live, 0);
  const Result failing = Check([&] { body(true); }, kGoOn);
  EXPECT_EQ(failing.failed_executions, 300u);
  EXPECT_EQ(live, 0);
}

TEST(Unwind, AnExceptionOutOfANoexceptFunctionIsAFinding) {
  const Result result = Check(
      [] {
        Atomic<int> word{0};
        Thread other("other", [&] {
          const auto throws = [] { throw 1; };
          [&]() noexcept {
            word.Store(1);
            throws();
          }();
        });
      },
      {.executions = 20, .keep_going = true});
  EXPECT_EQ(result.failed_executions, 20u);
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "EXCEPTION");
  EXPECT_NE(result.failures[0].finding.title.find("noexcept"), std::string::npos);
}

// Every point that a destructor can reach, on the normal path, while another thread fails: nothing
// may throw out of it, and what it undoes must be undone.
class UndoesUnderLock {
 public:
  UndoesUnderLock(Mutex& mutex, Atomic<int>& count, Live* live)
      : mutex_(mutex), count_(count), live_(live) {
    live_->fetch_add(1, std::memory_order_relaxed);
  }
  ~UndoesUnderLock() {
    MutexGuard guard(mutex_);
    count_.FetchSub(1);
    if (count_.Load() > 100) Yield();
    live_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  Mutex& mutex_;
  Atomic<int>& count_;
  Live* live_;
};

TEST(Unwind, FromWithinADestructorOnTheNormalPath) {
  Live live = 0;
  const Result result = Check(
      [&] {
        Mutex mutex(kMutex);
        Atomic<int> count{0};
        const auto work = [&] {
          for (int i = 0; i < 5; ++i) {
            UndoesUnderLock outer(mutex, count, &live);
            const auto inner = std::make_unique<UndoesUnderLock>(mutex, count, &live);
            count.FetchAdd(2);
          }
        };
        Thread a("a", work), b("b", work);
        count.Load();
        Expect(false, "this fails always");
      },
      {.executions = 500, .keep_going = true});
  EXPECT_EQ(result.failed_executions, 500u);
  EXPECT_EQ(live, 0);
}

TEST(Unwind, ThroughHandlersOfOtherExceptions) {
  Live live = 0;
  const Result result = Check(
      [&] {
        Atomic<int> word{0};
        Thread other("other", [&] {
          Counted outer(&live);
          try {
            try {
              Counted inner(&live);
              for (;;) word.Load();
            } catch (const std::runtime_error&) {
              word.Store(1);
            }
          } catch (...) {
            word.Store(2);
            throw;
          }
        });
        Expect(word.Load() != 0, "it fails always");
      },
      {.executions = 100, .keep_going = true});
  EXPECT_EQ(result.failed_executions, 100u);
  EXPECT_EQ(live, 0);
}

TEST(Unwind, ExceptionsStayWithTheirThread) {
  const Result result = Check(
      [] {
        Atomic<int> word{0};
        const auto work = [&] {
          for (int i = 0; i < 3; ++i) {
            try {
              throw std::runtime_error(std::to_string(i));
            } catch (const std::runtime_error& error) {
              word.FetchAdd(1);  // others throw and catch meanwhile
              Expect(error.what() == std::to_string(i), "its own exception");
              try {
                word.FetchAdd(1);
                throw 5;
              } catch (int five) {
                word.FetchAdd(1);
                Expect(five == 5, "its own inner exception");
              }
              Expect(std::uncaught_exceptions() == 0, "nothing unwinds");
            }
          }
        };
        Thread a("a", work), b("b", work), c("c", work);
      },
      {.executions = 300});
  EXPECT_TRUE(result.ok()) << FormatFinding(result.failures.at(0).finding);
}

TEST(Unwind, DaemonsThatIdleAtTheEndAreNoFailure) {
  Live live = 0;
  const Result result = Check(
      [&] {
        // Nobody joins it: its Thread outlives the body, as a process-wide daemon's would.
        static Thread* daemon = nullptr;
        auto mutex = std::make_shared<Mutex>(kMutex);
        auto queue = std::make_shared<SleepQueue>();
        daemon = new Thread("daemon", [mutex, queue, mine = Counted(&live)] {
          mutex->Lock();
          for (;;)
            queue->SleepKeep(queue.get(), *mutex, {&kEvent, 0, nullptr, "idle", true}).AndRetry();
        });
        ::operator delete(daemon);  // without its destructor, which joins
      },
      {.executions = 50});
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.executions, 50u);
  EXPECT_EQ(live, 0);
}

TEST(Unwind, ADaemonThatNobodyStopsIsAFailure) {
  const Result result = Check([] {
    Mutex mutex(kMutex);
    SleepQueue queue;
    Thread daemon("daemon", [&] {
      mutex.Lock();
      queue.SleepDrop(&queue, mutex, {&kEvent, 0, nullptr, "idle", true}).AndRetry();
    });
  });
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "LK10");
  EXPECT_NE(result.failures[0].finding.title.find("daemon"), std::string::npos);
}

TEST(Unwind, ALockOfAnEndedThreadIsAFinding) {
  const Result result = Check(
      [] {
        Mutex mutex(kMutex);
        Thread taker("taker", [&] { mutex.Lock(); });
        taker.Join();
        MutexGuard guard(mutex);
      },
      {.executions = 10, .keep_going = true});
  EXPECT_EQ(result.failed_executions, 10u);
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].finding.id, "LK11");
}

}  // namespace
}  // namespace locking
