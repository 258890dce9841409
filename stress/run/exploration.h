// A plan as the body of an exploration: each execution builds its own small machine, works, and
// checks what is left.
//
// Thread safety: all functions may be called by any thread.
#ifndef STRESS_RUN_EXPLORATION_H_
#define STRESS_RUN_EXPLORATION_H_

#include "locking/explore/check.h"
#include "stress/run/plan.h"

namespace stress {

// `plan` lives as long as the body. Random choices follow from the seed of the execution.
locking::explore::Body ExplorationBody(const RunPlan& plan);

}  // namespace stress

#endif  // STRESS_RUN_EXPLORATION_H_
