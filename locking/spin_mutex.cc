#include "locking/spin_mutex.h"

#include <sched.h>

#include "locking/executor.h"
#include "locking/futex.h"
#include "locking/slow_path.h"

namespace locking {

struct SpinMutex::Steps {
  SpinMutex& mutex;
  Site site;

  bool TryAcquire(ThreadState& self) { return mutex.TakeBy(self); }
  bool TryTake() { return mutex.TakeUnowned(); }
  void Own(std::uint32_t id) { mutex.SetOwner(id); }
  void Wait(ThreadState& self) { mutex.Wait(self, site); }
  void Force() { mutex.TakeByForce(); }
};

void SpinMutex::LockSlow(Site site) {
  AcquireWatched(*this, LockMode::kExclusive, site, Steps{*this, site});
}

void SpinMutex::Wait(ThreadState& self, Site site) {
  WaitScope waiting(self, this, class_, instance_, LockMode::kExclusive, &owner_, "spin", site);
  if (self.executor == nullptr) return Spin();
  do {
    self.executor->BlockOn(this);
    if (self.executor->abandoned()) return TakeByForce();
  } while (!TakeBy(self));
}

void SpinMutex::Spin() {
  int pauses = 1;
  do {
    while (!LooksFree()) {
      if (pauses > kMaxSpinPauses) {
        sched_yield();  // the holder may have lost its processor
        continue;
      }
      for (int i = 0; i < pauses; ++i) CpuPause();
      pauses *= 2;
    }
  } while (!Take());
}

bool SpinMutex::TryLock(Site site) {
  return TryAcquireWatched(*this, LockMode::kExclusive, site,
                           [this](ThreadState& self) { return TakeBy(self); });
}

void SpinMutex::UnlockSlow(Site site) {
  if (!OwnedByCaller() || !ForgottenAtOnce(*this)) [[unlikely]]
    return UnlockCold(site);
  Free();
}

void SpinMutex::UnlockCold(Site site) {
  ThreadState& self = Self();
  if (!BeforeWatchedRelease(self, *this, site)) return;
  Free();
  if (self.executor != nullptr) self.executor->WakeAddress(this);
  if (Watched(kWatchInterrupts)) interrupts::AfterRelease(self, *this, site);
}

}  // namespace locking
