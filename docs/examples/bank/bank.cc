#include "docs/examples/bank/bank.h"

namespace bank {
namespace {

using locking::LockClass;
using locking::LockKind;

const LockClass kChecking("checking", LockKind::kMutex);
const LockClass kSavings("savings", LockKind::kMutex);
const LockClass kJournal("journal", LockKind::kSpin);

}  // namespace

Bank::Bank() : checking_lock_(kChecking), savings_lock_(kSavings), journal_lock_(kJournal) {}

void Bank::Save(int amount) {
  locking::MutexGuard checking(checking_lock_);
  locking::MutexGuard savings(savings_lock_);
  checking_ -= amount;
  savings_ += amount;
  Note();
}

void Bank::SpendInReverse(int amount) {
  locking::MutexGuard savings(savings_lock_);
  locking::MutexGuard checking(checking_lock_);
  savings_ -= amount;
  checking_ += amount;
  Note();
}

void Bank::Spend(int amount) {
  locking::MutexGuard checking(checking_lock_);
  locking::MutexGuard savings(savings_lock_);
  savings_ -= amount;
  checking_ += amount;
  Note();
}

void Bank::Note() {
  locking::Guard<locking::SpinMutex> journal(journal_lock_);
  ++entries_;
}

}  // namespace bank
