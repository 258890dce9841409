// RunPlan: a scenario and its flags with every default filled in, checked against the host.
#ifndef STRESS_RUN_PLAN_H_
#define STRESS_RUN_PLAN_H_

#include <cstdint>
#include <string>

#include "locking/limits.h"
#include "stress/config/scenario.h"
#include "stress/run/findings.h"
#include "stress/world/fault_sequence.h"
#include "stress/world/world.h"
#include "vm/config.h"

namespace stress {

struct RunPlan {
  Scenario scenario;
  vm::SystemConfig machine;
  WorldConfig world;
  std::string store = "memory";  // or "file:PATH"
  StoreFaults store_faults;
  std::uint32_t threads = 1;
  std::uint64_t seed = 0;
  std::uint64_t operations = 0;   // 0: until duration_ns
  std::uint64_t duration_ns = 0;  // 0: until the operations are done
  std::uint64_t sweep_interval_ns = 0;
  locking::Limits::Bounds limits;
  WitnessMode witness = WitnessMode::kOn;
  bool keep_going = false;
  bool progress = false;
  bool counters = false;  // a line every second
  bool pin = false;
  std::string replay;  // the command that runs it again
};

// The pages of a machine for which nobody said how many: the usual number, or what fits in half of
// the memory that is available.
std::uint32_t DefaultPages(const Settings& settings, std::uint64_t available_bytes);
// For `vmstress run`. Throws CommandError: 2 for what cannot be, 3 for what this host cannot do.
RunPlan PlanRun(const Settings& flags);
// For an exploration: a small machine, few threads and few operations unless the flags say
// otherwise.
RunPlan PlanExploredRun(const Settings& flags);

}  // namespace stress

#endif  // STRESS_RUN_PLAN_H_
