// Runs under the watchdog whose threads never end. The sink ends the process, as that of a run
// does, so each stands in a death test.
#ifndef TESTS_WITNESS_HANGING_RUN_H_
#define TESTS_WITNESS_HANGING_RUN_H_

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "locking/thread.h"
#include "locking/witness/lock_order_witness.h"
#include "locking/witness/watchdog.h"

namespace locking {

inline constexpr std::uint64_t kShortPeriodNs = 20'000'000;

// Prints the finding and ends the process with exit code 42.
class ExitingSink : public FindingSink {
 public:
  void Report(Finding) override {}  // the order of the locks is reported too
  [[noreturn]] void ReportFatal(Finding finding) override {
    std::fputs(FormatFinding(finding).c_str(), stderr);
    std::_Exit(42);
  }
};

// All threads of a test arrive before one goes on. The watchdog does not see it.
class Meeting {
 public:
  explicit Meeting(int all) : missing_(all) {}
  void Arrive() {
    missing_.fetch_sub(1);
    while (missing_.load() > 0) std::this_thread::yield();
  }

 private:
  std::atomic<int> missing_;
};

// A run with a watchdog, whose threads never end.
class HangingRun {
 public:
  explicit HangingRun(std::uint64_t stall_ns = kStallNs)
      : former_(SetRunContext(Context())),
        watchdog_({context_.id, &sink_, kShortPeriodNs, stall_ns}) {}
  template <typename... Body>
  [[noreturn]] void Run(Body... body) {
    alarm(120);  // a watchdog that sees nothing ends the test, not the build
    int n = 0;
    (threads_.emplace_back("thread " + std::to_string(++n), body), ...);
    for (Thread& thread : threads_) thread.Join();
    std::_Exit(0);
  }

 private:
  RunContext Context() {
    context_.sink = &sink_;
    context_.witness = &witness_;
    context_.id = NextRunId();
    return context_;
  }
  ExitingSink sink_;
  LockOrderWitness witness_;
  RunContext context_;
  RunContext former_;
  Watchdog watchdog_;
  std::vector<Thread> threads_;
};

}  // namespace locking

#endif  // TESTS_WITNESS_HANGING_RUN_H_
