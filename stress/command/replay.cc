// `vmstress replay FILE`.
#include <cstdio>

#include "stress/command/commands.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/files.h"
#include "stress/report/explore_report.h"
#include "stress/run/exploration.h"

namespace stress {
namespace {

namespace explore = locking::explore;

explore::Failure ReadFailure(const std::string& path) {
  explore::Failure failure;
  std::string error;
  if (!explore::ParseFailure(ReadInputFile(path, kRecordBytesMax), &failure, &error))
    FailUsage(OneLine(path) + ": " + OneLine(error));
  return failure;
}

// What the file says was run, as the flags that `explore` was given.
Settings FlagsOf(const explore::Failure& failure, const std::string& path) {
  Settings flags;
  for (const auto& [key, text] : failure.with) {
    const Setting* setting = FindSetting(key, kExploreCommand);
    if (setting == nullptr) FailUsage(OneLine(path) + ": unknown parameter " + OneLine(key));
    const std::string where = OneLine(path) + ": " + setting->key;
    flags.Set(setting->key, ParseValue(*setting, text, where), where);
  }
  return flags;
}

}  // namespace

int ReplayCommand(const Invocation& invocation) {
  if (invocation.arguments.size() != 1)
    FailUsage("replay: takes one file, as written by vmstress explore --save=DIR");
  const std::string& path = invocation.arguments.front();
  const explore::Failure failure = ReadFailure(path);
  const Exploration exploration = PlanExploration(FlagsOf(failure, path));
  const explore::ReplayResult result = explore::Replay(exploration.body, failure);
  std::printf("recorded    %s: %s\n", failure.finding.id.c_str(), failure.finding.title.c_str());
  std::printf("replayed    %u steps, trace %s, recorded trace %s\n", result.steps,
              HashText(result.trace_hash).c_str(), HashText(failure.trace_hash).c_str());
  if (result.diverged)
    FailUsage(OneLine(path) + ": this program does not follow the record: " +
              OneLine(result.divergence) + "; a replay needs the sources it was recorded with");
  if (!result.failed) {
    std::printf("verdict     clean\n");
    return kExitClean;
  }
  std::fputs(locking::FormatFinding(result.finding).c_str(), stderr);
  std::printf("verdict     failed: %s: %s\n", result.finding.id.c_str(),
              result.finding.title.c_str());
  return kExitFailed;
}

}  // namespace stress
