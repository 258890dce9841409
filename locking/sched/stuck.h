// Why an execution cannot go on: the analysis of threads that stand still.
#ifndef LOCKING_SCHED_STUCK_H_
#define LOCKING_SCHED_STUCK_H_

#include <cstdint>
#include <vector>

#include "locking/executor.h"
#include "locking/finding.h"
#include "locking/stack.h"
#include "locking/thread_state.h"

namespace locking {

// A thread that has not ended, while nobody runs.
struct UnfinishedThread {
  const ThreadState* thread;  // its wait record says what it waits for
  Point next;                 // what it would do
  bool sleeps;                // for an event, not for a lock or a thread's end
  Stack stack;                // empty when no evidence is wanted
};

// Whether all of them are daemons that wait for work, which is no failure.
bool OnlyIdle(const std::vector<UnfinishedThread>& threads);

// None of `threads` can go on. LK09: some wait for each other in a circle; LK11: one waits for a
// lock whose holder has ended; else LK10: what they wait for can come from nobody. Readers of a
// lock are known as its holders only where held lists are kept.
Finding ExplainStuck(const std::vector<UnfinishedThread>& threads, bool with_evidence);

// They go on and on.
Finding ExplainLivelock(const std::vector<UnfinishedThread>& threads, std::uint32_t steps,
                        bool with_evidence);

}  // namespace locking

#endif  // LOCKING_SCHED_STUCK_H_
