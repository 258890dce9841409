#include "stress/run/exploration.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "locking/explore/programs.h"
#include "locking/witness/scoped_witness.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/report/run_report.h"
#include "stress/run/crew.h"
#include "stress/run/store.h"
#include "vm/check.h"
#include "vm/system.h"

namespace stress {
namespace {

namespace explore = locking::explore;

// Scheduling points that an operation may take before the execution is called a livelock: the
// longest ones wait for the page daemon to write many pages.
constexpr std::uint64_t kMaxStepsPerOperation = 50'000;

// Reports all of them; a machine that is wrong goes no further.
void FailOnAny(std::vector<locking::Finding> findings, const Crew& crew) {
  if (findings.empty()) return;
  for (locking::Finding& finding : findings)
    if (finding.log_tail.empty()) finding.log_tail = crew.LogTail("");
  locking::Finding last = std::move(findings.back());
  findings.pop_back();
  for (locking::Finding& finding : findings) locking::ReportFinding(std::move(finding));
  locking::Fail(std::move(last));
}

// Of one execution.
class Looking {
 public:
  Looking(vm::System& system, const MachineLook& look) : system_(system), look_(look) {}
  // Before its end: the execution was given up, and locks are there for the taking.
  ~Looking() {
    if (!ended_ && look_.look) look_.look(system_);
  }
  Looking(const Looking&) = delete;

  void WorkersHaveEnded() {
    if (!look_.at_end) return;
    look_.look(system_);
    ended_ = true;
  }
  void ExecutionHasEnded() { ended_ = true; }

 private:
  vm::System& system_;
  const MachineLook& look_;
  bool ended_ = false;
};

void RunOnce(const RunPlan& plan, const MachineLook& look) {
  const std::uint64_t seed = explore::Seed();
  vm::System system(plan.machine, OpenStore(plan, seed).store);
  Looking looking(system, look);
  system.Start();
  WorldConfig world_config = plan.world;
  world_config.salt = seed;
  World world(system, world_config);
  Crew crew(world, plan.scenario.workers, {plan.threads, seed, plan.operations}, nullptr, {});
  crew.Start();
  crew.Join();
  system.Stop();
  looking.WorkersHaveEnded();
  FailOnAny(vm::CheckSystem(system), crew);
  world.ExitAll();
  FailOnAny(vm::CheckSystem(system), crew);
  FailOnAny(vm::CheckNoLeaks(system), crew);
  looking.ExecutionHasEnded();
}

// "mixed" of "dir/mixed.toml": what file names begin with.
std::string StemOf(const std::string& scenario) {
  std::string stem = scenario.substr(scenario.rfind('/') + 1);
  if (stem.ends_with(".toml")) stem.resize(stem.size() - 5);
  return stem;
}

// `command` with those of `keys` that were given as flags.
std::string WithFlags(std::string command, const Settings& flags,
                      std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (flags.Given(key)) command += " " + FlagOf(key) + "=" + flags.Text(key);
  return command;
}

Exploration OfScenario(const Settings& flags, MachineLook look) {
  const RunPlan plan = PlanExploredRun(flags);
  Exploration exploration;
  exploration.name = StemOf(plan.scenario.name);
  exploration.headline = RunHeadline(plan);
  exploration.body = ExplorationBody(plan, std::move(look));
  exploration.seed = plan.seed;
  exploration.max_steps = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      plan.operations * kMaxStepsPerOperation, locking::ExploreExecutor::kDefaultMaxSteps, ~0u));
  exploration.replay = plan.replay;
  exploration.with = {{"scenario", plan.scenario.name},
                      {"threads", std::to_string(plan.threads)},
                      {"operations", std::to_string(plan.operations)},
                      {"pages", std::to_string(plan.machine.pages)},
                      {"page_size", std::to_string(plan.machine.page_size)},
                      {"cpus", std::to_string(plan.machine.cpus)},
                      {"swap_slots", std::to_string(plan.machine.swap_slots)},
                      {"locks", vm::LockDialectName(plan.machine.locks)},
                      {"index", vm::IndexKindName(plan.machine.index)},
                      {"idle_zero", plan.machine.idle_zero ? "true" : "false"},
                      {"reservation_pages", std::to_string(plan.machine.reservation_pages)},
                      {"device_frames", std::to_string(plan.machine.device_frames)},
                      {"holes", plan.scenario.settings.Text("holes")},
                      {"commit_percent", plan.scenario.settings.Text("commit_percent")},
                      {"charge_percent", plan.scenario.settings.Text("charge_percent")}};
  return exploration;
}

const explore::Program& ProgramOf(const Settings& flags) {
  const std::string name = flags.Text("test");
  if (const explore::Program* program = explore::FindProgram(name)) return *program;
  std::vector<std::string> names;
  for (const explore::Program& program : explore::Programs()) names.push_back(program.name);
  FailUsage(flags.Origin("test") + ": there is no test \"" + OneLine(name) + "\"" +
            DidYouMean(name, names) + "; see vmstress list tests");
}

// A program has its own threads and no machine.
void RefuseFlagsOfScenarios(const Settings& flags) {
  for (const Setting& setting : AllSettings()) {
    const std::string_view key = setting.key;
    const bool of_scenario = key == "scenario" || key == "threads" || key == "operations" ||
                             key == "commit_percent" || key == "charge_percent" ||
                             setting.section == Section::kMachine;
    if (of_scenario && flags.Given(key))
      FailUsage(flags.Origin(key) + ": is for scenarios; it does not go with --test");
  }
}

Exploration OfProgram(const Settings& flags) {
  RefuseFlagsOfScenarios(flags);
  const explore::Program& program = ProgramOf(flags);
  Exploration exploration;
  exploration.name = program.name;
  exploration.seed = flags.Given("seed") ? flags.Number("seed") : exploration.seed;
  exploration.headline =
      "test        " + program.name + ", seed " + std::to_string(exploration.seed) + "\n";
  exploration.body = [body = program.body] {
    locking::ScopedWitness witnessed;
    body();
  };
  exploration.max_steps = locking::ExploreExecutor::kDefaultMaxSteps;
  exploration.replay = WithFlags(
      "vmstress explore --test=" + program.name + " --seed=" + std::to_string(exploration.seed),
      flags, {"strategy", "depth", "executions"});
  exploration.with = {{"test", program.name}};
  return exploration;
}

}  // namespace

Exploration PlanExploration(const Settings& flags, MachineLook look) {
  return flags.Given("test") ? OfProgram(flags) : OfScenario(flags, std::move(look));
}

explore::Body ExplorationBody(const RunPlan& plan, MachineLook look) {
  return [plan, look = std::move(look)] {
    locking::ScopedWitness witnessed;
    RunOnce(plan, look);
  };
}

}  // namespace stress
