// What an exploration runs: a scenario on a small machine, or one of the named programs. Either is
// run under a witness of its own in each execution, so that an execution says what it says by
// itself.
//
// Thread safety: plain values; a body may be called by any thread.
#ifndef STRESS_RUN_EXPLORATION_H_
#define STRESS_RUN_EXPLORATION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "locking/explore/check.h"
#include "stress/run/plan.h"
#include "vm/system.h"

namespace stress {

struct Exploration {
  std::string name;             // what its failure files begin with
  std::string headline;         // one line
  locking::explore::Body body;  // random choices follow from the seed of the execution
  std::uint64_t seed = 1;       // of the whole exploration
  std::uint32_t max_steps = 0;  // scheduling points of an execution; more are a livelock
  std::string replay;           // the command that runs all of it again
  std::map<std::string, std::string> with;  // what a failure file says, so that it is built again
};

// Whoever wants to see the machine of an execution: called once in each that fails, when all its
// threads have unwound; or, `at_end`, when its workers have ended.
struct MachineLook {
  std::function<void(vm::System&)> look = {};
  bool at_end = false;
};

// For `vmstress explore`, by its flags, and for a replay, by what its file says. Throws
// CommandError: 2 for what cannot be, 3 for what this host cannot do.
Exploration PlanExploration(const Settings& flags, MachineLook look = {});
// A plan as a body: each execution builds its own machine, works, and checks what is left.
locking::explore::Body ExplorationBody(const RunPlan& plan, MachineLook look = {});

}  // namespace stress

#endif  // STRESS_RUN_EXPLORATION_H_
