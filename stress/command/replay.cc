// `vmstress replay FILE`.
#include <cstdio>

#include "stress/command/commands.h"
#include "stress/command/recorded_failure.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/files.h"
#include "stress/report/explore_report.h"
#include "stress/run/exploration.h"

namespace stress {

namespace explore = locking::explore;

int ReplayCommand(const Invocation& invocation) {
  if (invocation.arguments.size() != 1)
    FailUsage("replay: takes one file, as written by vmstress explore --save=DIR");
  const std::string& path = invocation.arguments.front();
  const explore::Failure failure = ReadFailure(ReadInputFile(path, kRecordBytesMax), path);
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
