// `vmstress lockorder`: runs every shipped scenario for a moment under the witness and compares the
// lock order that was observed with the order book.
#include <cstdio>
#include <optional>

#include "stress/command/commands.h"
#include "stress/command/order_command.h"
#include "stress/config/embedded.h"
#include "stress/config/error.h"
#include "stress/host/events.h"
#include "stress/host/files.h"
#include "stress/report/run_report.h"
#include "stress/run/lock_order.h"
#include "stress/run/native_run.h"

namespace stress {
namespace {

constexpr std::uint64_t kOperations = 1500;  // of each scenario
constexpr std::uint64_t kThreads = 4;
constexpr std::uint64_t kSeed = 1;
// Few pages, so that every scenario needs the page daemon and swap.
constexpr std::uint64_t kPages = 256;

RunPlan PlanOf(const std::string& scenario) {
  Settings flags;
  const auto set = [&](const char* key, std::uint64_t number) {
    flags.Set(key, {number, std::to_string(number)}, FlagOf(key));
  };
  flags.Set("scenario", {0, scenario}, "--scenario");
  set("operations", kOperations);
  set("threads", kThreads);
  set("seed", kSeed);
  set("pages", kPages);
  return PlanRun(flags);
}

struct Observed {
  OrderResult result;
  RunVerdict verdict = RunVerdict::kClean;
};

Observed Observe() {
  Observed observed;
  for (const EmbeddedFile& scenario : EmbeddedScenarios()) {
    const RunPlan plan = PlanOf(std::string(scenario.name));
    const auto print = [&](const RunResult& result) {
      std::fputs(RunSummary(plan, result).c_str(), stderr);
    };
    NativeRun run(plan, {.write_result = print, .prepare_for_crash = [](const RunResult&) {}});
    const RunResult result = run.Run();
    OrderResult shown{OrderOfVm(run.ObservedOrder()), result.findings};
    locking::NameRun(std::string(scenario.name), &shown.order);
    MergeInto(&observed.result, shown);
    if (result.verdict != RunVerdict::kClean) observed.verdict = result.verdict;
    if (result.verdict == RunVerdict::kInterrupted) break;
  }
  return observed;
}

}  // namespace

int LockOrderCommand(const Invocation& invocation) {
  const OrderCommand command(invocation);
  std::optional<OutputFile> updated;
  if (invocation.flags.Enabled("update")) updated.emplace("--book", command.book_path());
  HostEvents::Install();
  const Observed observed = Observe();
  if (observed.verdict == RunVerdict::kInterrupted) return kExitInterrupted;
  const OrderJudgement judged = command.Judge(observed.result);
  command.Write(judged);
  if (updated.has_value()) {
    updated->Write(locking::UpdatedBook(judged.book, judged.order));
    return kExitClean;
  }
  return judged.Failed() ? kExitFailed : kExitClean;
}

}  // namespace stress
