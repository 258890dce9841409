#include "stress/run/exploration.h"

#include <utility>

#include "stress/run/crew.h"
#include "vm/check.h"
#include "vm/system.h"

namespace stress {
namespace {

void FailOnFirst(std::vector<locking::Finding> findings, const Crew& crew) {
  if (findings.empty()) return;
  locking::Finding& first = findings.front();
  if (first.log_tail.empty()) first.log_tail = crew.LogTail("");
  locking::Fail(std::move(first));
}

void RunOnce(const RunPlan& plan) {
  const std::uint64_t seed = locking::explore::Seed();
  vm::System system(plan.machine);
  system.Start();
  WorldConfig world_config = plan.world;
  world_config.salt = seed;
  World world(system, world_config);
  Crew crew(world, plan.scenario.workers, {plan.threads, seed, plan.operations}, nullptr, {});
  crew.Start();
  crew.Join();
  system.Stop();
  FailOnFirst(vm::CheckSystem(system), crew);
  world.ExitAll();
  FailOnFirst(vm::CheckSystem(system), crew);
  FailOnFirst(vm::CheckNoLeaks(system), crew);
}

}  // namespace

locking::explore::Body ExplorationBody(const RunPlan& plan) {
  return [&plan] { RunOnce(plan); };
}

}  // namespace stress
