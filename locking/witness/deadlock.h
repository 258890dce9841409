// The wait-for graph of a set of threads: who waits for whom, now.
//
//   waits for a lock or resource whose holder word names a thread  -> that thread
//   waits for a lock that others hold shared                       -> each of them that also waits
//   waits to read a lock behind a waiting writer                   -> that writer
//   waits for a resource that others hold                          -> each of them that also waits
//   waits for one of several units, or for one of several threads
//   that have promised to end the wait                             -> each of them, once all wait
//
// A wait with a deadline ends by itself and is no part of it. Readers are found by their held
// lists, as the holders of most resources and those who promised are: so they are known only where
// a witness keeps these.
#ifndef LOCKING_WITNESS_DEADLOCK_H_
#define LOCKING_WITNESS_DEADLOCK_H_

#include <cstdint>
#include <span>
#include <vector>

#include "locking/thread_state.h"

namespace locking {

// What a thread waits for, read at one moment.
struct WaitView {
  ThreadState* thread;
  bool waits = false;  // and is settled; the rest holds only if so
  bool may_idle = false;
  bool has_deadline = false;
  bool woken = false;
  LockMode mode = LockMode::kExclusive;
  std::uint32_t sequence = 0;
  std::uint32_t holder = kNobody;  // thread id, kMany or kNobody
  const void* target = nullptr;
  std::uint32_t units = 1;      // Resource::units
  bool for_lock = false;        // else for a resource
  bool recursive_read = false;  // the lock's class is
};

// The threads must not end meanwhile; they may run.
std::vector<WaitView> ViewWaits(std::span<ThreadState* const> threads);
// Whether `from` waits for `to`, which waits too.
bool WaitsFor(const WaitView& from, const WaitView& to);
// Indexes of a cycle, each waiting for the next and the last for the first; empty if there is none.
// True of the threads if their sequences are still the same afterwards.
std::vector<std::uint32_t> FindWaitCycle(const std::vector<WaitView>& waits);

// Both, for threads that do not run meanwhile (fibres): the threads of a deadlock, each waiting for
// the next; empty if there is none.
std::vector<ThreadState*> FindDeadlock(std::span<ThreadState* const> threads);

// LK09, confirmed: each thread of the cycle with its held locks, its wait and its stack.
Finding DeadlockFinding(std::span<ThreadState* const> cycle);

}  // namespace locking

#endif  // LOCKING_WITNESS_DEADLOCK_H_
