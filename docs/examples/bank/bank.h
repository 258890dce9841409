// A bank that is small enough to be read at once, and wrong in a way that no test of its sums
// shows.
//
// Lock order: checking < savings < journal. Each member stands behind the lock that guards it.
#ifndef DOCS_EXAMPLES_BANK_BANK_H_
#define DOCS_EXAMPLES_BANK_BANK_H_

#include "locking/annotations.h"
#include "locking/mutex.h"
#include "locking/spin_mutex.h"

namespace bank {

class Bank {
 public:
  Bank();
  // From checking to savings.
  void Save(int amount);
  // From savings to checking, with the locks in the other order: two threads may wait for each
  // other.
  void SpendInReverse(int amount);
  // The same, mended.
  void Spend(int amount);

 private:
  void Note() LOCKING_REQUIRES(checking_lock_, savings_lock_);

  locking::Mutex checking_lock_;
  int checking_ LOCKING_GUARDED_BY(checking_lock_) = 100;
  locking::Mutex savings_lock_;
  int savings_ LOCKING_GUARDED_BY(savings_lock_) = 100;
  locking::SpinMutex journal_lock_;
  int entries_ LOCKING_GUARDED_BY(journal_lock_) = 0;
};

}  // namespace bank

#endif  // DOCS_EXAMPLES_BANK_BANK_H_
