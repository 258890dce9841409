// What the primitives have in common, and what they call when the calling thread is watched: one
// function per event. Internal to locking/.
#ifndef LOCKING_WATCH_H_
#define LOCKING_WATCH_H_

#include <algorithm>
#include <cstdint>

#include "locking/chain_cache.h"
#include "locking/executor.h"
#include "locking/lock_class.h"
#include "locking/statistics.h"
#include "locking/thread_state.h"

namespace locking {

// What every lock has: its class, the number its creator gave it, and who holds it exclusively.
class LockBase {
 public:
  LockBase(const LockClass& lock_class, std::uint32_t instance)
      : class_(&lock_class),
        counted_class_(std::min(lock_class.id(), kCountedClasses - 1)),
        instance_(instance) {
    if (Watched(kWatchWitness)) [[unlikely]]
      TellOfConstruction();
  }
  LockBase(const LockBase&) = delete;
  LockBase& operator=(const LockBase&) = delete;

  const LockClass& lock_class() const { return *class_; }
  // Index of the class in statistics.
  std::uint32_t counted_class() const { return counted_class_; }
  std::uint32_t instance() const { return instance_; }
  void set_instance(std::uint32_t instance) { instance_ = instance; }
  // The id of the thread that holds the lock exclusively, kNobody, or kMany (readers).
  const std::atomic<std::uint32_t>& owner() const { return owner_; }
  bool HeldExclusivelyByCaller() const { return OwnedByCaller(); }

 protected:
  bool OwnedByCaller() const { return owner_.load(std::memory_order_relaxed) == t_word.id; }
  void SetOwner(std::uint32_t id) { owner_.store(id, std::memory_order_relaxed); }
  void ClearOwner() { owner_.store(kNobody, std::memory_order_relaxed); }

  void TellOfConstruction() const;

  const LockClass* class_;
  const std::uint32_t counted_class_;
  std::uint32_t instance_;
  std::atomic<std::uint32_t> owner_{kNobody};
};

namespace watch {

// Real nanoseconds, or the executor's.
std::uint64_t NowNs(const ThreadState& self);

// Whether a witness is all that must be told of what the calling thread, an OS thread, does; a hold
// may be timed besides.
inline bool OnlyWitnessed() {
  return (t_word.watch & ~std::uint32_t{kWatchTimedHold}) == kWatchWitness;
}

// A scheduling point of a controlled executor; nothing for a native thread.
inline void AtPoint(ThreadState& self, PointKind kind, const void* address,
                    const LockClass* lock_class, Site site) {
  if (self.executor != nullptr) [[unlikely]]
    self.executor->AtPoint(kind, address, lock_class, site);
}

// The witness decides about the acquisition, unless the thread has shown it this chain before.
void AskWitness(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt, Site site);

enum class Usage : std::uint8_t { kFree, kInUse };
// LK01 when it is in use.
void Destroyed(const LockBase& lock, Usage usage);

// Whether the acquisition needs no witness, or its witness has been shown this chain before.
inline bool Decided(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt) {
  if (!Watched(kWatchWitness)) return true;
  const std::uint64_t chain = self.held.ChainWith(lock.lock_class(), mode, attempt);
  return self.chains != nullptr &&
         self.chains->Hit(chain, self.held.InstancesWith(lock.instance()));
}
// Before the acquisition may block.
inline void BeforeAcquire(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                          Site site) {
  if (!Decided(self, lock, mode, attempt)) [[unlikely]]
    AskWitness(self, lock, mode, attempt, site);
}

// For a thread whose holds are limited: the newest of its held list was taken just now; `lock`, a
// lock or a resource, is let go of.
void StampHold(ThreadState& self);
void EndLimitedHold(ThreadState& self, const void* lock, Site site);

void TimeHold(const LockBase& lock);
void EndTimedHold(const LockBase& lock);
void CountContended(const LockBase& lock, std::uint64_t wait_ns);

// Where acquisitions of the lock are counted; nullptr: nowhere. The fast paths ask before they take
// the lock: behind the locked instruction the loads would be waited for.
inline ClassCount* CountOf(const LockBase& lock) {
  return t_word.counts == nullptr ? nullptr : &t_word.counts[lock.counted_class()];
}
// One more acquisition of a lock, which is held now. Inline even on the fast paths: statistics that
// slow what they count would count something else. Two words, for two stores between locked
// instructions are waited for less than one is; see docs/decisions.md.
inline void CountOne(ClassCount* count) {
  if (count == nullptr) return;
  count->acquisitions.store(count->acquisitions.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
}
inline void TimeNowAndThen(const LockBase& lock, ClassCount* count) {
  if (count != nullptr && count->until_timed-- == 0) [[unlikely]] {
    count->until_timed = kTimedHolds - 1;
    TimeHold(lock);
  }
}
inline void Count(const LockBase& lock, ClassCount* count) {
  CountOne(count);
  TimeNowAndThen(lock, count);
}

// The lock is held now.
inline void AfterAcquire(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                         Site site) {
  if (Watched(kWatchKeepsHeld))
    self.held.Push(&lock, lock.lock_class(), lock.instance(), mode, attempt, site);
  if (Watched(kWatchLimits)) [[unlikely]]
    StampHold(self);
  Count(lock, CountOf(lock));
}

// The lock is still held. False: the held list is kept and does not know the lock.
inline bool BeforeRelease(ThreadState& self, const LockBase& lock, Site site) {
  if (self.timed_lock == &lock) [[unlikely]]
    EndTimedHold(lock);
  if (Watched(kWatchLimits)) [[unlikely]]
    EndLimitedHold(self, &lock, site);
  return !Watched(kWatchKeepsHeld) || self.held.Remove(&lock);
}

// Another mode from now on (a downgrade).
void ModeChanged(ThreadState& self, const LockBase& lock, LockMode mode, Site site);
// LK01: the caller unlocks or asserts what it does not hold; ends the run. Returns only in an
// execution that is given up already.
void NotHeld(const LockBase& lock, const char* what, Site site);
// LK01: the caller would block on itself; the same.
void Recursion(const LockBase& lock, Site site);

}  // namespace watch

}  // namespace locking

#endif  // LOCKING_WATCH_H_
