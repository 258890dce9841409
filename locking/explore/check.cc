#include "locking/explore/check.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "locking/evidence.h"
#include "locking/explore/strategies.h"
#include "locking/futex.h"
#include "locking/hash.h"
#include "locking/random.h"
#include "locking/thread.h"

namespace locking::explore {
namespace {

// Executions that the workers share out among themselves before the results are put together.
constexpr std::uint64_t kRoundPerJob = 1024;
// Steps after which a replay that outran its record is ended.
constexpr std::uint64_t kStepsBeyondRecord = 1000;

using Findings = std::vector<Finding>;

// Takes what a detector reports without ending the execution (a lock-order violation): it fails all
// the same. The threads of one execution take turns, so the lock is never waited for.
class CollectingSink : public FindingSink {
 public:
  void Report(Finding finding) override {
    // Unwinding threads keep no order and leave locks behind: that says nothing.
    const Executor* executor = Self().executor;
    if (executor != nullptr && executor->abandoned()) return;
    std::lock_guard lock(mutex_);
    const auto same = [&](const Finding& known) { return known.signature == finding.signature; };
    if (FailsRun(finding) && std::none_of(findings_.begin(), findings_.end(), same))
      findings_.push_back(std::move(finding));
  }
  [[noreturn]] void ReportFatal(Finding finding) override {
    DefaultFindingSink().ReportFatal(std::move(finding));  // an executor ends its execution instead
    std::abort();  // not reached; gcc does not see that a virtual function never returns
  }
  Findings Take() { return std::exchange(findings_, {}); }

 private:
  std::mutex mutex_;
  Findings findings_;
};

// One OS thread's executor, and what it needs.
class Runner {
 public:
  Runner(const Body& body, RunContext run) : body_(body), run_(run) { run_.sink = &sink_; }

  // What was found, in order of time.
  Findings Run(Strategy& strategy, std::uint64_t seed, std::uint32_t max_steps,
               bool with_evidence) {
    ended_by_failure_ = !executor_.Run(body_, strategy, {seed, max_steps, run_, with_evidence});
    Findings found = sink_.Take();
    if (ended_by_failure_)
      found.push_back(executor_.failure());
    else if (found.empty() && executor_.sanitizer_reports() > 0)
      found.push_back(FindingOf(executor_.sanitizer_report()));
    return found;
  }
  // The last finding ended its execution; else detectors reported all and the execution went on.
  bool ended_by_failure() const { return ended_by_failure_; }
  const ExploreExecutor& executor() const { return executor_; }

 private:
  const Body& body_;
  RunContext run_;
  CollectingSink sink_;
  bool ended_by_failure_ = false;
  ExploreExecutor executor_;
};

// `failure` has all that a replay needs only when its worker saw it for the first time.
struct SeenFailure {
  Failure failure;
  bool is_new = false;
};

struct FailedExecution {
  std::uint64_t number;  // from 1
  std::vector<SeenFailure> seen;
};

// A worker's share of a round: every jobs-th execution.
struct Share {
  std::unique_ptr<Runner> runner;
  std::unique_ptr<Strategy> strategy;
  // By the signature of a finding without evidence: its signature with evidence.
  std::unordered_map<std::string, std::string> known;
  std::vector<FailedExecution> failed;  // of this round
  std::uint64_t steps = 0;
  bool exhausted = false;
};

struct ExecutionRecord {
  std::uint64_t hash;
  std::uint32_t steps;
  bool run;
};

class Checker {
 public:
  Checker(const Body& body, const Options& options) : body_(body), options_(options) {}

  Result Run() {
    const std::uint64_t start_ns = MonotonicNs();
    result_.strategy = options_.strategy;
    if (!MakeShares()) return std::move(result_);
    for (std::uint64_t first = 0; first < options_.executions && !done_;) {
      const std::uint64_t size =
          std::min(options_.executions - first, kRoundPerJob * shares_.size());
      Round(first, size);
      first += size;
    }
    result_.seconds = static_cast<double>(MonotonicNs() - start_ns) / 1e9;
    if (result_.seconds > 0)
      result_.executions_per_second = static_cast<double>(result_.executions) / result_.seconds;
    return std::move(result_);
  }

 private:
  bool MakeShares();
  void Round(std::uint64_t first, std::uint64_t size);
  void RunShare(std::uint64_t first, std::uint64_t size, std::size_t worker);
  void RunOne(std::uint64_t first, std::uint64_t offset, Share& share);
  bool Stopped();
  std::vector<SeenFailure> Record(Share& share, Findings found, std::uint64_t execution,
                                  std::uint64_t seed);
  std::vector<SeenFailure> RecordAnew(Share& share, Findings found, std::uint64_t execution,
                                      std::uint64_t seed);
  void Fold(std::uint64_t first);
  void Keep(SeenFailure seen);

  const Body& body_;
  const Options& options_;
  Result result_;
  std::vector<Share> shares_;
  std::vector<ExecutionRecord> round_;
  std::atomic<std::uint64_t> limit_{0};  // executions of this round from here on need not run
  std::atomic<bool> stopped_{false};
  bool done_ = false;
};

bool Checker::MakeShares() {
  const std::vector<StrategyInfo> strategies = Strategies();
  const auto info = std::find_if(strategies.begin(), strategies.end(), [&](const StrategyInfo& s) {
    return s.name == options_.strategy;
  });
  if (info == strategies.end()) {
    result_.error = "there is no strategy '" + options_.strategy + "'; there are:";
    for (const StrategyInfo& s : strategies) result_.error += std::string(" ") + s.name;
    return false;
  }
  shares_.resize(info->parallel ? std::max(options_.jobs, 1u) : 1);
  for (Share& share : shares_) {
    share.runner = std::make_unique<Runner>(body_, options_.run);
    share.strategy = MakeStrategy(options_.strategy, options_.depth);
  }
  return true;
}

void Checker::Round(std::uint64_t first, std::uint64_t size) {
  round_.assign(size, {0, 0, false});
  limit_.store(size);
  if (shares_.size() == 1) {
    RunShare(first, size, 0);
  } else {
    std::vector<Thread> threads;
    for (std::size_t worker = 0; worker < shares_.size(); ++worker)
      threads.emplace_back("explorer " + std::to_string(worker),
                           [=, this] { RunShare(first, size, worker); });
  }
  Fold(first);
}

void Checker::RunShare(std::uint64_t first, std::uint64_t size, std::size_t worker) {
  Share& share = shares_[worker];
  for (std::uint64_t offset = worker; offset < size; offset += shares_.size()) {
    if (offset >= limit_.load(std::memory_order_relaxed) || Stopped()) return;
    RunOne(first, offset, share);
    if (share.exhausted) return;
  }
}

bool Checker::Stopped() {
  if (stopped_.load(std::memory_order_relaxed)) return true;
  if (!options_.stop || !options_.stop()) return false;
  stopped_.store(true, std::memory_order_relaxed);
  return true;
}

void Checker::RunOne(std::uint64_t first, std::uint64_t offset, Share& share) {
  const std::uint64_t seed = ExecutionSeed(options_.seed, first + offset);
  Findings found = share.runner->Run(*share.strategy, seed, options_.max_steps, false);
  const ExploreExecutor& executor = share.runner->executor();
  round_[offset] = {executor.trace_hash(), executor.steps(), true};
  if (!found.empty()) {
    const std::uint64_t execution = first + offset + 1;
    share.failed.push_back({execution, Record(share, std::move(found), execution, seed)});
    if (!options_.keep_going) {
      std::uint64_t limit = limit_.load(std::memory_order_relaxed);
      while (offset + 1 < limit && !limit_.compare_exchange_weak(limit, offset + 1)) {
      }
    }
  }
  share.exhausted = !share.strategy->EndExecution();
}

std::vector<SeenFailure> Checker::Record(Share& share, Findings found, std::uint64_t execution,
                                         std::uint64_t seed) {
  const bool all_known = std::all_of(found.begin(), found.end(), [&](const Finding& finding) {
    return share.known.contains(finding.signature);
  });
  if (!all_known) return RecordAnew(share, std::move(found), execution, seed);
  std::vector<SeenFailure> seen(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    seen[i].failure.execution = execution;
    seen[i].failure.finding.signature = share.known[found[i].signature];
  }
  return seen;
}

// An execution that shows something new is run again at once, now with all its evidence: its cheap
// findings may become better ones, and a program that does not replay is noticed.
std::vector<SeenFailure> Checker::RecordAnew(Share& share, Findings found, std::uint64_t execution,
                                             std::uint64_t seed) {
  const ExploreExecutor& executor = share.runner->executor();
  Failure failure;
  failure.execution = execution;
  failure.test = options_.test;
  failure.strategy = options_.strategy;
  failure.seed = seed;
  failure.max_steps = options_.max_steps;
  failure.trace_hash = executor.trace_hash();
  failure.choices.assign(executor.choices().begin(), executor.choices().end());
  RecordedSchedule strategy(failure.choices);
  const bool ended_it = share.runner->ended_by_failure();
  Findings again = share.runner->Run(strategy, seed, options_.max_steps, /*with_evidence=*/true);
  // What a shared witness or a sanitizer has reported once it does not report again: the trace
  // decides.
  failure.reproduced = (!again.empty() || !ended_it) && !strategy.diverged() &&
                       executor.trace_hash() == failure.trace_hash;
  // Such a report may be missing among the first ones: the two lists end alike.
  const std::size_t missing = found.size() - std::min(found.size(), again.size());
  std::vector<SeenFailure> seen;
  for (std::size_t i = 0; i < found.size(); ++i) {
    failure.finding = std::move(found[i]);
    const std::string cheap_signature = failure.finding.signature;
    const bool last = ended_it && i + 1 == found.size();
    if (failure.reproduced && i >= missing && (last || again[i - missing].id == failure.finding.id))
      failure.finding = std::move(again[i - missing]);
    share.known.emplace(cheap_signature, failure.finding.signature);
    seen.push_back({failure, true});
  }
  return seen;
}

// Puts the round together in the order of executions, up to the one that ends it.
void Checker::Fold(std::uint64_t first) {
  std::vector<FailedExecution> all;
  for (Share& share : shares_) {
    std::move(share.failed.begin(), share.failed.end(), std::back_inserter(all));
    share.failed.clear();
    if (share.exhausted) result_.exhausted = done_ = true;
  }
  std::sort(all.begin(), all.end(),
            [](const FailedExecution& a, const FailedExecution& b) { return a.number < b.number; });
  auto failed = all.begin();
  for (std::uint64_t offset = 0; offset < round_.size() && round_[offset].run; ++offset) {
    ++result_.executions;
    result_.scheduling_points += round_[offset].steps;
    result_.trace_hash = HashCombine(result_.trace_hash, round_[offset].hash);
    if (failed == all.end() || failed->number != first + offset + 1) continue;
    ++result_.failed_executions;
    if (!result_.first_failure_execution) result_.first_failure_execution = failed->number;
    for (SeenFailure& seen : failed->seen) Keep(std::move(seen));
    ++failed;
    if (options_.keep_going) continue;
    done_ = true;
    break;
  }
  if (stopped_.load()) result_.interrupted = done_ = true;
}

void Checker::Keep(SeenFailure seen) {
  const Failure& failure = seen.failure;
  for (Failure& known : result_.failures) {
    if (known.finding.signature != failure.finding.signature) continue;
    ++known.count;
    return;
  }
  if (!seen.is_new) return;  // one of those dropped
  if (result_.failures.size() < options_.max_failures)
    result_.failures.push_back(std::move(seen.failure));
  else
    ++result_.failures_dropped;
}

}  // namespace

std::uint64_t ExecutionSeed(std::uint64_t seed, std::uint64_t execution) {
  return Random(HashCombine(seed, execution)).Next();
}

namespace {

// Of several findings of one execution, the one that was recorded; the first if it is not there.
Finding& MostLike(const Finding& recorded, Findings& found) {
  for (Finding& finding : found)
    if (finding.signature == recorded.signature) return finding;
  return found.front();
}

}  // namespace

Result Check(const Body& body, const Options& options) { return Checker(body, options).Run(); }

ReplayResult Replay(const Body& body, const Failure& failure, const RunContext& run) {
  Runner runner(body, run);
  RecordedSchedule strategy(failure.choices);
  // Beyond the record it has diverged, however long the file would let it go on.
  const auto max_steps = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(failure.max_steps, failure.choices.size() + kStepsBeyondRecord));
  Findings found = runner.Run(strategy, failure.seed, max_steps, /*with_evidence=*/true);
  const ExploreExecutor& executor = runner.executor();
  ReplayResult result;
  result.steps = executor.steps();
  result.trace_hash = executor.trace_hash();
  result.failed = !found.empty();
  if (result.failed) result.finding = std::move(MostLike(failure.finding, found));
  if (strategy.diverged()) {
    result.divergence = "at step " + std::to_string(strategy.divergence_step()) + " of " +
                        std::to_string(failure.choices.size()) + ": thread " +
                        std::to_string(failure.choices[strategy.divergence_step()]) +
                        " could not run";
  } else if (executor.steps() > failure.choices.size()) {
    result.divergence = "the record ends at step " + std::to_string(failure.choices.size()) +
                        ", the program goes on";
  } else if (executor.steps() < failure.choices.size()) {
    result.divergence = "the program ended at step " + std::to_string(executor.steps()) + " of " +
                        std::to_string(failure.choices.size());
  } else if (executor.trace_hash() != failure.trace_hash) {
    result.divergence = "the same threads ran, but not the same operations";
  }
  result.diverged = !result.divergence.empty();
  return result;
}

void Expect(bool condition, const char* text, Site site) {
  if (condition) [[likely]]
    return;
  Finding finding;
  finding.id = "CHECK";
  finding.title = std::string(text) + ", at " + FormatSite(site);
  const Executor* executor = Self().executor;
  if (executor == nullptr || executor->wants_evidence())
    finding.threads.push_back(EvidenceOfCaller("expects: " + std::string(text)));
  Fail(std::move(finding));
}

std::uint64_t Seed() {
  const auto* executor = dynamic_cast<const ExploreExecutor*>(Self().executor);
  return executor == nullptr ? 0 : executor->seed();
}

}  // namespace locking::explore
