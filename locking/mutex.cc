#include "locking/mutex.h"

#include "locking/executor.h"
#include "locking/futex.h"
#include "locking/slow_path.h"

namespace locking {

struct Mutex::Steps {
  Mutex& mutex;
  Site site;

  bool TryAcquire(ThreadState& self) { return mutex.TakeBy(self); }
  bool TryTake() { return mutex.TakeUnowned(); }
  void Own(std::uint32_t id) { mutex.SetOwner(id); }
  void Wait(ThreadState& self) { mutex.Wait(self, site); }
  void Force() { mutex.TakeByForce(); }
};

void Mutex::LockSlow(Site site) {
  AcquireWatched(*this, LockMode::kExclusive, site, Steps{*this, site});
}

void Mutex::Wait(ThreadState& self, Site site) {
  if (self.executor == nullptr) {
    for (int pauses = 1; pauses <= kMaxSpinPauses; pauses *= 2) {
      for (int i = 0; i < pauses; ++i) CpuPause();
      if (LooksFree() && Take()) return;
    }
  }
  WaitScope waiting(self, this, class_, instance_, LockMode::kExclusive, &owner_, "lock", site);
  if (self.executor == nullptr) return Sleep();
  do {
    self.executor->BlockOn(this);
    if (self.executor->abandoned()) return TakeByForce();
  } while (!TakeBy(self));
}

// The lock is looked at after the heavy barrier: an unlock that did not see the odd number had
// stored its owner before. Whoever was woken leaves the number odd, for there may be others.
void Mutex::Sleep() {
  for (;;) {
    std::uint32_t number = sleepers_.load(std::memory_order_relaxed);
    if (number % 2 == 0 && !sleepers_.compare_exchange_weak(number, number + 1)) continue;
    HeavyBarrier();
    if (Take()) return;
    FutexWait(sleepers_, number | 1);
  }
}

void Mutex::WakeOne() {
  std::uint32_t number = sleepers_.load(std::memory_order_relaxed);
  if (number % 2 != 0 && sleepers_.compare_exchange_strong(number, number + 1))
    FutexWake(sleepers_, 1);
}

bool Mutex::TryLock(Site site) {
  return TryAcquireWatched(*this, LockMode::kExclusive, site,
                           [this](ThreadState& self) { return TakeBy(self); });
}

void Mutex::UnlockSlow(Site site) {
  if (!OwnedByCaller() || !ForgottenAtOnce(*this)) [[unlikely]]
    return UnlockCold(site);
  Free();
  LightBarrier();
  if (SomebodySleeps()) [[unlikely]]
    WakeOne();
}

void Mutex::UnlockCold(Site site) {
  ThreadState& self = Self();
  if (!BeforeWatchedRelease(self, *this, site)) return;
  Free();
  if (self.executor != nullptr) {
    self.executor->WakeAddress(this);
  } else {
    if (Watched(kWatchFullBarriers)) std::atomic_thread_fence(std::memory_order_seq_cst);
    LightBarrier();
    if (SomebodySleeps()) WakeOne();
  }
  if (Watched(kWatchInterrupts)) interrupts::AfterRelease(self, *this, site);
}

}  // namespace locking
