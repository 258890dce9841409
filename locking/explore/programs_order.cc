#include <vector>

#include "locking/atomic.h"
#include "locking/explore/check.h"
#include "locking/explore/program_bodies.h"
#include "locking/mutex.h"
#include "locking/thread.h"

namespace locking::explore::programs {
namespace {

const LockClass kLockClass("program lock", LockKind::kMutex);
const LockClass kOtherClass("program second lock", LockKind::kMutex);
const LockClass kBufferClass("string buffer", LockKind::kMutex, LockClassFlags::kDuplicateOk);

}  // namespace

// Deposits and withdraws are right; the checker, when it comes last, expects the wrong balance.
void Account() {
  constexpr int kStart = 1, kDeposit = 2, kWithdrawal = 4;
  Mutex mutex(kLockClass);
  Atomic<int> balance{kStart};
  Atomic<bool> deposited{false}, withdrawn{false};
  Thread deposit("deposit", [&] {
    MutexGuard guard(mutex);
    balance.Store(balance.Load() + kDeposit);
    deposited.Store(true);
  });
  Thread withdraw("withdraw", [&] {
    MutexGuard guard(mutex);
    balance.Store(balance.Load() - kWithdrawal);
    withdrawn.Store(true);
  });
  Thread check("check", [&] {
    MutexGuard guard(mutex);
    if (deposited.Load() && withdrawn.Load())
      Expect(balance.Load() == kStart - kDeposit - kWithdrawal, "the wrong balance");
  });
}

// Two transfers between the same accounts; the bug reads one of them before its lock.
void BankTransfer(Bug bug) {
  Mutex mutex(kLockClass);
  Atomic<int> from{10}, to{0};
  const auto transfer = [&] {
    int amount = bug == Bug::kPresent ? from.Load() : 0;
    MutexGuard guard(mutex);
    if (bug == Bug::kMended) amount = from.Load();
    from.Store(amount - 3);
    to.Store(to.Load() + 3);
  };
  Thread a("a", transfer), b("b", transfer);
  a.Join();
  b.Join();
  Expect(from.Load() + to.Load() == 10, "no money is made");
}

// The driver's stop flag is tested before its use is counted.
void Bluetooth() {
  Atomic<int> pending{1};
  Atomic<bool> stopping{false}, stopped{false}, event{false};
  const auto release = [&] {
    if (pending.FetchSub(1) == 1) event.Store(true);
  };
  Thread worker("worker", [&] {
    if (stopping.Load()) return;
    pending.FetchAdd(1);
    Expect(!stopped.Load(), "no work in a driver that has stopped");
    release();
  });
  stopping.Store(true);
  release();
  if (event.Load()) stopped.Store(true);
}

// Nobody says that the third comes before the others are done.
void Lazy() {
  Mutex mutex(kLockClass);
  Atomic<int> sum{0};
  const auto add = [&](int n) {
    MutexGuard guard(mutex);
    sum.Store(sum.Load() + n);
  };
  Thread one("one", [&] { add(1); });
  Thread two("two", [&] { add(2); });
  Thread check("check", [&] {
    MutexGuard guard(mutex);
    Expect(sum.Load() < 3, "checked before the end");
  });
}

void LostUpdate(Bug bug) {
  Atomic<int> value{0};
  const auto add = [&] {
    if (bug == Bug::kPresent)
      value.Store(value.Load() + 1);
    else
      value.FetchAdd(1);
  };
  Thread a("a", add), b("b", add);
  a.Join();
  b.Join();
  Expect(value.Load() == 2, "no update is lost");
}

// Two writes that a checker must see both or not at all; it reads them one after the other.
void Reorder(int setters, int checkers) {
  Atomic<int> a{0}, b{0};
  std::vector<Thread> threads;
  for (int i = 0; i < setters; ++i)
    threads.emplace_back("setter", [&] {
      a.Store(1);
      b.Store(-1);
    });
  for (int i = 0; i < checkers; ++i)
    threads.emplace_back("checker", [&] {
      const bool before = a.Load() == 0 && b.Load() == 0;
      Expect(before || (a.Load() == 1 && b.Load() == -1), "both or none");
    });
}

// append(other) reads the other's length, then its characters: it may shrink in between.
void StringBuffer(Bug bug) {
  Mutex mutex(kBufferClass, 1), other_mutex(kBufferClass, 2);
  Atomic<int> other_length{3};
  Thread append("append", [&] {
    MutexGuard guard(mutex);
    if (bug == Bug::kMended) {
      MutexGuard other_guard(other_mutex);
      const int length = other_length.Load();
      Expect(length <= other_length.Load(), "the characters are there");
      return;
    }
    int length = 0;
    {
      MutexGuard other_guard(other_mutex);
      length = other_length.Load();
    }
    MutexGuard other_guard(other_mutex);
    Expect(length <= other_length.Load(), "the characters are there");
  });
  Thread erase("erase", [&] {
    MutexGuard other_guard(other_mutex);
    other_length.Store(0);
  });
}

// Each copies from its neighbour in one block; the relation holds in one order of blocks alone.
void TokenRing() {
  Mutex mutex(kLockClass);
  Atomic<int> x1{1}, x2{2}, x3{1};
  Atomic<int> done{0};
  Thread first("first", [&] {
    MutexGuard guard(mutex);
    x1.Store((x3.Load() + 1) % 4);
    done.FetchAdd(1);
  });
  Thread second("second", [&] {
    MutexGuard guard(mutex);
    x2.Store(x1.Load());
    done.FetchAdd(1);
  });
  Thread third("third", [&] {
    MutexGuard guard(mutex);
    x3.Store(x2.Load());
    done.FetchAdd(1);
  });
  Thread check("check", [&] {
    MutexGuard guard(mutex);
    if (done.Load() == 3)
      Expect(x1.Load() == x2.Load() && x2.Load() == x3.Load(), "the token went round");
  });
}

// The second stage may be seen before it follows the first.
void TwoStage(int first_stages) {
  Mutex first(kLockClass), second(kOtherClass);
  Atomic<int> d1{0}, d2{0};
  std::vector<Thread> threads;
  for (int i = 0; i < first_stages; ++i)
    threads.emplace_back("writer", [&] {
      {
        MutexGuard guard(first);
        d1.Store(1);
      }
      MutexGuard guard(second);
      d2.Store(d1.Load() + 1);
    });
  threads.emplace_back("reader", [&] {
    int t1 = 0;
    {
      MutexGuard guard(first);
      if (d1.Load() == 0) return;
      t1 = d1.Load();
    }
    MutexGuard guard(second);
    Expect(d2.Load() == t1 + 1, "the second stage follows the first");
  });
}

void WrongLock(int under_one, int under_others) {
  Mutex one(kLockClass), other(kOtherClass);
  Atomic<int> value{0};
  std::vector<Thread> threads;
  for (int i = 0; i < under_one; ++i)
    threads.emplace_back("right", [&] {
      MutexGuard guard(one);
      const int before = value.Load();
      value.Store(before + 1);
      Expect(value.Load() == before + 1, "nobody else writes under this lock");
    });
  for (int i = 0; i < under_others; ++i)
    threads.emplace_back("wrong", [&] {
      MutexGuard guard(other);
      value.FetchAdd(1);
    });
}

}  // namespace locking::explore::programs
