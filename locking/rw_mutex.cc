#include "locking/rw_mutex.h"

#include "locking/executor.h"
#include "locking/futex.h"
#include "locking/slow_path.h"

namespace locking {

// Waiters sleep on two words: readers on state_, writers and the upgrader on writer_wakeups_. Who
// releases the lock last clears the waiting bits and wakes one writer if there is one, else all
// readers; whoever is woken competes again and sets its bit again when it loses. While there is an
// upgrader no writer can come before it: the last of the other readers wakes all who sleep with it.

struct RwMutex::ExclusiveSteps {
  RwMutex& mutex;
  Site site;

  bool TryAcquire(ThreadState&) { return mutex.TryAcquireExclusive(); }
  bool TryTake() { return mutex.TakeUnused(); }
  void Own(std::uint32_t id) { mutex.SetOwner(id); }
  void Wait(ThreadState& self) { mutex.WaitExclusive(self, site); }
  void Force() {
    mutex.state_.store(kWriter, std::memory_order_relaxed);
    mutex.SetOwner(t_word.id);
  }
};

struct RwMutex::SharedSteps {
  RwMutex& mutex;
  Site site;

  bool TryAcquire(ThreadState&) { return mutex.TryAcquireShared(); }
  bool TryTake() { return mutex.TryEnterShared(); }
  void Own(std::uint32_t) {}
  void Wait(ThreadState& self) { mutex.WaitShared(self, site); }
  void Force() { mutex.state_.fetch_add(1, std::memory_order_relaxed); }
};

bool RwMutex::ReadersMayEnter(std::uint32_t state) const {
  if ((state & kWriter) != 0) return false;
  if (class_->Has(LockClassFlags::kRecursiveRead)) return true;
  return (state & (kWaiting | kUpgrader)) == 0;
}

void RwMutex::TakeReaderBack() {
  const std::uint32_t former = state_.fetch_sub(1, std::memory_order_relaxed);
  const bool alone = (former & (kReaders | kWriter)) == 1;
  if ((alone && (former & kNotForReaders) != 0) || LastBeforeWriter(former)) WakeWaiters();
}

// ---- The bias: see reader_slots.h ----

// The caller reads, so nobody writes.
void RwMutex::BecomeBiased() {
  ThreadState& self = Self();
  if (self.executor != nullptr || self.reader_slots == nullptr || !AsymmetricBarriers() ||
      class_->Has(LockClassFlags::kRecursiveRead))
    return;
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while ((state & kNotForReaders) == 0) {
    if (state_.compare_exchange_weak(state, state | kBiased, std::memory_order_release,
                                     std::memory_order_relaxed))
      return;
  }
}

// The caller has set kWriter. False: somebody reads by a slot.
bool RwMutex::TryTakeBias() {
  HeavyBarrier();
  if (ReaderSlots::AnyHolds(this)) return false;
  state_.fetch_and(~kBiased, std::memory_order_relaxed);
  return true;
}

// The same, and waits for those who do: each of them that leaves sees kWriter.
void RwMutex::WaitForSlots() {
  if ((state_.load(std::memory_order_relaxed) & kBiased) == 0) return;
  for (;;) {
    const std::uint32_t wakeups = writer_wakeups_.load(std::memory_order_acquire);
    if (TryTakeBias()) return;
    FutexWait(writer_wakeups_, wakeups);
  }
}

void RwMutex::WakeSleepingWriter() {
  writer_wakeups_.fetch_add(1, std::memory_order_release);
  FutexWakeAll(writer_wakeups_);
}

// By a slot: of the count nobody knows whose it is.
bool RwMutex::ReadByCaller() const {
  const ReaderSlots* slots = Self().reader_slots;
  return slots != nullptr && slots->Holds(this);
}

bool RwMutex::SomebodyReads() const {
  return (state_.load(std::memory_order_relaxed) & kReaders) != 0 || ReadByCaller();
}

// For a caller that reads. False: somebody writes as soon as the caller lets go.
bool RwMutex::CountInsteadOfSlot() {
  if (!ReadByCaller()) return true;
  const std::uint32_t former = state_.fetch_add(1, std::memory_order_relaxed);
  if ((former & kWriter) != 0) {
    TakeReaderBack();
    return false;
  }
  return LeaveSlot();
}

bool RwMutex::TryAcquireShared() {
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while (ReadersMayEnter(state)) {
    if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                     std::memory_order_relaxed))
      return true;
  }
  return false;
}

bool RwMutex::TryAcquireExclusive() {
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while ((state & (kReaders | kWriter)) == 0) {
    if ((state & kBiased) != 0 && ReaderSlots::AnyHolds(this)) return false;
    if (!state_.compare_exchange_weak(state, state | kWriter, std::memory_order_acquire,
                                      std::memory_order_relaxed))
      continue;
    if ((state & kBiased) != 0 && !TryTakeBias()) {
      const std::uint32_t former = state_.fetch_and(~kWriter, std::memory_order_release);
      if ((former & kWaiting) != 0) WakeWaiters();
      return false;
    }
    SetOwner(t_word.id);
    return true;
  }
  return false;
}

// The caller is the upgrader. Others may still read by slots.
bool RwMutex::TryUpgrade() {
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while ((state & kReaders) == 1) {
    if (!state_.compare_exchange_weak(state, (state & ~(kReaders | kUpgrader)) | kWriter,
                                      std::memory_order_acquire, std::memory_order_relaxed))
      continue;
    SetOwner(t_word.id);
    return true;
  }
  return false;
}

void RwMutex::LockSlow(Site site) {
  AcquireWatched(*this, LockMode::kExclusive, site, ExclusiveSteps{*this, site});
}

void RwMutex::LockSharedSlow(Site site) {
  AcquireWatched(*this, LockMode::kShared, site, SharedSteps{*this, site});
}

void RwMutex::WaitExclusive(ThreadState& self, Site site) {
  if (self.executor == nullptr) {
    for (int pauses = 1; pauses <= kMaxSpinPauses; pauses *= 2) {
      for (int i = 0; i < pauses; ++i) CpuPause();
      if (TryAcquireExclusive()) return;
    }
  }
  WaitScope waiting(self, this, class_, instance_, LockMode::kExclusive, &owner_, "write lock",
                    site);
  for (;;) {
    const std::uint32_t wakeups = writer_wakeups_.load(std::memory_order_acquire);
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    if ((state & (kReaders | kWriter)) == 0) {
      // Others may wait too: whoever takes it from the waiting room keeps the writers' bit.
      if (state_.compare_exchange_weak(state, state | kWriter | kWritersWaiting,
                                       std::memory_order_acquire, std::memory_order_relaxed)) {
        WaitForSlots();
        return SetOwner(t_word.id);
      }
      continue;
    }
    if ((state & kWritersWaiting) == 0 &&
        !state_.compare_exchange_weak(state, state | kWritersWaiting, std::memory_order_relaxed,
                                      std::memory_order_relaxed))
      continue;
    if (self.executor == nullptr) {
      FutexWait(writer_wakeups_, wakeups);
      continue;
    }
    self.executor->BlockOn(this);
    if (self.executor->abandoned()) return ExclusiveSteps{*this, site}.Force();
  }
}

void RwMutex::WaitShared(ThreadState& self, Site site) {
  if (self.executor == nullptr) {
    for (int pauses = 1; pauses <= kMaxSpinPauses; pauses *= 2) {
      for (int i = 0; i < pauses; ++i) CpuPause();
      if (TryAcquireShared()) return;
    }
  }
  WaitScope waiting(self, this, class_, instance_, LockMode::kShared, &owner_, "read lock", site);
  for (;;) {
    if (TryAcquireShared()) return;
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    if (ReadersMayEnter(state)) continue;
    if ((state & kReadersWaiting) == 0 &&
        !state_.compare_exchange_weak(state, state | kReadersWaiting, std::memory_order_relaxed,
                                      std::memory_order_relaxed))
      continue;
    if (self.executor == nullptr) {
      FutexWait(state_, state | kReadersWaiting);
      continue;
    }
    self.executor->BlockOn(this);
    if (self.executor->abandoned()) return SharedSteps{*this, site}.Force();
  }
}

// The lock was just released with waiters; somebody else may have taken it meanwhile, and then its
// release will do this.
void RwMutex::WakeWaiters() {
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  if ((state & kUpgrader) != 0) return WakeSleepingWriter();
  while ((state & (kReaders | kWriter)) == 0) {
    if ((state & kWaiting) == 0) return;
    if ((state & kWritersWaiting) != 0) {
      if (!state_.compare_exchange_weak(state, state & ~kWritersWaiting, std::memory_order_relaxed))
        continue;
      writer_wakeups_.fetch_add(1, std::memory_order_release);
      if (FutexWake(writer_wakeups_, 1) > 0) return;
      state = state_.load(std::memory_order_relaxed);  // no writer slept: the readers' turn
      continue;
    }
    if (state_.compare_exchange_weak(state, state & ~kReadersWaiting, std::memory_order_relaxed)) {
      FutexWakeAll(state_);
      return;
    }
  }
}

bool RwMutex::TryLock(Site site) {
  return TryAcquireWatched(*this, LockMode::kExclusive, site,
                           [this](ThreadState&) { return TryAcquireExclusive(); });
}

bool RwMutex::TryLockShared(Site site) {
  return TryAcquireWatched(*this, LockMode::kShared, site,
                           [this](ThreadState&) { return TryAcquireShared(); });
}

void RwMutex::UnlockSlow(Site site) {
  if (!OwnedByCaller() || !ForgottenAtOnce(*this)) [[unlikely]]
    return UnlockCold(site);
  ReleaseExclusive();
}

void RwMutex::UnlockCold(Site site) {
  ThreadState& self = Self();
  if (!BeforeWatchedRelease(self, *this, site)) return;
  if (self.executor == nullptr) {
    ReleaseExclusive();
  } else {
    ClearOwner();
    state_.fetch_and(~(kWriter | kWaiting), std::memory_order_release);
    self.executor->WakeAddress(this);
  }
  if (Watched(kWatchInterrupts)) interrupts::AfterRelease(self, *this, site);
}

void RwMutex::UnlockSharedSlow(Site site) {
  if (!SomebodyReads() || !ForgottenAtOnce(*this)) [[unlikely]]
    return UnlockSharedCold(site);
  ReleaseShared(site);
}

void RwMutex::UnlockSharedCold(Site site) {
  ThreadState& self = Self();
  // A point while the lock is still held: others can find it so.
  watch::AtPoint(self, PointKind::kUnlock, this, class_, site);
  if (self.executor != nullptr && self.executor->abandoned()) {
    if ((state_.load(std::memory_order_relaxed) & kReaders) != 0)
      state_.fetch_sub(1, std::memory_order_relaxed);
    watch::BeforeRelease(self, *this, site);
    return;
  }
  if (!SomebodyReads()) watch::NotHeld(*this, "unlocked (shared)", site);
  // Somebody reads; a witness sees every thread from its start and knows whether this one does.
  if (!watch::BeforeRelease(self, *this, site) && self.run.witness != nullptr)
    watch::NotHeld(*this, "unlocked (shared)", site);
  if (self.executor == nullptr) {
    ReleaseShared(site);
  } else {
    const std::uint32_t former = state_.fetch_sub(1, std::memory_order_release);
    if ((former & kReaders) == 1) state_.fetch_and(~kWaiting, std::memory_order_relaxed);
    if ((former & kReaders) == 1 || LastBeforeWriter(former)) self.executor->WakeAddress(this);
  }
  if (Watched(kWatchInterrupts)) interrupts::AfterRelease(self, *this, site);
}

void RwMutex::Downgrade(Site site) {
  if (t_word.watch != 0) watch::AtPoint(Self(), PointKind::kUnlock, this, class_, site);
  if (!OwnedByCaller()) watch::NotHeld(*this, "downgraded", site);
  ClearOwner();
  reads_.store(0, std::memory_order_relaxed);
  // One reader instead of the writer; readers that wait may enter unless a writer waits too.
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while (!state_.compare_exchange_weak(state, ((state & ~kWriter) + 1) & ~kReadersWaiting,
                                       std::memory_order_release, std::memory_order_relaxed)) {
  }
  if (t_word.watch != 0) watch::ModeChanged(Self(), *this, LockMode::kShared, site);
  if (Executor* executor = Self().executor; executor != nullptr)
    executor->WakeAddress(this);
  else if ((state & kReadersWaiting) != 0)
    FutexWakeAll(state_);
  if (Watched(kWatchInterrupts)) interrupts::AtPoint(Self(), site);
}

bool RwMutex::Upgrade(Site site) {
  ThreadState& self = Self();
  AssertHeldShared(site);
  if (OwnedByCaller()) watch::Recursion(*this, site);
  if (Watched(kWatchWitness))
    watch::AskWitness(self, *this, LockMode::kExclusive, Attempt::kUpgrade, site);
  watch::AtPoint(self, PointKind::kLock, this, class_, site);
  if (!CountInsteadOfSlot()) return false;
  if ((state_.fetch_or(kUpgrader, std::memory_order_relaxed) & kUpgrader) != 0) return false;
  const bool biased = (state_.load(std::memory_order_relaxed) & kBiased) != 0;
  if (biased || !TryUpgrade()) {
    if (Watched(kWatchInterrupts)) interrupts::BeforeWait(self, *this, site);
    WaitUpgrade(self, site);
  }
  if (t_word.watch != 0) watch::ModeChanged(self, *this, LockMode::kExclusive, site);
  if (Watched(kWatchInterrupts)) interrupts::AtPoint(self, site);
  return true;
}

void RwMutex::WaitUpgrade(ThreadState& self, Site site) {
  WaitScope waiting(self, this, class_, instance_, LockMode::kExclusive, &owner_, "upgrade", site);
  for (;;) {
    const std::uint32_t wakeups = writer_wakeups_.load(std::memory_order_acquire);
    if (TryUpgrade()) return WaitForSlots();
    if (self.executor == nullptr) {
      FutexWait(writer_wakeups_, wakeups);
      continue;
    }
    self.executor->BlockOn(this);
    if (self.executor->abandoned()) return ExclusiveSteps{*this, site}.Force();
  }
}

void RwMutex::AssertHeldShared(Site site) const {
  if (OwnedByCaller()) return;
  const bool held = Watched(kWatchWitness) ? Self().held.Find(this) != nullptr : SomebodyReads();
  if (!held) [[unlikely]]
    watch::NotHeld(*this, "asserted to be held (shared)", site);
}

}  // namespace locking
