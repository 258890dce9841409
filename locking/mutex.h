// Mutex: sleeps when contended, never held across a sleep except as its interlock.
// RecursiveMutex: the same, and its owner may take it again. Both are capabilities for Clang's
// thread-safety analysis; the scoped guards are not movable, because the analysis rejects moved
// ones.
//
// Thread safety: that is their purpose. A lock must outlive its last unlock.
#ifndef LOCKING_MUTEX_H_
#define LOCKING_MUTEX_H_

#include <atomic>
#include <cstdint>

#include "locking/annotations.h"
#include "locking/asymmetric_barrier.h"
#include "locking/exclusive_lock.h"
#include "locking/watch.h"

namespace locking {

// An unlock is plain stores, then a look for whether somebody sleeps; a sleeper says so before its
// heavy barrier, so that the unlock needs none.
class LOCKING_CAPABILITY("mutex") Mutex : public ExclusiveLockBase {
 public:
  // `instance`: the number that reports give this lock ("object #7").
  explicit Mutex(const LockClass& lock_class, std::uint32_t instance = 0)
      : ExclusiveLockBase(lock_class, instance) {}

  // May block. LK01 when the caller holds it already.
  void Lock(Site site = Site::current()) LOCKING_ACQUIRE() {
    if (!TakeUnwatched()) [[unlikely]]
      LockSlow(site);
  }
  // Never blocks; a try adds no order.
  bool TryLock(Site site = Site::current()) LOCKING_TRY_ACQUIRE(true);
  // LK01 when the caller does not hold it.
  void Unlock(Site site = Site::current()) LOCKING_RELEASE() {
    if (t_word.watch != 0 || !OwnedByCaller()) [[unlikely]] {
      UnlockSlow(site);
      return;
    }
    Free();
    LightBarrier();
    if (SomebodySleeps()) [[unlikely]]
      WakeOne();
  }
  bool HeldByCaller() const { return OwnedByCaller(); }
  void AssertHeld(Site site = Site::current()) const LOCKING_ASSERT(this) {
    if (!OwnedByCaller()) [[unlikely]]
      watch::NotHeld(*this, "asserted to be held", site);
  }
  void AssertNotHeld(Site site = Site::current()) const {
    if (OwnedByCaller()) [[unlikely]]
      watch::Recursion(*this, site);
  }

 private:
  struct Steps;

  void LockSlow(Site site);
  void UnlockSlow(Site site);
  void UnlockCold(Site site);
  bool SomebodySleeps() const { return sleepers_.load(std::memory_order_relaxed) % 2 != 0; }
  void Wait(ThreadState& self, Site site);
  void Sleep();
  void WakeOne();

  // Odd while somebody may sleep on it; every wakeup makes it another number.
  std::atomic<std::uint32_t> sleepers_{0};
};

class LOCKING_CAPABILITY("mutex") RecursiveMutex {
 public:
  explicit RecursiveMutex(const LockClass& lock_class, std::uint32_t instance = 0)
      : mutex_(lock_class, instance) {}

  void Lock(Site site = Site::current()) LOCKING_ACQUIRE() LOCKING_NO_ANALYSIS {
    if (mutex_.HeldByCaller()) {
      ++depth_;
      return;
    }
    mutex_.Lock(site);
  }
  bool TryLock(Site site = Site::current()) LOCKING_TRY_ACQUIRE(true) LOCKING_NO_ANALYSIS {
    if (mutex_.HeldByCaller()) {
      ++depth_;
      return true;
    }
    return mutex_.TryLock(site);
  }
  void Unlock(Site site = Site::current()) LOCKING_RELEASE() LOCKING_NO_ANALYSIS {
    if (mutex_.HeldByCaller() && depth_ > 0) {
      --depth_;
      return;
    }
    mutex_.Unlock(site);
  }
  bool HeldByCaller() const { return mutex_.HeldByCaller(); }
  void AssertHeld(Site site = Site::current()) const LOCKING_ASSERT(this) LOCKING_NO_ANALYSIS {
    mutex_.AssertHeld(site);
  }
  // How often the owner took it beyond the first time; the caller holds it.
  std::uint32_t depth() const { return depth_; }
  // What reports name.
  const Mutex& mutex() const { return mutex_; }

 private:
  Mutex mutex_;
  std::uint32_t depth_ = 0;  // guarded by mutex_
};

// Holds any lock with Lock and Unlock for its lifetime.
template <typename Lockable>
class LOCKING_SCOPED_CAPABILITY Guard {
 public:
  explicit Guard(Lockable& lock, Site site = Site::current()) LOCKING_ACQUIRE(lock)
      : lock_(lock), site_(site) {
    lock_.Lock(site);
  }
  ~Guard() LOCKING_RELEASE() { lock_.Unlock(site_); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  Lockable& lock_;
  Site site_;
};

using MutexGuard = Guard<Mutex>;

}  // namespace locking

#endif  // LOCKING_MUTEX_H_
