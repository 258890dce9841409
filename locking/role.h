// Role: a lock by the name under which code takes it. Who plays it is said when it is made: a lock
// of its own, or a Giant, one mutex that plays many roles. So one code base can run with many locks
// or with one.
//
//   locking::Giant giant(kGiantLock);
//   locking::Role<locking::Mutex> pmap(kPmapLock, 1, many_locks ? nullptr : &giant);
//
// A role that is taken by a thread that has the giant mutex already, through another role, is only
// counted; the mutex is released with the last of them. What holds of locks holds of each role
// nevertheless: to take it twice, or to unlock it when it is not held, is LK01, a try of a role
// that is held fails, and a thread that sleeps holds none but the interlock (LK11).
//
// Thread safety: that is their purpose. A Giant must outlive its roles.
#ifndef LOCKING_ROLE_H_
#define LOCKING_ROLE_H_

#include <concepts>
#include <cstdint>

#include "locking/annotations.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/watch.h"

namespace locking {

class Giant {
 public:
  explicit Giant(const LockClass& lock_class) : mutex_(lock_class) {}
  bool HeldByCaller() const { return mutex_.HeldByCaller(); }

 private:
  friend class RwRole;
  friend class SleepQueue;
  template <typename Own>
  friend class Role;

  // One role, as its owner sees it.
  struct Taken {
    const LockBase& named;  // in reports
    const bool recursive;
    std::uint32_t& count;  // guarded by mutex_
  };
  void Enter(const Taken& role, Site site);
  bool TryEnter(const Taken& role, Site site);
  void Leave(const Taken& role, Site site);
  // The role is the interlock of a sleep, and not held from here on; the mutex is.
  Mutex& LeaveToSleep(const Taken& role, Site site);

  Mutex mutex_;
  std::uint32_t roles_ = 0;  // guarded by mutex_: taken, and not released
};

// Own: Mutex, RecursiveMutex or RwMutex.
template <typename Own>
class LOCKING_CAPABILITY("role") Role : protected Own {
 public:
  // `giant`: plays the role; nullptr: a lock of its own does.
  Role(const LockClass& lock_class, std::uint32_t instance, Giant* giant)
      : Own(lock_class, instance), giant_(giant) {}

  void Lock(Site site = Site::current()) LOCKING_ACQUIRE() LOCKING_NO_ANALYSIS {
    if (giant_ != nullptr) [[unlikely]]
      return giant_->Enter(Taken(), site);
    Own::Lock(site);
  }
  bool TryLock(Site site = Site::current()) LOCKING_TRY_ACQUIRE(true) LOCKING_NO_ANALYSIS {
    return giant_ != nullptr ? giant_->TryEnter(Taken(), site) : Own::TryLock(site);
  }
  void Unlock(Site site = Site::current()) LOCKING_RELEASE() LOCKING_NO_ANALYSIS {
    if (giant_ != nullptr) [[unlikely]]
      return giant_->Leave(Taken(), site);
    Own::Unlock(site);
  }
  bool HeldByCaller() const {
    return giant_ != nullptr ? giant_->HeldByCaller() && count_ != 0 : Own::HeldByCaller();
  }
  void AssertHeld(Site site = Site::current()) const LOCKING_ASSERT(this) {
    if (!HeldByCaller()) [[unlikely]]
      watch::NotHeld(Named(), "asserted to be held", site);
  }
  void AssertNotHeld(Site site = Site::current()) const {
    if (HeldByCaller()) [[unlikely]]
      watch::Recursion(Named(), site);
  }

 protected:
  friend class SleepQueue;

  Giant::Taken Taken() { return {Named(), std::same_as<Own, RecursiveMutex>, count_}; }
  const LockBase& Named() const {
    if constexpr (std::derived_from<Own, LockBase>)
      return *this;
    else
      return Own::mutex();
  }

  Giant* const giant_;
  std::uint32_t count_ = 0;  // guarded by the giant mutex
};

// With a Giant, readers exclude one another too.
class LOCKING_CAPABILITY("rw_role") RwRole : public Role<RwMutex> {
 public:
  using Role::Role;

  void LockShared(Site site = Site::current()) LOCKING_ACQUIRE_SHARED() LOCKING_NO_ANALYSIS {
    if (giant_ != nullptr) [[unlikely]]
      return giant_->Enter(Taken(), site);
    RwMutex::LockShared(site);
  }
  void UnlockShared(Site site = Site::current()) LOCKING_RELEASE_SHARED() LOCKING_NO_ANALYSIS {
    if (giant_ != nullptr) [[unlikely]]
      return giant_->Leave(Taken(), site);
    RwMutex::UnlockShared(site);
  }
  void AssertHeldShared(Site site = Site::current()) const
      LOCKING_ASSERT_SHARED(this) LOCKING_NO_ANALYSIS {
    if (giant_ != nullptr) [[unlikely]]
      return AssertHeld(site);
    RwMutex::AssertHeldShared(site);
  }
};

}  // namespace locking

#endif  // LOCKING_ROLE_H_
