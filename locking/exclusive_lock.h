// The word and the owner of a lock that one thread can hold. Internal to locking/.
#ifndef LOCKING_EXCLUSIVE_LOCK_H_
#define LOCKING_EXCLUSIVE_LOCK_H_

#include <atomic>
#include <cstdint>

#include "locking/executor.h"
#include "locking/thread_state.h"
#include "locking/watch.h"

namespace locking {

// What takes it is an exchange with a constant: waiting for the thread's id first would make each
// pair a third slower.
class ExclusiveLockBase : public LockBase {
 public:
  using LockBase::LockBase;
  ~ExclusiveLockBase() {
    const bool held = !LooksFree();
    if (held || Watched(kWatchWitness)) [[unlikely]]
      watch::Destroyed(*this, held ? watch::Usage::kInUse : watch::Usage::kFree);
  }

 protected:
  bool LooksFree() const { return !locked_.load(std::memory_order_relaxed); }
  // The fast path. False: nothing is done, for the lock is taken or the caller watched.
  bool TakeUnwatched() {
    // Read first: behind the exchange they would be waited for.
    ClassCount* count = watch::CountOf(*this);
    const std::uint32_t id = t_word.id;
    if (t_word.watch != 0 || !TakeUnowned()) return false;
    // Counted before the owner is stored: the other way round a pair takes a sixth longer.
    watch::Count(*this, count);
    SetOwner(id);
    return true;
  }
  // Not counted, for any thread. On an executor nobody runs in between: no need of a locked
  // instruction.
  bool TakeBy(const ThreadState& self) {
    if (self.executor == nullptr) return Take();
    if (locked_.load(std::memory_order_acquire)) return false;
    TakeByForce();
    return true;
  }
  bool Take() {
    const std::uint32_t id = t_word.id;  // read first, as above
    if (!TakeUnowned()) return false;
    SetOwner(id);
    return true;
  }
  bool TakeUnowned() { return !locked_.exchange(true, std::memory_order_acquire); }
  void TakeByForce() {
    locked_.store(true, std::memory_order_relaxed);
    SetOwner(t_word.id);
  }
  void Free() {
    ClearOwner();
    locked_.store(false, std::memory_order_release);
  }

 private:
  std::atomic<bool> locked_{false};
};

}  // namespace locking

#endif  // LOCKING_EXCLUSIVE_LOCK_H_
