// What the primitives call when the calling thread is watched: one function per event, each called
// out of line so that the fast paths stay small. Internal to locking/.
#ifndef LOCKING_WATCH_H_
#define LOCKING_WATCH_H_

#include <cstdint>

#include "locking/chain_cache.h"
#include "locking/executor.h"
#include "locking/lock_class.h"
#include "locking/thread_state.h"

namespace locking {

// What every lock has: its class, the number its creator gave it, and who holds it exclusively.
class LockBase {
 public:
  LockBase(const LockClass& lock_class, std::uint32_t instance)
      : class_(&lock_class), instance_(instance) {}
  LockBase(const LockBase&) = delete;
  LockBase& operator=(const LockBase&) = delete;

  const LockClass& lock_class() const { return *class_; }
  std::uint32_t instance() const { return instance_; }
  void set_instance(std::uint32_t instance) { instance_ = instance; }
  // The id of the thread that holds the lock exclusively, kNobody, or kMany (readers).
  const std::atomic<std::uint32_t>& owner() const { return owner_; }

 protected:
  bool OwnedByCaller() const { return owner_.load(std::memory_order_relaxed) == OwnerId(); }
  // The caller's thread id; registers the thread on its first call.
  static std::uint32_t OwnerId() {
    if (t_word.self == nullptr) [[unlikely]]
      SelfSlow();
    return t_word.id;
  }
  void SetOwner() { owner_.store(t_word.id, std::memory_order_relaxed); }
  void ClearOwner() { owner_.store(kNobody, std::memory_order_relaxed); }

  const LockClass* class_;
  std::uint32_t instance_;
  std::atomic<std::uint32_t> owner_{kNobody};
};

namespace watch {

// A scheduling point of a controlled executor; nothing for a native thread.
inline void AtPoint(ThreadState& self, PointKind kind, const void* address,
                    const LockClass* lock_class, Site site) {
  if (self.executor != nullptr) [[unlikely]]
    self.executor->AtPoint(kind, address, lock_class, site);
}

// The witness decides about the acquisition, unless the thread has shown it this chain before.
void AskWitness(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt, Site site);

// Before the acquisition may block.
inline void BeforeAcquire(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                          Site site) {
  if (self.run.witness == nullptr) return;
  const std::uint64_t chain = self.held.ChainWith(lock.lock_class(), mode, attempt);
  if (self.chains == nullptr || !self.chains->Hit(chain, self.held.instances())) [[unlikely]]
    AskWitness(self, lock, mode, attempt, site);
}

void AfterAcquireSlow(ThreadState& self, HeldLock& entry, bool contended, std::uint64_t wait_ns);
// The lock is held now. `wait_ns` is 0 when it was not contended.
inline void AfterAcquire(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                         bool contended, std::uint64_t wait_ns, Site site) {
  if (!Watched(kWatchKeepsHeld)) return;
  if (attempt == Attempt::kTry) BeforeAcquire(self, lock, mode, attempt, site);
  HeldLock& entry = self.held.Push(&lock, lock.lock_class(), lock.instance(), mode, attempt, site);
  if (self.run.statistics) AfterAcquireSlow(self, entry, contended, wait_ns);
}

void BeforeReleaseSlow(ThreadState& self, const LockBase& lock, std::uint64_t acquired_ns);
// The lock is still held. False: the thread is watched and the held list does not know the lock.
inline bool BeforeRelease(ThreadState& self, const LockBase& lock) {
  if (!Watched(kWatchKeepsHeld)) return true;
  std::uint64_t acquired_ns = 0;
  if (!self.held.Remove(&lock, &acquired_ns)) [[unlikely]]
    return false;
  if (self.run.statistics && acquired_ns != 0) BeforeReleaseSlow(self, lock, acquired_ns);
  return true;
}
// Another mode from now on (a downgrade).
void ModeChanged(ThreadState& self, const LockBase& lock, LockMode mode, Site site);
enum class Usage : std::uint8_t { kFree, kInUse };
// LK01 when it is in use.
void Destroyed(const LockBase& lock, Usage usage);
// LK01: the caller unlocks or asserts what it does not hold; ends the run. Returns only in an
// execution that is given up already.
void NotHeld(const LockBase& lock, const char* what, Site site);
// LK01: the caller would block on itself; the same.
void Recursion(const LockBase& lock, Site site);
// Real nanoseconds, or the executor's.
std::uint64_t NowNs(const ThreadState& self);

}  // namespace watch

}  // namespace locking

#endif  // LOCKING_WATCH_H_
