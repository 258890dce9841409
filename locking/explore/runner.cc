#include "locking/explore/runner.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "locking/evidence.h"

namespace locking::explore {
namespace {

// Whether the threads of `deadlock` wait as those of `possible` would: between the same classes,
// and beside them only writers between its readers, who may be others than were expected. What is
// below provable says that other call sites of these classes are no evidence: then they are the
// same, too.
bool Shows(const Finding& deadlock, const Finding& possible) {
  const std::vector<CycleWait>& waits = deadlock.cycle;
  const std::vector<CycleWait>& places = possible.cycle;
  if (waits.empty() || places.empty()) return false;
  const bool any_site = possible.tier == "provable";
  const auto stands_there = [&](const CycleWait& place) {
    return place.is_writer_between() ||
           std::any_of(waits.begin(), waits.end(), [&](const CycleWait& wait) {
             return wait.held == place.held && wait.wanted == place.wanted &&
                    (any_site || HashSite(wait.site) == HashSite(place.site));
           });
  };
  const auto belongs_there = [&](const CycleWait& wait) {
    return std::any_of(places.begin(), places.end(),
                       [&](const CycleWait& place) { return wait.wanted == place.wanted; });
  };
  return std::all_of(places.begin(), places.end(), stands_there) &&
         std::all_of(waits.begin(), waits.end(), belongs_there);
}

void ConfirmBy(const Finding& deadlock, Findings* findings) {
  for (Finding& finding : *findings) {
    if (!Shows(deadlock, finding)) continue;
    finding.tier = "confirmed";
    const std::size_t threads = std::min(deadlock.threads.size(), deadlock.cycle.size());
    finding.threads.insert(finding.threads.end(), deadlock.threads.begin(),
                           deadlock.threads.begin() + static_cast<std::ptrdiff_t>(threads));
  }
}

}  // namespace

void CollectingSink::Report(Finding finding) {
  // Unwinding threads keep no order and leave locks behind: that says nothing.
  const Executor* executor = Self().executor;
  if (executor != nullptr && executor->abandoned()) return;
  std::lock_guard lock(mutex_);
  const auto known = std::find_if(findings_.begin(), findings_.end(), [&](const Finding& former) {
    return former.signature == finding.signature;
  });
  if (known == findings_.end())
    findings_.push_back(std::move(finding));
  else if (FailsRun(finding) && !FailsRun(*known))
    *known = std::move(finding);
}

void CollectingSink::ReportFatal(Finding finding) {
  DefaultFindingSink().ReportFatal(std::move(finding));  // an executor ends its execution instead
  std::abort();  // not reached; gcc does not see that a virtual function never returns
}

Findings CollectingSink::Take() { return std::exchange(findings_, {}); }

Findings Runner::Run(Strategy& strategy, std::uint64_t seed, std::uint32_t max_steps,
                     bool with_evidence) {
  ended_by_failure_ = !executor_.Run(body_, strategy, {seed, max_steps, run_, with_evidence});
  Findings found = sink_.Take();
  if (ended_by_failure_) {
    ConfirmBy(executor_.failure(), &found);
    found.push_back(executor_.failure());
  } else if (std::none_of(found.begin(), found.end(), FailsRun) &&
             executor_.sanitizer_reports() > 0) {
    found.push_back(FindingOf(executor_.sanitizer_report()));
  }
  return found;
}

}  // namespace locking::explore
