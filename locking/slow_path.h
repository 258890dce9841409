// What the primitives do off their fast paths, once for all of them: scheduling points, the
// witness, statistics, evidence. Internal to locking/.
#ifndef LOCKING_SLOW_PATH_H_
#define LOCKING_SLOW_PATH_H_

#include <optional>

#include "locking/interrupt_state.h"
#include "locking/watch.h"

namespace locking {

// A blocking acquisition, in three functions of which each ends in a call of the next: so the usual
// case saves no registers, which took a watched pair two nanoseconds. `steps` are of the primitive
// and called with nothing of it held:
//   bool TryAcquire(ThreadState&)  takes it, with its owner, if it is free
//   bool TryTake()                 takes it for an OS thread; may fail though it is free
//   void Own(std::uint32_t)        stores the owner of what TryTake took
//   void Wait(ThreadState&)        takes it once it is free
//   void Force()                   takes it from whoever has it: the execution unwinds, and all
//                                  that matters is that every unlock finds its lock
template <typename Steps>
[[gnu::noinline]] void AcquireContended(const LockBase& lock, LockMode mode, Site site,
                                        Steps steps) {
  ThreadState& self = Self();
  if (Watched(kWatchInterrupts)) interrupts::BeforeWait(self, lock, site);
  if (lock.HeldExclusivelyByCaller()) watch::Recursion(lock, site);
  const bool timed = t_word.counts != nullptr;
  const std::uint64_t start = timed ? watch::NowNs(self) : 0;
  steps.Wait(self);
  const std::uint64_t wait_ns = timed ? watch::NowNs(self) - start : 0;
  watch::AfterAcquire(self, lock, mode, Attempt::kBlocking, site);
  if (timed) watch::CountContended(lock, wait_ns);
}

template <typename Steps>
void AcquireColdly(ThreadState& self, const LockBase& lock, LockMode mode, Site site, Steps steps) {
  // Before the point: the order is seen even of a thread that never gets the lock.
  watch::BeforeAcquire(self, lock, mode, Attempt::kBlocking, site);
  if (self.executor != nullptr) {
    self.executor->AtPoint(mode == LockMode::kShared ? PointKind::kLockShared : PointKind::kLock,
                           &lock, &lock.lock_class(), site);
    if (self.executor->abandoned()) return steps.Force();
    if (!Watched(kWatchKeepsHeld) && steps.TryAcquire(self)) [[likely]]
      return;
  }
  if (!steps.TryAcquire(self)) return AcquireContended(lock, mode, site, steps);
  watch::AfterAcquire(self, lock, mode, Attempt::kBlocking, site);
}

// The first acquisition of a thread, the first of a chain, and all on an executor or by a thread
// that takes interrupts.
template <typename Steps>
[[gnu::noinline]] void AcquireCold(const LockBase& lock, LockMode mode, Site site, Steps steps) {
  ThreadState& self = Self();
  if (!Watched(kWatchInterrupts)) [[likely]]
    return AcquireColdly(self, lock, mode, site, steps);
  interrupts::Acquisition acquisition(self, lock, site);
  AcquireColdly(self, lock, mode, site, steps);
  acquisition.Acquired();
}

// A warm one. What is read is read before the lock is taken, behind whose locked instruction it
// would be waited for. The owner is stored behind the count: the other way round a pair takes a
// twentieth longer.
template <typename Steps>
[[gnu::always_inline]] inline void AcquireWatched(const LockBase& lock, LockMode mode, Site site,
                                                  Steps steps) {
  ThreadState* self = t_word.self;
  if (!watch::OnlyWitnessed() || self->chains == nullptr) [[unlikely]]
    return AcquireCold(lock, mode, site, steps);
  const HeldLocks::Prepared held =
      self->held.Prepare(&lock, lock.lock_class(), lock.instance(), mode, Attempt::kBlocking, site);
  ClassCount* count = watch::CountOf(lock);
  const std::uint32_t id = t_word.id;
  const std::uint64_t hits =
      self->chains->HitAtOnce(held.entry->chain, HeldLocks::InstancesThrough(held));
  if (hits == 0 || !self->held.MayPush(held)) [[unlikely]]
    return AcquireCold(lock, mode, site, steps);
  if (!steps.TryTake()) [[unlikely]]
    return AcquireContended(lock, mode, site, steps);
  self->held.Push(held);
  watch::CountOne(count);
  steps.Own(id);
  // By the count that is at hand.
  if (hits % kTimedHolds == 0 && count != nullptr) [[unlikely]]
    watch::TimeHold(lock);
}

// A try; `try_acquire` takes the lock, with its owner, if it is free.
template <typename TryAcquire>
inline bool TryNow(ThreadState& self, const LockBase& lock, LockMode mode, Site site,
                   TryAcquire try_acquire) {
  if (!try_acquire(self)) return false;
  watch::BeforeAcquire(self, lock, mode, Attempt::kTry, site);
  watch::AfterAcquire(self, lock, mode, Attempt::kTry, site);
  return true;
}

template <typename TryAcquire>
[[gnu::noinline]] bool TryControlled(ThreadState& self, const LockBase& lock, LockMode mode,
                                     Site site, TryAcquire try_acquire) {
  std::optional<interrupts::Acquisition> acquisition;
  if (Watched(kWatchInterrupts)) acquisition.emplace(self, lock, site);
  watch::AtPoint(self, PointKind::kTryLock, &lock, &lock.lock_class(), site);
  if (!TryNow(self, lock, mode, site, try_acquire)) return false;
  if (acquisition.has_value()) acquisition->Acquired();
  return true;
}

template <typename TryAcquire>
inline bool TryAcquireWatched(const LockBase& lock, LockMode mode, Site site,
                              TryAcquire try_acquire) {
  ThreadState& self = Self();
  if (Watched(kWatchControlled)) [[unlikely]]
    return TryControlled(self, lock, mode, site, try_acquire);
  return TryNow(self, lock, mode, site, try_acquire);
}

// Whether the lock was the newest that the thread holds, and nothing else is to be done before its
// release.
inline bool ForgottenAtOnce(const LockBase& lock) {
  return watch::OnlyWitnessed() && !Watched(kWatchTimedHold) &&
         t_word.self->held.RemoveNewest(&lock);
}

// What comes before the release of a lock that is held exclusively. False: there is nothing to
// release, in an execution that unwinds.
inline bool BeforeWatchedRelease(ThreadState& self, const LockBase& lock, Site site) {
  // A point while the lock is still held: others can find it so.
  watch::AtPoint(self, PointKind::kUnlock, &lock, &lock.lock_class(), site);
  if (!lock.HeldExclusivelyByCaller()) {
    if (self.executor != nullptr && self.executor->abandoned()) return false;
    watch::NotHeld(lock, "unlocked", site);
  }
  watch::BeforeRelease(self, lock, site);
  return true;
}

}  // namespace locking

#endif  // LOCKING_SLOW_PATH_H_
