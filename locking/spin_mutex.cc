#include "locking/spin_mutex.h"

#include <sched.h>

#include "locking/futex.h"

namespace locking {

void SpinMutex::LockSlow(Site site) {
  ThreadState& self = Self();
  if (t_word.watch == 0) {
    Spin(self, site);
    AddSpinDepth(1);
    SetOwner();
    return;
  }
  if (self.executor != nullptr) {
    self.executor->AtPoint(PointKind::kLock, this, class_, site);
    if (self.executor->abandoned()) {
      locked_.store(true, std::memory_order_relaxed);
      AddSpinDepth(1);
      SetOwner();
      return;
    }
  }
  if (OwnedByCaller()) watch::Recursion(*this, site);
  watch::BeforeAcquire(self, *this, LockMode::kExclusive, Attempt::kBlocking, site);
  bool contended = false;
  std::uint64_t wait_ns = 0;
  if (locked_.exchange(true, std::memory_order_acquire)) {
    contended = true;
    const bool timed = Watched(kWatchStatistics);
    const std::uint64_t start = timed ? watch::NowNs(self) : 0;
    Spin(self, site);
    if (timed) wait_ns = watch::NowNs(self) - start;
  }
  AddSpinDepth(1);
  SetOwner();
  watch::AfterAcquire(self, *this, LockMode::kExclusive, Attempt::kBlocking, contended, wait_ns,
                      site);
}

// Takes the lock, or finds that the caller's fast path has failed and waits for it.
void SpinMutex::Spin(ThreadState& self, Site site) {
  // The fast path's failed exchange lands here without having checked for recursion.
  if (OwnedByCaller()) watch::Recursion(*this, site);
  WaitScope waiting(self, this, class_, instance_, LockMode::kExclusive, &owner_, "spin", site);
  if (self.executor != nullptr) {
    while (locked_.exchange(true, std::memory_order_acquire) && !self.executor->abandoned())
      self.executor->BlockOn(this);
    return;
  }
  int pauses = 1;
  for (;;) {
    while (locked_.load(std::memory_order_relaxed)) {
      if (pauses > kMaxSpinPauses) {
        sched_yield();  // the holder may have lost its processor
        continue;
      }
      for (int i = 0; i < pauses; ++i) CpuPause();
      pauses *= 2;
    }
    if (!locked_.exchange(true, std::memory_order_acquire)) return;
  }
}

bool SpinMutex::TryLock(Site site) {
  ThreadState& self = Self();
  if (t_word.watch != 0) watch::AtPoint(self, PointKind::kTryLock, this, class_, site);
  if (locked_.exchange(true, std::memory_order_acquire)) return false;
  AddSpinDepth(1);
  SetOwner();
  if (t_word.watch != 0)
    watch::AfterAcquire(self, *this, LockMode::kExclusive, Attempt::kTry, false, 0, site);
  return true;
}

void SpinMutex::UnlockSlow(Site site) {
  ThreadState& self = Self();
  // A point while the lock is still held: others can find it so.
  watch::AtPoint(self, PointKind::kUnlock, this, class_, site);
  if (!OwnedByCaller()) {
    if (self.executor != nullptr && self.executor->abandoned()) return;
    watch::NotHeld(*this, "unlocked", site);
  }
  watch::BeforeRelease(self, *this);
  Release();
  if (self.executor != nullptr) self.executor->WakeAddress(this);
}

}  // namespace locking
