// What the primitives tell the lock-order and wait-dependency validator. The implementation is in
// witness/; a run owns one and its threads find it in their RunContext.
//
// Thread safety: all functions may be called by any thread, about itself.
#ifndef LOCKING_WITNESS_H_
#define LOCKING_WITNESS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "locking/moment.h"
#include "locking/resource.h"
#include "locking/thread_state.h"
#include "locking/watch.h"

namespace locking {

class Witness {
 public:
  virtual ~Witness() = default;

  // The caller is about to take `lock` (kBlocking), or has just taken it without waiting (kTry);
  // the held list does not contain it yet. Called when self.chains does not know the chain that the
  // lock completes, or wants to be asked each time.
  virtual void DecideChain(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                           Site site) = 0;
  // The caller is about to hold `resource` (kTry) or to promise to end the waits for it (kPromise);
  // the held list does not contain it yet. For kTry called as DecideChain is.
  virtual void DecideHold(ThreadState& self, const Resource& resource, LockMode mode,
                          Attempt attempt, Site site) = 0;
  // The caller is about to sleep for a resource; `interlock` (nullptr: none) will be released.
  virtual void BeforeSleep(ThreadState& self, const LockBase* interlock, const Resource& resource,
                           std::uint64_t deadline_ns, Site site) = 0;
  // The caller is about to wait for the end of a thread that it spawned under this witness.
  struct SpawnedThread {
    std::uint32_t number;  // of the spawn, never used before in this process; ThreadState::spawn
    std::uint32_t id;      // of the thread; 0: it has not begun
    std::string name;
  };
  virtual void BeforeJoin(ThreadState& self, const SpawnedThread& joined, Site site) = 0;
  // The caller's operation ends: nothing may be held (LK11).
  virtual void AtOperationEnd(ThreadState& self, const char* operation) = 0;
  // The caller's thread ends: the same, and what the witness keeps for the thread may go.
  virtual void AtThreadEnd(ThreadState& self) = 0;
  // What the caller has done so far, for whoever follows it; it begins another epoch.
  virtual std::shared_ptr<const Moment> Depart(ThreadState& self) = 0;
  // What the caller does from now on comes after `moment` in every schedule.
  virtual void Follow(ThreadState& self, const Moment& moment) = 0;
  // `lock` is constructed by the caller: whatever was at its address is no more, destroyed or not.
  virtual void Constructed(const LockBase& lock) = 0;
  // The stack with which the caller first took the lock at `index` of its held list inside the same
  // chain; empty if that is not known.
  virtual std::vector<std::string> StackOfHeld(ThreadState& self, std::uint32_t index) = 0;
  // `lock` is destroyed by the caller; another may stand at its address later.
  virtual void Destroyed(const LockBase& lock) = 0;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_H_
