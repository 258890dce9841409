// `vmstress explore`.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "stress/command/commands.h"
#include "stress/config/error.h"
#include "stress/host/events.h"
#include "stress/host/files.h"
#include "stress/host/machine.h"
#include "stress/report/explore_report.h"
#include "stress/report/run_report.h"
#include "stress/run/exploration.h"

namespace stress {
namespace {

namespace explore = locking::explore;

// Scheduling points that an operation may take before the execution is called a livelock: the
// longest ones wait for the page daemon to write many pages.
constexpr std::uint64_t kMaxStepsPerOperation = 50'000;

// "mixed" of "dir/mixed.toml": what file names begin with.
std::string StemOf(const std::string& scenario) {
  std::string stem = scenario.substr(scenario.rfind('/') + 1);
  if (stem.ends_with(".toml")) stem.resize(stem.size() - 5);
  return stem;
}

explore::Options OptionsOf(const RunPlan& plan, const Settings& flags) {
  explore::Options options;
  options.test = StemOf(plan.scenario.name);
  options.strategy = flags.Text("strategy");
  options.seed = plan.seed;
  options.executions = flags.Number("executions");
  options.depth = static_cast<std::uint32_t>(flags.Number("depth"));
  options.max_steps = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(plan.operations * kMaxStepsPerOperation, options.max_steps, ~0u));
  options.keep_going = plan.keep_going;
  options.jobs =
      flags.Given("jobs") ? static_cast<std::uint32_t>(flags.Number("jobs")) : HostCores();
  options.stop = HostEvents::interrupted;
  return options;
}

// Gives each failure the command that replays it, and saves it where that was asked for.
void Finish(const RunPlan& plan, const Settings& flags, explore::Result* result) {
  for (explore::Failure& failure : result->failures) {
    failure.with = plan.with;
    failure.finding.replay = plan.replay;
    if (!flags.Given("save")) continue;
    const std::string path = flags.Text("save") + "/" + StemOf(plan.scenario.name) + "-" +
                             std::to_string(failure.execution) + ".replay";
    std::string error;
    if (!explore::SaveFailure(failure, path, &error)) FailHost("--save: " + error);
    failure.finding.replay = "vmstress replay " + path;
  }
}

}  // namespace

int ExploreCommand(const Invocation& invocation) {
  const Settings& flags = invocation.flags;
  const RunPlan plan = PlanExploration(flags);
  std::optional<OutputFile> json;
  if (flags.Given("json")) json.emplace("--json", flags.Text("json"));
  if (flags.Given("save")) PrepareFolder("--save", flags.Text("save"));
  HostEvents::Install();
  std::fputs(RunHeadline(plan).c_str(), stdout);
  std::fflush(stdout);
  explore::Result result = explore::Check(ExplorationBody(plan), OptionsOf(plan, flags));
  if (!result.error.empty()) FailUsage("explore: " + result.error);
  Finish(plan, flags, &result);
  for (const explore::Failure& failure : result.failures)
    std::fputs(locking::FormatFinding(failure.finding).c_str(), stderr);
  if (json.has_value()) json->Write(JsonText(ExploreJson(plan, result)));
  std::fputs(ExploreSummary(plan, result).c_str(), stdout);
  if (!result.ok()) return kExitFailed;
  return result.interrupted ? kExitInterrupted : kExitClean;
}

}  // namespace stress
