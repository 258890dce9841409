#include "stress/run/findings.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "stress/config/error.h"

namespace stress {
namespace {

void Print(const locking::Finding& finding) {
  std::fputs(locking::FormatFinding(finding).c_str(), stderr);
}

}  // namespace

RunFindings::~RunFindings() {
  for (Node* node = newest_.Peek(); node != nullptr;) delete std::exchange(node, node->next);
}

bool RunFindings::Fails(const std::string& tier, WitnessMode mode) {
  if (tier.empty() || tier == "confirmed" || tier == "provable") return true;
  return tier == "class-only" && mode == WitnessMode::kStrict;
}

void RunFindings::Complete(locking::Finding* finding) const {
  if (finding->signature.empty()) finding->signature = finding->id + ": " + finding->title;
  if (finding->replay.empty()) finding->replay = hooks_.replay;
  if (finding->log_tail.empty() && hooks_.log_tail)
    finding->log_tail =
        hooks_.log_tail(finding->threads.empty() ? "" : finding->threads.front().thread);
}

RunFindings::Node* RunFindings::Find(const std::string& signature, bool fails) const {
  for (Node* node = newest_.Load(std::memory_order_acquire); node != nullptr; node = node->next)
    if (node->finding.signature == signature && (node->fails || !fails)) return node;
  return nullptr;
}

bool RunFindings::Add(locking::Finding finding) {
  if (finding.signature.empty()) finding.signature = finding.id + ": " + finding.title;
  const bool fails = Fails(finding.tier, mode_);
  if (Node* known = Find(finding.signature, fails); known != nullptr) {
    known->count.FetchAdd(1, std::memory_order_relaxed);
    return false;
  }
  Complete(&finding);
  Print(finding);
  Node* node = new Node;
  node->finding = std::move(finding);
  node->fails = fails;
  node->next = newest_.Load(std::memory_order_acquire);
  while (!newest_.CompareExchange(node->next, node, std::memory_order_acq_rel)) {
  }
  if (node->fails) failures_.FetchAdd(1, std::memory_order_release);
  if (node->fails && node->finding.id != "LK13") must_end_.Store(true);
  return node->fails;
}

void RunFindings::Report(locking::Finding finding) {
  if (Add(std::move(finding)) && hooks_.at_failure) hooks_.at_failure();
}

void RunFindings::ReportFatal(locking::Finding finding) {
  Add(std::move(finding));
  // The first one ends the process; whoever comes later waits for that.
  while (ending_.Exchange(true)) pause();
  if (hooks_.at_fatal) hooks_.at_fatal();
  std::fflush(nullptr);
  _exit(kExitFailed);
}

std::vector<CountedFinding> RunFindings::All() const {
  std::vector<CountedFinding> all;
  for (const Node* node = newest_.Load(std::memory_order_acquire); node != nullptr;
       node = node->next)
    all.push_back({node->finding, node->count.Peek(), node->fails});
  std::reverse(all.begin(), all.end());
  return all;
}

}  // namespace stress
