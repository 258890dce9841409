// What the primitives tell the lock-order and wait-dependency validator. The implementation is in
// witness/; a run owns one and its threads find it in their RunContext.
//
// Thread safety: all functions may be called by any thread, about itself.
#ifndef LOCKING_WITNESS_H_
#define LOCKING_WITNESS_H_

#include <cstdint>

#include "locking/thread_state.h"
#include "locking/watch.h"

namespace locking {

class Witness {
 public:
  virtual ~Witness() = default;

  // The caller is about to take `lock`; for a blocking attempt the order is decided here, before it
  // may block. The held list does not contain it yet.
  virtual void BeforeAcquire(ThreadState& self, const LockBase& lock, LockMode mode,
                             watch::Attempt attempt, Site site) = 0;
  // `entry` was just pushed on the held list at `index`.
  virtual void AfterAcquire(ThreadState& self, HeldLock& entry, std::uint32_t index) = 0;
  // The entry at `index` was removed; later ones moved down by one.
  virtual void AfterRelease(ThreadState& self, std::uint32_t index) = 0;
  // The caller is about to sleep for a resource; `interlock` will be released.
  virtual void BeforeSleep(ThreadState& self, const LockBase& interlock,
                           const LockClass& resource_class, std::uint32_t instance, Site site) = 0;
  // The caller's operation, or its thread, ends: nothing may be held (LK11).
  virtual void AtOperationEnd(ThreadState& self, const char* operation) = 0;
  // `lock` is destroyed by the caller.
  virtual void Destroyed(ThreadState& self, const LockBase& lock) = 0;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_H_
