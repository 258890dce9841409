// `vmstress explore`.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "stress/command/commands.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/crash.h"
#include "stress/host/events.h"
#include "stress/host/files.h"
#include "stress/host/machine.h"
#include "stress/report/explore_report.h"
#include "stress/report/run_report.h"
#include "stress/run/exploration.h"

namespace stress {
namespace {

namespace explore = locking::explore;

explore::Options OptionsOf(const Exploration& exploration, const Settings& flags) {
  explore::Options options;
  options.test = exploration.name;
  options.strategy = flags.Text("strategy");
  options.seed = exploration.seed;
  options.executions = flags.Number("executions");
  options.depth = static_cast<std::uint32_t>(flags.Number("depth"));
  options.max_steps = exploration.max_steps;
  options.keep_going = flags.Enabled("keep_going");
  options.jobs =
      flags.Given("jobs") ? static_cast<std::uint32_t>(flags.Number("jobs")) : UsableCores();
  options.stop = HostEvents::interrupted;
  return options;
}

// "abba-12.replay", and "abba-12-2.replay" for the second finding of that execution.
std::string FileNameOf(const Exploration& exploration, const explore::Result& result,
                       std::size_t index) {
  const std::uint64_t execution = result.failures[index].execution;
  const auto former = std::count_if(
      result.failures.begin(), result.failures.begin() + static_cast<std::ptrdiff_t>(index),
      [&](const explore::Failure& failure) { return failure.execution == execution; });
  std::string name = exploration.name + "-" + std::to_string(execution);
  if (former > 0) name += "-" + std::to_string(former + 1);
  return name + ".replay";
}

// Gives each failure the command that replays it, and saves it where that was asked for. Returns
// why one could not be saved, or "".
std::string Finish(const Exploration& exploration, const Settings& flags, explore::Result* result) {
  std::string not_saved;
  for (std::size_t i = 0; i < result->failures.size(); ++i) {
    explore::Failure& failure = result->failures[i];
    failure.with = exploration.with;
    failure.finding.replay = exploration.replay;
    if (!flags.Given("save")) continue;
    const std::string path = flags.Text("save") + "/" + FileNameOf(exploration, *result, i);
    std::string error;
    if (explore::SaveFailure(failure, path, &error))
      failure.finding.replay = "vmstress replay " + ShellWord(path);
    else
      not_saved = "--save: " + OneLine(error);
  }
  for (explore::Failure& listed : result->listed) listed.finding.replay = exploration.replay;
  return not_saved;
}

// Which execution it will be is not known beforehand; the whole exploration meets it again.
void PrepareForCrash(const Exploration& exploration, const Settings& flags, CrashWatch* crash) {
  explore::Result result;
  result.strategy = flags.Text("strategy");
  result.failed_executions = 1;
  result.failures.resize(1);
  result.failures[0].finding = BlankFinding(exploration.replay);
  crash->Prepare(JsonText(ExploreJson(exploration, result)), ExploreSummary(exploration, result));
}

}  // namespace

int ExploreCommand(const Invocation& invocation) {
  const Settings& flags = invocation.flags;
  const Exploration exploration = PlanExploration(flags);
  std::optional<OutputFile> json;
  std::optional<OutputFolder> saved;
  if (flags.Given("json")) json.emplace("--json", flags.Text("json"));
  if (flags.Given("save")) saved.emplace("--save", flags.Text("save"));
  HostEvents::Install();
  CrashWatch crash(json.has_value() ? &*json : nullptr);
  PrepareForCrash(exploration, flags, &crash);
  std::fputs(exploration.headline.c_str(), stdout);
  std::fflush(stdout);
  explore::Result result = explore::Check(exploration.body, OptionsOf(exploration, flags));
  if (!result.error.empty()) FailUsage("explore: " + result.error);
  const std::string not_saved = Finish(exploration, flags, &result);
  for (const std::vector<explore::Failure>* list : {&result.failures, &result.listed})
    for (const explore::Failure& failure : *list)
      std::fputs(locking::FormatFinding(failure.finding).c_str(), stderr);
  std::fputs(ExploreSummary(exploration, result).c_str(), stdout);
  if (json.has_value()) json->Write(JsonText(ExploreJson(exploration, result)));
  if (!not_saved.empty()) FailHost(not_saved);
  if (!result.ok()) return kExitFailed;
  return result.interrupted ? kExitInterrupted : kExitClean;
}

}  // namespace stress
