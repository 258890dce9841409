#include "locking/rw_mutex.h"

#include "locking/executor.h"
#include "locking/futex.h"

namespace locking {

// Waiters sleep on two words: readers on state_, writers on writer_wakeups_. Who releases the lock
// last clears the waiting bits and wakes one writer if there is one, else all readers; whoever is
// woken competes again and sets its bit again when it loses.

bool RwMutex::ReadersMayEnter(std::uint32_t state) const {
  if ((state & kWriter) != 0) return false;
  if (class_->Has(LockClassFlags::kRecursiveRead)) return true;
  return (state & (kReadersWaiting | kWritersWaiting)) == 0;
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
    if (state_.compare_exchange_weak(state, state | kWriter, std::memory_order_acquire,
                                     std::memory_order_relaxed))
      return true;
  }
  return false;
}

void RwMutex::LockSlow(Site site) {
  ThreadState& self = Self();
  if (self.executor != nullptr) {
    self.executor->AtPoint(PointKind::kLock, this, class_, site);
    if (self.executor->abandoned()) {
      state_.store(kWriter, std::memory_order_relaxed);
      SetOwner();
      return;
    }
  }
  if (OwnedByCaller()) watch::Recursion(*this, site);
  watch::BeforeAcquire(self, *this, LockMode::kExclusive, Attempt::kBlocking, site);
  bool contended = false;
  std::uint64_t wait_ns = 0;
  if (!TryAcquireExclusive()) {
    contended = true;
    const bool timed = Watched(kWatchStatistics);
    const std::uint64_t start = timed ? watch::NowNs(self) : 0;
    WaitExclusive(self, site);
    if (timed) wait_ns = watch::NowNs(self) - start;
  }
  SetOwner();
  watch::AfterAcquire(self, *this, LockMode::kExclusive, Attempt::kBlocking, contended, wait_ns,
                      site);
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
                                       std::memory_order_acquire, std::memory_order_relaxed))
        return;
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
    if (!self.executor->abandoned()) continue;
    state_.store(kWriter, std::memory_order_relaxed);
    return;
  }
}

void RwMutex::LockSharedSlow(Site site) {
  ThreadState& self = Self();
  if (self.executor != nullptr) {
    self.executor->AtPoint(PointKind::kLockShared, this, class_, site);
    if (self.executor->abandoned()) {
      state_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  if (OwnedByCaller()) watch::Recursion(*this, site);
  if (t_word.watch != 0)
    watch::BeforeAcquire(self, *this, LockMode::kShared, Attempt::kBlocking, site);
  bool contended = false;
  std::uint64_t wait_ns = 0;
  if (!TryAcquireShared()) {
    contended = true;
    const bool timed = Watched(kWatchStatistics);
    const std::uint64_t start = timed ? watch::NowNs(self) : 0;
    WaitShared(self, site);
    if (timed) wait_ns = watch::NowNs(self) - start;
  }
  if (t_word.watch != 0)
    watch::AfterAcquire(self, *this, LockMode::kShared, Attempt::kBlocking, contended, wait_ns,
                        site);
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
    if (!self.executor->abandoned()) continue;
    state_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
}

// The lock was just released with waiters; somebody else may have taken it meanwhile, and then its
// release will do this.
void RwMutex::WakeWaiters() {
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while ((state & (kReaders | kWriter)) == 0) {
    if (state == 0) return;
    if ((state & kWritersWaiting) != 0) {
      if (!state_.compare_exchange_weak(state, state & ~kWritersWaiting, std::memory_order_relaxed))
        continue;
      writer_wakeups_.fetch_add(1, std::memory_order_release);
      if (FutexWake(writer_wakeups_, 1) > 0) return;
      state = state_.load(std::memory_order_relaxed);  // no writer slept: the readers' turn
      continue;
    }
    if (state_.compare_exchange_weak(state, 0, std::memory_order_relaxed)) {
      FutexWakeAll(state_);
      return;
    }
  }
}

bool RwMutex::TryLock(Site site) {
  ThreadState& self = Self();
  if (t_word.watch != 0) watch::AtPoint(self, PointKind::kTryLock, this, class_, site);
  if (!TryAcquireExclusive()) return false;
  SetOwner();
  if (t_word.watch != 0)
    watch::AfterAcquire(self, *this, LockMode::kExclusive, Attempt::kTry, false, 0, site);
  return true;
}

bool RwMutex::TryLockShared(Site site) {
  ThreadState& self = Self();
  if (t_word.watch != 0) watch::AtPoint(self, PointKind::kTryLock, this, class_, site);
  if (!TryAcquireShared()) return false;
  if (t_word.watch != 0)
    watch::AfterAcquire(self, *this, LockMode::kShared, Attempt::kTry, false, 0, site);
  return true;
}

void RwMutex::UnlockSlow(Site site) {
  ThreadState& self = Self();
  // A point while the lock is still held: others can find it so.
  watch::AtPoint(self, PointKind::kUnlock, this, class_, site);
  if (!OwnedByCaller()) {
    if (self.executor != nullptr && self.executor->abandoned()) return;
    watch::NotHeld(*this, "unlocked (exclusive)", site);
  }
  watch::BeforeRelease(self, *this);
  if (self.executor == nullptr) {
    ReleaseExclusive();
    return;
  }
  ClearOwner();
  state_.fetch_and(~(kWriter | kReadersWaiting | kWritersWaiting), std::memory_order_release);
  self.executor->WakeAddress(this);
}

void RwMutex::UnlockSharedSlow(Site site) {
  ThreadState& self = Self();
  // A point while the lock is still held: others can find it so.
  watch::AtPoint(self, PointKind::kUnlock, this, class_, site);
  if (self.executor != nullptr && self.executor->abandoned()) {
    if ((state_.load(std::memory_order_relaxed) & kReaders) != 0)
      state_.fetch_sub(1, std::memory_order_relaxed);
    watch::BeforeRelease(self, *this);
    return;
  }
  if ((state_.load(std::memory_order_relaxed) & kReaders) == 0)
    watch::NotHeld(*this, "unlocked (shared)", site);
  // Somebody reads; a witness sees every thread from its start and knows whether this one does.
  if (!watch::BeforeRelease(self, *this) && self.run.witness != nullptr)
    watch::NotHeld(*this, "unlocked (shared)", site);
  if (self.executor == nullptr) {
    ReleaseShared(site);
    return;
  }
  if ((state_.fetch_sub(1, std::memory_order_release) & kReaders) == 1) {
    state_.fetch_and(~(kReadersWaiting | kWritersWaiting), std::memory_order_relaxed);
    self.executor->WakeAddress(this);
  }
}

void RwMutex::Downgrade(Site site) {
  if (t_word.watch != 0) watch::AtPoint(Self(), PointKind::kUnlock, this, class_, site);
  if (!OwnedByCaller()) watch::NotHeld(*this, "downgraded", site);
  ClearOwner();
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
}

void RwMutex::AssertHeldShared(Site site) const {
  if (OwnedByCaller()) return;
  const bool held = Watched(kWatchWitness)
                        ? Self().held.Find(this) != nullptr
                        : (state_.load(std::memory_order_relaxed) & kReaders) != 0;
  if (!held) [[unlikely]]
    watch::NotHeld(*this, "asserted to be held (shared)", site);
}

}  // namespace locking
