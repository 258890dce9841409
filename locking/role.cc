#include "locking/role.h"

#include "locking/finding.h"

namespace locking {

// In an execution that unwinds every thread may think that it has the mutex: then the counts mean
// nothing, and whoever does not have it lets it alone.

void Giant::Enter(const Taken& role, Site site) LOCKING_NO_ANALYSIS {
  if (!mutex_.HeldByCaller())
    mutex_.Lock(site);
  else if (role.count != 0 && !role.recursive) [[unlikely]]
    watch::Recursion(role.named, site);
  ++role.count;
  ++roles_;
}

bool Giant::TryEnter(const Taken& role, Site site) LOCKING_NO_ANALYSIS {
  if (!mutex_.HeldByCaller()) {
    if (!mutex_.TryLock(site)) return false;
  } else if (role.count != 0 && !role.recursive) {
    return false;
  }
  ++role.count;
  ++roles_;
  return true;
}

void Giant::Leave(const Taken& role, Site site) LOCKING_NO_ANALYSIS {
  if (!mutex_.HeldByCaller() || role.count == 0) [[unlikely]]
    return watch::NotHeld(role.named, "unlocked", site);
  --role.count;
  if (--roles_ == 0) mutex_.Unlock(site);
}

Mutex& Giant::LeaveToSleep(const Taken& role, Site site) {
  if (!mutex_.HeldByCaller() || role.count == 0) [[unlikely]]
    watch::NotHeld(role.named, "asserted to be held", site);
  if (roles_ != 1) [[unlikely]]
    FailInvariant("LK11", "a thread that sleeps with " + role.named.lock_class().name() +
                              " as interlock holds " + std::to_string(roles_ - 1) +
                              " more roles of " + mutex_.lock_class().name() + ", at " +
                              FormatSite(site));
  role.count = 0;
  roles_ = 0;
  return mutex_;
}

}  // namespace locking
