// What the primitives call when the calling thread is watched: one function per event, each called
// out of line so that the fast paths stay small. Internal to locking/.
#ifndef LOCKING_WATCH_H_
#define LOCKING_WATCH_H_

#include <cstdint>

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

enum class Attempt : std::uint8_t { kBlocking, kTry };

// A scheduling point of a controlled executor; nothing for a native thread.
void AtPoint(ThreadState& self, PointKind kind, const void* address, const LockClass* lock_class,
             Site site);
// Before the acquisition may block: the witness decides about it.
void BeforeAcquire(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                   Site site);
// The lock is held now. `wait_ns` is 0 when it was not contended.
void AfterAcquire(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                  bool contended, std::uint64_t wait_ns, Site site);
// The lock is still held.
void BeforeRelease(ThreadState& self, const LockBase& lock, Site site);
// Another mode from now on (a downgrade).
void ModeChanged(ThreadState& self, const LockBase& lock, LockMode mode, Site site);
void Destroyed(const LockBase& lock);
// LK01: the caller unlocks or asserts what it does not hold; ends the run.
[[noreturn]] void NotHeld(const LockBase& lock, const char* what, Site site);
// LK01: the caller would block on itself; ends the run.
[[noreturn]] void Recursion(const LockBase& lock, Site site);
// Real nanoseconds, or the executor's.
std::uint64_t NowNs(const ThreadState& self);

}  // namespace watch

}  // namespace locking

#endif  // LOCKING_WATCH_H_
