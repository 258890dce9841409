// `vmstress lockorder`: runs every shipped scenario for a moment under the witness and compares the
// lock order that was observed with the order book.
#include <cstdio>
#include <optional>
#include <utility>

#include "locking/witness/order_output.h"
#include "stress/command/build_info.h"
#include "stress/command/commands.h"
#include "stress/config/embedded.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/events.h"
#include "stress/host/files.h"
#include "stress/host/machine.h"
#include "stress/report/run_report.h"
#include "stress/run/lock_order.h"
#include "stress/run/native_run.h"

namespace stress {
namespace {

constexpr char kDefaultBook[] = "ci/lock_order.toml";
constexpr std::uint64_t kOperations = 1500;  // of each scenario
constexpr std::uint64_t kThreads = 4;
constexpr std::uint64_t kSeed = 1;
// Few pages, so that every scenario needs the page daemon and swap.
constexpr std::uint64_t kPages = 256;

locking::OrderBook LoadBook(const std::string& path) {
  std::vector<std::string> errors;
  std::optional<locking::OrderBook> book =
      locking::OrderBook::Parse(ReadInputFile(path, kTextBytesMax), path, &errors);
  if (!book.has_value())
    FailUsage(errors.empty() ? OneLine(path) + ": not an order book" : OneLine(errors.front()));
  return *std::move(book);
}

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
  locking::OrderSnapshot order;
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
    const RunVerdict verdict = run.Run().verdict;
    observed.order = locking::Merge(observed.order, run.ObservedOrder());
    if (verdict != RunVerdict::kClean) observed.verdict = verdict;
    if (verdict == RunVerdict::kInterrupted) break;
  }
  observed.order = OrderOfVm(std::move(observed.order));
  return observed;
}

std::string Format(const std::string& format, const locking::OrderVerdict& verdict,
                   const locking::OrderBook& book) {
  if (format != "json") {
    const std::optional<std::string> text = locking::FormatOrder(format, verdict, book);
    if (!text.has_value()) FailNotAvailable("--format: " + format);
    return *text;
  }
  nlohmann::ordered_json json = {{"schema", "vmstress.lockorder/1"},
                                 {"build", BuildJson()},
                                 {"host", HostJson()},
                                 {"verdict", verdict.Failed() ? "failed" : "clean"}};
  const nlohmann::ordered_json order = locking::OrderJson(verdict, book);
  for (const auto& [key, value] : order.items()) json[key] = value;
  return JsonText(json);
}

}  // namespace

int LockOrderCommand(const Invocation& invocation) {
  const Settings& flags = invocation.flags;
  const std::string path = flags.Given("book") ? flags.Text("book") : kDefaultBook;
  const locking::OrderBook book = LoadBook(path);
  std::optional<OutputFile> out, updated;
  if (flags.Given("out")) out.emplace("--out", flags.Text("out"));
  if (flags.Enabled("update")) updated.emplace("--book", path);
  HostEvents::Install();
  const Observed observed = Observe();
  if (observed.verdict == RunVerdict::kInterrupted) return kExitInterrupted;
  const locking::OrderVerdict verdict = locking::CheckOrder(book, observed.order, Today());
  const std::string text = Format(flags.Text("format"), verdict, book);
  if (!out.has_value()) std::fputs(text.c_str(), stdout);
  try {
    if (out.has_value()) out->Write(text);
  } catch (const CommandError&) {
    std::fputs(text.c_str(), stdout);  // rather than lost
    throw;
  }
  if (updated.has_value()) {
    updated->Write(locking::UpdatedBook(book, verdict));
    return kExitClean;
  }
  const bool failed = verdict.Failed() || observed.verdict == RunVerdict::kFailed;
  return failed ? kExitFailed : kExitClean;
}

}  // namespace stress
