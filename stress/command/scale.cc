// `vmstress scale`.
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "stress/command/commands.h"
#include "stress/config/error.h"
#include "stress/host/crash.h"
#include "stress/host/events.h"
#include "stress/host/files.h"
#include "stress/report/run_report.h"
#include "stress/report/scale_plot.h"
#include "stress/report/scale_report.h"
#include "stress/run/scaling.h"

namespace stress {

int ScaleCommand(const Invocation& invocation) {
  const Settings& flags = invocation.flags;
  const ScalePlan plan = PlanScaling(flags);
  std::optional<OutputFile> json, plot;
  std::optional<OutputFolder> report;
  if (flags.Given("json")) json.emplace("--json", flags.Text("json"));
  if (flags.Given("report")) {
    report.emplace("--report", flags.Text("report"));
    plot.emplace("--report", flags.Text("report") + "/scale.svg");
  }
  HostEvents::Install();
  const auto write_down = [&](const ScaleResult& result) {
    std::fputs(ScaleSummary(plan, result).c_str(), stdout);
    // Where one cannot be written, the other is not lost.
    std::exception_ptr not_written;
    const auto write = [&](const std::optional<OutputFile>& file, const std::string& content) {
      try {
        if (file.has_value()) file->Write(content);
      } catch (const CommandError&) {
        if (not_written == nullptr) not_written = std::current_exception();
      }
    };
    write(json, JsonText(ScaleJson(plan, result)));
    write(plot, ScalePlot(plan, result));
    if (not_written != nullptr) std::rethrow_exception(not_written);
  };
  // In the thread that failed, which nobody can throw through.
  const auto write_down_at_once = [&](const ScaleResult& result) {
    try {
      write_down(result);
    } catch (const CommandError& error) {
      std::fprintf(stderr, "vmstress: %s\n", error.what());
    }
  };
  CrashWatch crash(json.has_value() ? &*json : nullptr);
  const auto prepare = [&](const ScaleResult& result) {
    crash.Prepare(JsonText(ScaleJson(plan, result)), ScaleSummary(plan, result));
  };
  std::fputs(ScaleHeadline(plan).c_str(), stdout);
  std::fflush(stdout);
  const ScaleResult result = MeasureScaling(plan, {write_down_at_once, prepare});
  write_down(result);
  return ExitCodeOf(result.verdict);
}

}  // namespace stress
