#include "locking/explore/check.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "locking/evidence.h"
#include "locking/explore/directed_walk.h"
#include "locking/explore/runner.h"
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

// How much a finding says; a stronger one of the same signature takes the place of the former.
enum class Strength : std::uint8_t { kListed, kFails, kConfirmed };

Strength StrengthOf(const Finding& finding) {
  if (!FailsRun(finding)) return Strength::kListed;
  return finding.tier == "confirmed" ? Strength::kConfirmed : Strength::kFails;
}

// Whether it is a circle of waits that other executions may end in.
bool MayBeForced(const Finding& finding) {
  return !finding.cycle.empty() &&
         (finding.tier == "provable" || finding.tier == "class-only" || finding.tier == "gated");
}

bool AnyFails(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(), FailsRun);
}

using FindingKey = std::pair<Strength, std::string>;  // of one without evidence

FindingKey KeyOf(const Finding& finding) { return {StrengthOf(finding), finding.signature}; }

// `failure` has all that a replay needs only when its worker saw it for the first time.
struct SeenFailure {
  Failure failure;
  bool is_new = false;
};

struct TellingExecution {
  std::uint64_t number;  // from 1
  bool failed;           // else all that it found is only listed
  std::vector<SeenFailure> seen;
};

// A worker's share of a round: every jobs-th execution.
struct Share {
  std::unique_ptr<Runner> runner;
  std::unique_ptr<Strategy> strategy;
  std::map<FindingKey, std::string> known;  // the signature with evidence
  std::vector<TellingExecution> telling;    // of this round
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
    Direct();
    return std::move(result_);
  }

 private:
  bool MakeShares();
  void Round(std::uint64_t first, std::uint64_t size);
  void RunShare(std::uint64_t first, std::uint64_t size, std::size_t worker);
  void RunOne(std::uint64_t first, std::uint64_t offset, Share& share);
  bool Stopped();
  std::vector<SeenFailure> Record(Share& share, const Strategy& strategy, Findings found,
                                  std::uint64_t execution, std::uint64_t seed);
  std::vector<SeenFailure> RecordAnew(Share& share, const Strategy& strategy, Findings found,
                                      std::uint64_t execution, std::uint64_t seed);
  void Fold(std::uint64_t first);
  void Keep(SeenFailure seen);
  void Direct();
  void DriveInto(const Failure& possible);
  Failure* Find(const std::string& signature);

  const Body& body_;
  const Options& options_;
  Result result_;
  std::vector<Failure> superseded_;  // listed ones that others showed to fail
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
    const bool failed = AnyFails(found);
    share.telling.push_back(
        {execution, failed, Record(share, *share.strategy, std::move(found), execution, seed)});
    if (failed && !options_.keep_going) {
      std::uint64_t limit = limit_.load(std::memory_order_relaxed);
      while (offset + 1 < limit && !limit_.compare_exchange_weak(limit, offset + 1)) {
      }
    }
  }
  share.exhausted = !share.strategy->EndExecution();
}

std::vector<SeenFailure> Checker::Record(Share& share, const Strategy& strategy, Findings found,
                                         std::uint64_t execution, std::uint64_t seed) {
  const bool all_known = std::all_of(found.begin(), found.end(), [&](const Finding& finding) {
    return share.known.contains(KeyOf(finding));
  });
  if (!all_known) return RecordAnew(share, strategy, std::move(found), execution, seed);
  std::vector<SeenFailure> seen(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    seen[i].failure.execution = execution;
    seen[i].failure.finding.tier = found[i].tier;
    seen[i].failure.finding.signature = share.known[KeyOf(found[i])];
  }
  return seen;
}

// An execution that shows something new is run again at once, now with all its evidence: its cheap
// findings may become better ones, and a program that does not replay is noticed.
std::vector<SeenFailure> Checker::RecordAnew(Share& share, const Strategy& strategy, Findings found,
                                             std::uint64_t execution, std::uint64_t seed) {
  const ExploreExecutor& executor = share.runner->executor();
  Failure failure;
  failure.execution = execution;
  failure.test = options_.test;
  failure.strategy = strategy.name();
  failure.seed = seed;
  failure.max_steps = options_.max_steps;
  failure.trace_hash = executor.trace_hash();
  failure.choices.assign(executor.choices().begin(), executor.choices().end());
  RecordedSchedule recorded(failure.choices);
  const bool ended_it = share.runner->ended_by_failure();
  Findings again = share.runner->Run(recorded, seed, options_.max_steps, /*with_evidence=*/true);
  // What a shared witness or a sanitizer has reported once it does not report again: the trace
  // decides.
  failure.reproduced = (!again.empty() || !ended_it) && !recorded.diverged() &&
                       executor.trace_hash() == failure.trace_hash;
  // Such a report may be missing among the first ones: the two lists end alike.
  const std::size_t missing = found.size() - std::min(found.size(), again.size());
  std::vector<SeenFailure> seen;
  for (std::size_t i = 0; i < found.size(); ++i) {
    failure.finding = std::move(found[i]);
    const FindingKey cheap = KeyOf(failure.finding);
    const bool last = ended_it && i + 1 == found.size();
    if (failure.reproduced && i >= missing && (last || again[i - missing].id == failure.finding.id))
      failure.finding = std::move(again[i - missing]);
    share.known.emplace(cheap, failure.finding.signature);
    seen.push_back({failure, true});
  }
  return seen;
}

// Puts the round together in the order of executions, up to the one that ends it.
void Checker::Fold(std::uint64_t first) {
  std::vector<TellingExecution> all;
  for (Share& share : shares_) {
    std::move(share.telling.begin(), share.telling.end(), std::back_inserter(all));
    share.telling.clear();
    if (share.exhausted) result_.exhausted = done_ = true;
  }
  std::sort(all.begin(), all.end(), [](const TellingExecution& a, const TellingExecution& b) {
    return a.number < b.number;
  });
  auto telling = all.begin();
  for (std::uint64_t offset = 0; offset < round_.size() && round_[offset].run; ++offset) {
    ++result_.executions;
    result_.scheduling_points += round_[offset].steps;
    result_.trace_hash = HashCombine(result_.trace_hash, round_[offset].hash);
    if (telling == all.end() || telling->number != first + offset + 1) continue;
    for (SeenFailure& seen : telling->seen) Keep(std::move(seen));
    if (!(telling++)->failed) continue;
    ++result_.failed_executions;
    if (!result_.first_failure_execution) result_.first_failure_execution = first + offset + 1;
    if (options_.keep_going) continue;
    done_ = true;
    break;
  }
  if (stopped_.load()) result_.interrupted = done_ = true;
}

// With each circle of waits that was found possible, in order of appearance.
void Checker::Direct() {
  std::vector<Failure> possible;
  for (const std::vector<Failure>* list : {&result_.failures, &result_.listed})
    for (const Failure& failure : *list) {
      if (MayBeForced(failure.finding)) possible.push_back(failure);
    }
  // Another execution may have shown it by other locks, and be easier to drive.
  for (Failure& failure : superseded_) possible.push_back(std::move(failure));
  for (const Failure& failure : possible) DriveInto(failure);
}

// Further executions, of the seed that showed the circle, until one ends in it. What else they find
// counts like what the others found.
void Checker::DriveInto(const Failure& possible) {
  DirectedWalk strategy(possible.finding.cycle);
  Share& share = shares_[0];
  const auto is_forced = [&](const Finding& finding) {
    return finding.signature == possible.finding.signature && finding.tier == "confirmed";
  };
  for (std::uint32_t tried = 1; tried <= options_.directed_executions; ++tried) {
    const Failure* former = Find(possible.finding.signature);
    if (former == nullptr || is_forced(former->finding)) return;  // dropped, or forced already
    if (Stopped()) {
      result_.interrupted = true;
      return;
    }
    Findings found = share.runner->Run(strategy, possible.seed, options_.max_steps, false);
    const std::uint64_t execution = result_.executions + ++result_.directed_executions;
    result_.trace_hash = HashCombine(result_.trace_hash, share.runner->executor().trace_hash());
    std::vector<SeenFailure> all =
        Record(share, strategy, std::move(found), execution, possible.seed);
    const bool forced = std::any_of(all.begin(), all.end(), [&](const SeenFailure& seen) {
      return is_forced(seen.failure.finding);
    });
    if (forced) all.pop_back();  // the deadlock: it is a part of what it confirms
    for (SeenFailure& seen : all) {
      seen.failure.count = 0;  // of the executions that nobody directed
      Keep(std::move(seen));
    }
    if (Failure* known = Find(possible.finding.signature)) known->directed_executions = tried;
  }
}

Failure* Checker::Find(const std::string& signature) {
  for (std::vector<Failure>* list : {&result_.failures, &result_.listed})
    for (Failure& failure : *list)
      if (failure.finding.signature == signature) return &failure;
  return nullptr;
}

void Checker::Keep(SeenFailure seen) {
  for (std::vector<Failure>* list : {&result_.failures, &result_.listed}) {
    const auto known = std::find_if(list->begin(), list->end(), [&](const Failure& former) {
      return former.finding.signature == seen.failure.finding.signature;
    });
    if (known == list->end()) continue;
    known->count += seen.failure.count;
    if (StrengthOf(seen.failure.finding) <= StrengthOf(known->finding)) return;
    seen.failure.count = known->count;
    if (list == &result_.failures) {
      *known = std::move(seen.failure);
      return;
    }
    if (MayBeForced(known->finding)) superseded_.push_back(std::move(*known));
    list->erase(known);
  }
  if (!seen.is_new) return;  // one of those dropped
  seen.failure.count = std::max<std::uint64_t>(seen.failure.count, 1);
  std::vector<Failure>& list = FailsRun(seen.failure.finding) ? result_.failures : result_.listed;
  if (list.size() < options_.max_failures)
    list.push_back(std::move(seen.failure));
  else
    ++result_.failures_dropped;
}

}  // namespace

std::uint64_t ExecutionSeed(std::uint64_t seed, std::uint64_t execution) {
  return Random(HashCombine(Random(seed).Next(), execution)).Next();
}

namespace {

// Of several findings of one execution, the one that was recorded; the first that fails if it is
// not there.
Finding& MostLike(const Finding& recorded, Findings& found) {
  for (Finding& finding : found)
    if (finding.signature == recorded.signature) return finding;
  return *std::find_if(found.begin(), found.end(), FailsRun);
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
  result.failed = AnyFails(found);
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
