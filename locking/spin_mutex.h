// SpinMutex: a short leaf lock. The simulated interrupts are off while it is held, and nothing may
// sleep under it except with it as the interlock. A waiter whose holder was preempted gives its
// processor away instead of burning it.
#ifndef LOCKING_SPIN_MUTEX_H_
#define LOCKING_SPIN_MUTEX_H_

#include <atomic>

#include "locking/annotations.h"
#include "locking/mutex.h"
#include "locking/watch.h"

namespace locking {

class LOCKING_CAPABILITY("mutex") SpinMutex : public LockBase {
 public:
  explicit SpinMutex(const LockClass& lock_class, std::uint32_t instance = 0)
      : LockBase(lock_class, instance) {}
  ~SpinMutex() {
    const bool held = owner_.load(std::memory_order_relaxed) != kNobody;
    if (held || Watched(kWatchWitness)) [[unlikely]]
      watch::Destroyed(*this, held ? watch::Usage::kInUse : watch::Usage::kFree);
  }

  void Lock(Site site = Site::current()) LOCKING_ACQUIRE() {
    if (t_word.watch != 0 || locked_.exchange(true, std::memory_order_acquire)) [[unlikely]] {
      LockSlow(site);
      return;
    }
    AddSpinDepth(1);
    SetOwner();
  }
  bool TryLock(Site site = Site::current()) LOCKING_TRY_ACQUIRE(true);
  void Unlock(Site site = Site::current()) LOCKING_RELEASE() {
    if (t_word.watch != 0 || !OwnedByCaller()) [[unlikely]] {
      UnlockSlow(site);
      return;
    }
    Release();
  }
  bool HeldByCaller() const { return OwnedByCaller(); }
  void AssertHeld(Site site = Site::current()) const LOCKING_ASSERT(this) {
    if (!OwnedByCaller()) [[unlikely]]
      watch::NotHeld(*this, "asserted to be held", site);
  }

 private:
  void LockSlow(Site site);
  void UnlockSlow(Site site);
  void Spin(ThreadState& self, Site site);
  void Release() {
    ClearOwner();
    AddSpinDepth(-1u);
    locked_.store(false, std::memory_order_release);
  }

  std::atomic<bool> locked_{false};
};

using SpinGuard = Guard<SpinMutex>;

}  // namespace locking

#endif  // LOCKING_SPIN_MUTEX_H_
