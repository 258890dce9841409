// `vmstress run`.
#include <cstdio>
#include <optional>

#include "stress/command/commands.h"
#include "stress/config/error.h"
#include "stress/host/crash.h"
#include "stress/host/events.h"
#include "stress/host/files.h"
#include "stress/report/run_report.h"
#include "stress/run/native_run.h"

namespace stress {

int RunCommandLine(const Invocation& invocation) {
  const RunPlan plan = PlanRun(invocation.flags);
  std::optional<OutputFile> json;
  if (invocation.flags.Given("json")) json.emplace("--json", invocation.flags.Text("json"));
  HostEvents::Install();
  const auto write_down = [&](const RunResult& result) {
    std::fputs(RunSummary(plan, result).c_str(), stdout);
    if (json.has_value()) json->Write(JsonText(RunJson(plan, result)));
  };
  CrashWatch crash(json.has_value() ? &*json : nullptr);
  const auto prepare = [&](const RunResult& result) {
    crash.Prepare(JsonText(RunJson(plan, result)), RunSummary(plan, result));
  };
  // In the thread that failed, which nobody can throw through.
  const auto write_down_at_once = [&](const RunResult& result) {
    try {
      write_down(result);
    } catch (const CommandError& error) {
      std::fprintf(stderr, "vmstress: %s\n", error.what());
    }
  };
  NativeRun run(plan, {write_down_at_once, prepare});
  std::fputs(RunHeadline(plan).c_str(), stdout);
  std::fflush(stdout);
  const RunResult result = run.Run();
  write_down(result);
  return ExitCodeOf(result.verdict);
}

}  // namespace stress
