// Runner: runs a body once, and says what detectors found. Internal to locking/explore.
//
// Thread safety: one OS thread uses a runner.
#ifndef LOCKING_EXPLORE_RUNNER_H_
#define LOCKING_EXPLORE_RUNNER_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "locking/finding.h"
#include "locking/sched/explore_executor.h"
#include "locking/thread_state.h"

namespace locking::explore {

using Findings = std::vector<Finding>;

// Takes what a detector reports without ending the execution (a lock-order violation), each
// signature once, as strong as it came. The threads of one execution take turns, so the lock is
// never waited for.
class CollectingSink final : public FindingSink {
 public:
  void Report(Finding finding) override;
  [[noreturn]] void ReportFatal(Finding finding) override;
  Findings Take();

 private:
  std::mutex mutex_;
  Findings findings_;
};

class Runner {
 public:
  Runner(const std::function<void()>& body, RunContext run) : body_(body), run_(run) {
    run_.sink = &sink_;
  }

  // What was found, in order of time, also what does not fail. A circle of waits that was found
  // possible is confirmed by the deadlock that the execution ended in.
  Findings Run(Strategy& strategy, std::uint64_t seed, std::uint32_t max_steps, bool with_evidence);
  // The last finding ended its execution; else detectors reported all and the execution went on.
  bool ended_by_failure() const { return ended_by_failure_; }
  const ExploreExecutor& executor() const { return executor_; }

 private:
  const std::function<void()>& body_;
  RunContext run_;
  CollectingSink sink_;
  bool ended_by_failure_ = false;
  ExploreExecutor executor_;
};

}  // namespace locking::explore

#endif  // LOCKING_EXPLORE_RUNNER_H_
