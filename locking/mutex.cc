#include "locking/mutex.h"

#include "locking/executor.h"
#include "locking/futex.h"

namespace locking {

void Mutex::LockSlow(Site site) {
  ThreadState& self = Self();
  if (self.executor != nullptr) {
    self.executor->AtPoint(PointKind::kLock, this, class_, site);
    if (self.executor->abandoned()) return ForceAcquire();
    if (!Watched(kWatchKeepsHeld) && TryAcquire(self)) [[likely]] {
      SetOwner();
      return;
    }
  }
  if (OwnedByCaller()) watch::Recursion(*this, site);
  if (Watched(kWatchWitness))
    watch::BeforeAcquire(self, *this, LockMode::kExclusive, Attempt::kBlocking, site);
  bool contended = false;
  std::uint64_t wait_ns = 0;
  if (!TryAcquire(self)) {
    contended = true;
    const bool timed = Watched(kWatchStatistics);
    const std::uint64_t start = timed ? watch::NowNs(self) : 0;
    WaitContended(self, site);
    if (timed) wait_ns = watch::NowNs(self) - start;
  }
  SetOwner();
  if (Watched(kWatchKeepsHeld))
    watch::AfterAcquire(self, *this, LockMode::kExclusive, Attempt::kBlocking, contended, wait_ns,
                        site);
}

bool Mutex::TryAcquire(const ThreadState& self) {
  if (self.executor != nullptr) {
    // Nobody runs between the two: no need of a locked instruction.
    if (state_.load(std::memory_order_acquire) != kUnlocked) return false;
    state_.store(kLocked, std::memory_order_relaxed);
    return true;
  }
  std::uint32_t unlocked = kUnlocked;
  return state_.compare_exchange_strong(unlocked, kLocked, std::memory_order_acquire,
                                        std::memory_order_relaxed);
}

// The execution unwinds: exclusion no longer matters, only that every unlock finds its lock.
void Mutex::ForceAcquire() {
  state_.store(kLocked, std::memory_order_relaxed);
  SetOwner();
}

void Mutex::WaitContended(ThreadState& self, Site site) {
  if (self.executor == nullptr) {
    for (int pauses = 1; pauses <= kMaxSpinPauses; pauses *= 2) {
      for (int i = 0; i < pauses; ++i) CpuPause();
      std::uint32_t unlocked = kUnlocked;
      if (state_.load(std::memory_order_relaxed) == kUnlocked &&
          state_.compare_exchange_strong(unlocked, kLocked, std::memory_order_acquire,
                                         std::memory_order_relaxed))
        return;
    }
  }
  WaitScope waiting(self, this, class_, instance_, LockMode::kExclusive, &owner_, "lock", site);
  if (self.executor != nullptr) {
    do {
      self.executor->BlockOn(this);
      if (self.executor->abandoned()) return ForceAcquire();
    } while (!TryAcquire(self));
    return;
  }
  while (state_.exchange(kContended, std::memory_order_acquire) != kUnlocked)
    FutexWait(state_, kContended);
}

bool Mutex::TryLock(Site site) {
  ThreadState& self = Self();
  if (t_word.watch != 0) watch::AtPoint(self, PointKind::kTryLock, this, class_, site);
  std::uint32_t unlocked = kUnlocked;
  if (!state_.compare_exchange_strong(unlocked, kLocked, std::memory_order_acquire,
                                      std::memory_order_relaxed))
    return false;
  SetOwner();
  if (t_word.watch != 0)
    watch::AfterAcquire(self, *this, LockMode::kExclusive, Attempt::kTry, false, 0, site);
  return true;
}

void Mutex::UnlockSlow(Site site) {
  ThreadState& self = Self();
  // A point while the lock is still held: others can find it so.
  watch::AtPoint(self, PointKind::kUnlock, this, class_, site);
  if (!OwnedByCaller()) {
    if (self.executor != nullptr && self.executor->abandoned()) return;
    watch::NotHeld(*this, "unlocked", site);
  }
  watch::BeforeRelease(self, *this);
  if (self.executor == nullptr) {
    Release();
    return;
  }
  ClearOwner();
  state_.store(kUnlocked, std::memory_order_release);
  self.executor->WakeAddress(this);
}

void Mutex::WakeOne() { FutexWake(state_, 1); }

}  // namespace locking
