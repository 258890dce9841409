#include "stress/run/safe_point.h"

namespace stress {
namespace {

const locking::LockClass kSafePointLock("stress safe point", locking::LockKind::kMutex);
const locking::LockClass kSafePointResume("stress resume", locking::LockKind::kResource);
const locking::LockClass kSafePointReached("stress workers parked", locking::LockKind::kResource);

locking::Resource Idle(const locking::LockClass& resource_class, const char* message) {
  locking::Resource resource{};
  resource.resource_class = &resource_class;
  resource.message = message;
  resource.may_idle = true;
  return resource;
}

}  // namespace

SafePoint::SafePoint(std::uint32_t workers) : lock_(kSafePointLock), active_(workers) {}

void SafePoint::Park() {
  locking::MutexGuard guard(lock_);
  if (!asked_.Peek()) return;
  ++parked_;
  sleepers_.WakeAll(&parked_);
  while (asked_.Peek())
    sleepers_.SleepKeep(&asked_, lock_, Idle(kSafePointResume, "parked")).AndRetry();
  --parked_;
}

void SafePoint::Leave() {
  locking::MutexGuard guard(lock_);
  --active_;
  sleepers_.WakeAll(&parked_);
}

bool SafePoint::StopAll(std::uint64_t deadline_ns) {
  locking::MutexGuard guard(lock_);
  // Who has not woken up since the last stop is parked for this one too.
  asked_.Store(true, std::memory_order_relaxed);
  while (parked_ < active_) {
    const locking::LookUpAgain woken =
        sleepers_.SleepKeep(&parked_, lock_, Idle(kSafePointReached, "sweep"), deadline_ns);
    if (woken.reason == locking::WakeReason::kTimedOut && parked_ < active_) {
      ResumeLocked();
      return false;
    }
  }
  return true;
}

void SafePoint::ResumeLocked() {
  asked_.Store(false, std::memory_order_relaxed);
  sleepers_.WakeAll(&asked_);
}

void SafePoint::Resume() {
  locking::MutexGuard guard(lock_);
  ResumeLocked();
}

bool SafePoint::WaitForEnd(std::uint64_t deadline_ns) {
  locking::MutexGuard guard(lock_);
  while (active_ > 0) {
    const locking::LookUpAgain woken =
        sleepers_.SleepKeep(&parked_, lock_, Idle(kSafePointReached, "end"), deadline_ns);
    if (woken.reason == locking::WakeReason::kTimedOut && active_ > 0) return false;
  }
  return true;
}

std::uint32_t SafePoint::active() const {
  locking::MutexGuard guard(lock_);
  return active_;
}

}  // namespace stress
