// Check: runs any body many times under controlled schedules and says which of them fail.
//
//   Result result = explore::Check([] {
//     Mutex mutex(kSomeClass);
//     Thread other("other", [&] { MutexGuard guard(mutex); ... });
//     ...
//     other.Join();
//     explore::Expect(sum == 3, "both additions count");
//   }, {.executions = 10'000});
//
// The body makes what it needs, uses the primitives of locking/ alone to synchronise, and joins its
// threads; it is the same in each execution: what differs is the schedule. Random numbers come from
// explore::Seed().
//
// Thread safety: Check may run in several OS threads at once.
#ifndef LOCKING_EXPLORE_CHECK_H_
#define LOCKING_EXPLORE_CHECK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "locking/explore/failure.h"
#include "locking/finding.h"
#include "locking/sched/explore_executor.h"
#include "locking/site.h"
#include "locking/thread_state.h"

namespace locking::explore {

using Body = std::function<void()>;

struct Options {
  std::string test{};  // what failure files call the body
  std::string strategy = "random";
  std::uint64_t seed = 1;
  std::uint64_t executions = 1'000;                             // at most
  std::uint32_t max_steps = ExploreExecutor::kDefaultMaxSteps;  // scheduling points an execution
  std::uint32_t depth = 3;                                      // of the strategies that have one
  bool keep_going = false;                                      // after the first failure
  std::uint32_t jobs = 1;           // OS threads; the result does not depend on it
  std::uint32_t max_failures = 50;  // different ones that are kept, and as many that are listed
  // For each circle of waits that is found possible (tier provable, class-only or gated), at most:
  // further executions that try to force it, with its threads kept where they would wait. 0: none.
  std::uint32_t directed_executions = 100;
  RunContext run{};              // of the body: its witness, statistics; the sink is Check's own
  std::function<bool()> stop{};  // asked between executions; true: end here
};

struct Result {
  std::string error;  // not empty: nothing was run, and why (an unknown strategy)
  std::string strategy;
  std::uint64_t executions = 0;
  std::uint64_t scheduling_points = 0;
  double seconds = 0;
  double executions_per_second = 0;
  std::uint64_t failed_executions = 0;
  std::optional<std::uint64_t> first_failure_execution;  // from 1
  bool exhausted = false;                                // the strategy has nothing left to try
  bool interrupted = false;                              // `stop` said so
  // Of every point of every execution, directed ones too: kind, thread, lock class and call site.
  // Equal for equal options and programs, whatever the machine and the number of jobs.
  std::uint64_t trace_hash = 0;
  // One of each signature, in order of appearance. One execution may give several: those that its
  // detectors reported, then the one that ended it.
  std::vector<Failure> failures;
  std::vector<Failure> listed;         // the same of what fails nothing
  std::uint64_t failures_dropped = 0;  // different ones beyond max_failures, of both
  // They come after the others, whose numbers they continue; they are not among `executions`.
  std::uint64_t directed_executions = 0;
  bool ok() const { return error.empty() && failed_executions == 0 && failures.empty(); }
};

Result Check(const Body& body, const Options& options = {});

struct ReplayResult {
  bool failed = false;
  // The program did not follow the record: it is another program, or something in it does not go
  // through locking/ (time, addresses, randomness, OS threads). `divergence` says where.
  bool diverged = false;
  std::string divergence;
  // When it failed: with held locks and stacks; of several that which was recorded.
  Finding finding;
  std::uint32_t steps = 0;
  std::uint64_t trace_hash = 0;
};

// Runs `body` once, with the schedule of `failure`.
ReplayResult Replay(const Body& body, const Failure& failure, const RunContext& run = {});

// In a body: ends the execution with a finding CHECK unless `condition` holds. Ends the process in
// a native run.
void Expect(bool condition, const char* text, Site site = Site::current());

// The seed of the execution that runs, for a body's own random numbers; 0 in a native run.
std::uint64_t Seed();

// The seed of one execution of a Check.
std::uint64_t ExecutionSeed(std::uint64_t seed, std::uint64_t execution);

}  // namespace locking::explore

#endif  // LOCKING_EXPLORE_CHECK_H_
