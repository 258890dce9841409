// `vmstress lockorder`: runs every shipped scenario for a moment under the witness, with each
// granularity of the locks, and compares the lock order that was observed with the order book.
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

constexpr std::uint64_t kOperations = 1500;     // of each scenario
constexpr std::uint64_t kOperationsMore = 500;  // the same with locks that are not the usual ones
constexpr std::uint64_t kThreads = 4;
constexpr std::uint64_t kSeed = 1;
// Few pages, so that every scenario needs the page daemon and swap.
constexpr std::uint64_t kPages = 256;

RunPlan PlanOf(const std::string& scenario, vm::LockDialect locks) {
  Settings flags;
  const auto set = [&](const char* key, std::uint64_t number) {
    flags.Set(key, {number, std::to_string(number)}, FlagOf(key));
  };
  flags.Set("scenario", {0, scenario}, "--scenario");
  flags.Set("locks", {0, vm::LockDialectName(locks)}, "--locks");
  set("operations", locks == vm::SystemConfig().locks ? kOperations : kOperationsMore);
  set("threads", kThreads);
  set("seed", kSeed);
  set("pages", kPages);
  return PlanRun(flags);
}

struct Observed {
  OrderResult result;
  RunVerdict verdict = RunVerdict::kClean;
};

// Adds what one scenario shows.
void Observe(const std::string& scenario, vm::LockDialect locks, Observed* observed) {
  const RunPlan plan = PlanOf(scenario, locks);
  const auto print = [&](const RunResult& result) {
    std::fputs(RunSummary(plan, result).c_str(), stderr);
  };
  NativeRun run(plan, {.write_result = print, .prepare_for_crash = [](const RunResult&) {}});
  const RunResult result = run.Run();
  OrderResult shown{OrderOfVm(run.ObservedOrder()), result.findings};
  locking::NameRun(scenario + ", locks " + vm::LockDialectName(locks), &shown.order);
  MergeInto(&observed->result, shown);
  if (result.verdict != RunVerdict::kClean) observed->verdict = result.verdict;
}

Observed ObserveAll() {
  Observed observed;
  for (const vm::LockDialect locks : vm::kLockDialects) {
    for (const EmbeddedFile& scenario : EmbeddedScenarios()) {
      Observe(std::string(scenario.name), locks, &observed);
      if (observed.verdict == RunVerdict::kInterrupted) return observed;
    }
  }
  return observed;
}

}  // namespace

int LockOrderCommand(const Invocation& invocation) {
  const OrderCommand command(invocation);
  std::optional<OutputFile> updated;
  if (invocation.flags.Enabled("update")) updated.emplace("--book", command.book_path());
  HostEvents::Install();
  const Observed observed = ObserveAll();
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
