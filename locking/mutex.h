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
#include "locking/watch.h"

namespace locking {

class LOCKING_CAPABILITY("mutex") Mutex : public LockBase {
 public:
  // `instance`: the number that reports give this lock ("object #7").
  explicit Mutex(const LockClass& lock_class, std::uint32_t instance = 0)
      : LockBase(lock_class, instance) {}
  ~Mutex() {
    const bool held = owner_.load(std::memory_order_relaxed) != kNobody;
    if (held || Watched(kWatchWitness)) [[unlikely]]
      watch::Destroyed(*this, held ? watch::Usage::kInUse : watch::Usage::kFree);
  }

  // May block. LK01 when the caller holds it already.
  void Lock(Site site = Site::current()) LOCKING_ACQUIRE() {
    std::uint32_t unlocked = kUnlocked;
    if (t_word.watch != 0 ||
        !state_.compare_exchange_weak(unlocked, kLocked, std::memory_order_acquire,
                                      std::memory_order_relaxed)) [[unlikely]] {
      LockSlow(site);
      return;
    }
    SetOwner();
  }
  // Never blocks; a try adds no order.
  bool TryLock(Site site = Site::current()) LOCKING_TRY_ACQUIRE(true);
  // LK01 when the caller does not hold it.
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
  void AssertNotHeld(Site site = Site::current()) const {
    if (OwnedByCaller()) [[unlikely]]
      watch::Recursion(*this, site);
  }

 private:
  static constexpr std::uint32_t kUnlocked = 0;
  static constexpr std::uint32_t kLocked = 1;
  static constexpr std::uint32_t kContended = 2;  // somebody may sleep on state_

  void LockSlow(Site site);
  void UnlockSlow(Site site);
  bool TryAcquire(const ThreadState& self);
  void ForceAcquire();
  void WaitContended(ThreadState& self, Site site);
  void WakeOne();
  void Release() {
    ClearOwner();
    if (state_.exchange(kUnlocked, std::memory_order_release) == kContended) [[unlikely]]
      WakeOne();
  }

  std::atomic<std::uint32_t> state_{kUnlocked};
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
