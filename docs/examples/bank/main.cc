// bank [--mended] [--explore]: two threads move money, natively or under many schedules, and a
// witness looks on. Exit codes: 0 clean, 1 failure found, 2 bad usage.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>

#include "docs/examples/bank/bank.h"
#include "locking/explore/check.h"
#include "locking/finding.h"
#include "locking/thread.h"
#include "locking/witness/lock_order_witness.h"
#include "locking/witness/scoped_witness.h"
#include "locking/witness/watchdog.h"

namespace bank {
namespace {

using Body = std::function<void()>;

void MoveMoney(bool mended) {
  Bank bank;
  locking::Thread saver("saver", [&] { bank.Save(10); });
  locking::Thread spender("spender", [&] { mended ? bank.Spend(10) : bank.SpendInReverse(10); });
}

// Prints what is found, and knows whether the run failed by it.
class Reports : public locking::FindingSink {
 public:
  void Report(locking::Finding finding) override {
    if (locking::FailsRun(finding)) failed_ = true;
    std::fputs(locking::FormatFinding(finding).c_str(), stderr);
  }
  [[noreturn]] void ReportFatal(locking::Finding finding) override {
    Report(std::move(finding));
    std::_Exit(EXIT_FAILURE);
  }
  bool failed() const { return failed_; }

 private:
  std::atomic<bool> failed_{false};
};

bool RunsCleanNatively(const Body& body) {
  Reports reports;
  locking::LockOrderWitness witness;
  locking::RunContext run;
  run.sink = &reports;
  run.witness = &witness;
  run.id = locking::NextRunId();
  locking::Watchdog watchdog({.run_id = run.id, .sink = &reports});
  const locking::RunContext former = locking::SetRunContext(run);
  body();
  locking::SetRunContext(former);
  return !reports.failed();
}

bool RunsCleanExplored(const Body& body) {
  const auto watched = [&] {
    locking::ScopedWitness witness;
    body();
  };
  const locking::explore::Result result = locking::explore::Check(watched, {.executions = 1000});
  for (const locking::explore::Failure& failure : result.failures)
    std::fputs(locking::FormatFinding(failure.finding).c_str(), stderr);
  return result.ok();
}

}  // namespace
}  // namespace bank

int main(int argc, char** argv) {
  bool mended = false, explored = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    mended = mended || flag == "--mended";
    explored = explored || flag == "--explore";
    if (flag == "--mended" || flag == "--explore") continue;
    std::fprintf(stderr, "bank: unknown flag %s; accepted: --mended, --explore\n", argv[i]);
    return 2;
  }
  const bank::Body body = [mended] { bank::MoveMoney(mended); };
  const bool clean = explored ? bank::RunsCleanExplored(body) : bank::RunsCleanNatively(body);
  return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
