// SpinMutex: a short leaf lock. The simulated interrupts are off while it is held, and nothing may
// sleep under it except with it as the interlock. A waiter whose holder was preempted gives its
// processor away instead of burning it.
#ifndef LOCKING_SPIN_MUTEX_H_
#define LOCKING_SPIN_MUTEX_H_

#include <atomic>

#include "locking/annotations.h"
#include "locking/exclusive_lock.h"
#include "locking/mutex.h"
#include "locking/watch.h"

namespace locking {

class LOCKING_CAPABILITY("mutex") SpinMutex : public ExclusiveLockBase {
 public:
  explicit SpinMutex(const LockClass& lock_class, std::uint32_t instance = 0)
      : ExclusiveLockBase(lock_class, instance) {}

  void Lock(Site site = Site::current()) LOCKING_ACQUIRE() {
    if (!TakeUnwatched()) [[unlikely]]
      LockSlow(site);
  }
  bool TryLock(Site site = Site::current()) LOCKING_TRY_ACQUIRE(true);
  void Unlock(Site site = Site::current()) LOCKING_RELEASE() {
    if (t_word.watch != 0 || !OwnedByCaller()) [[unlikely]] {
      UnlockSlow(site);
      return;
    }
    Free();
  }
  bool HeldByCaller() const { return OwnedByCaller(); }
  void AssertHeld(Site site = Site::current()) const LOCKING_ASSERT(this) {
    if (!OwnedByCaller()) [[unlikely]]
      watch::NotHeld(*this, "asserted to be held", site);
  }

 private:
  struct Steps;

  void LockSlow(Site site);
  void UnlockSlow(Site site);
  void UnlockCold(Site site);
  void Wait(ThreadState& self, Site site);
  void Spin();
};

using SpinGuard = Guard<SpinMutex>;

}  // namespace locking

#endif  // LOCKING_SPIN_MUTEX_H_
