// `vmstress run`.
#include <cstdio>
#include <optional>

#include "stress/command/commands.h"
#include "stress/config/error.h"
#include "stress/host/events.h"
#include "stress/host/files.h"
#include "stress/report/run_report.h"
#include "stress/run/native_run.h"

namespace stress {
namespace {

int ExitCodeOf(RunVerdict verdict) {
  switch (verdict) {
    case RunVerdict::kClean:
      return kExitClean;
    case RunVerdict::kFailed:
      return kExitFailed;
    case RunVerdict::kInterrupted:
      break;
  }
  return kExitInterrupted;
}

}  // namespace

int RunCommandLine(const Invocation& invocation) {
  const RunPlan plan = PlanRun(invocation.flags);
  std::optional<OutputFile> json;
  if (invocation.flags.Given("json")) json.emplace("--json", invocation.flags.Text("json"));
  HostEvents::Install();
  std::fputs(RunHeadline(plan).c_str(), stdout);
  std::fflush(stdout);
  const auto write_down = [&](const RunResult& result) {
    if (json.has_value()) json->Write(JsonText(RunJson(plan, result)));
    std::fputs(RunSummary(plan, result).c_str(), stdout);
  };
  NativeRun run(plan, write_down);
  const RunResult result = run.Run();
  write_down(result);
  return ExitCodeOf(result.verdict);
}

}  // namespace stress
