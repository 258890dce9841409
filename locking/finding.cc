#include "locking/finding.h"

#include <cstdio>
#include <cstdlib>

#include "locking/evidence.h"
#include "locking/executor.h"
#include "locking/thread_state.h"

namespace locking {
namespace {

class StderrSink : public FindingSink {
 public:
  void Report(Finding finding) override { std::fputs(FormatFinding(finding).c_str(), stderr); }
  [[noreturn]] void ReportFatal(Finding finding) override {
    Report(std::move(finding));
    std::abort();
  }
};

void Complete(Finding* finding) {
  if (finding->signature.empty()) finding->signature = finding->id + ": " + finding->title;
}

FindingSink& SinkOf(const ThreadState& self) {
  return self.run.sink != nullptr ? *self.run.sink : DefaultFindingSink();
}

void AppendLines(const char* indent, const std::vector<std::string>& lines, std::string* out) {
  for (const std::string& line : lines) *out += indent + line + "\n";
}

}  // namespace

FindingSink& DefaultFindingSink() {
  static StderrSink* sink = new StderrSink;
  return *sink;
}

bool FailsRun(const Finding& finding) {
  return finding.tier.empty() || finding.tier == "confirmed" || finding.tier == "provable";
}

std::string FormatFinding(const Finding& finding) {
  std::string out = finding.id;
  if (!finding.tier.empty()) out += " (" + finding.tier + ")";
  out += ": " + finding.title + "\n";
  for (const ThreadEvidence& thread : finding.threads) {
    out += "  " + thread.thread + (thread.what.empty() ? "" : ": " + thread.what) + "\n";
    AppendLines("    holds ", thread.held, &out);
    AppendLines("    ", thread.stack, &out);
  }
  if (!finding.log_tail.empty()) out += "  last operations:\n";
  AppendLines("    ", finding.log_tail, &out);
  if (!finding.replay.empty()) out += "  replay: " + finding.replay + "\n";
  return out;
}

void Fail(Finding finding) {
  Complete(&finding);
  ThreadState& self = Self();
  if (self.executor != nullptr) self.executor->Fail(std::move(finding));
  SinkOf(self).ReportFatal(std::move(finding));
  std::abort();  // not reached; gcc does not see that a virtual function never returns
}

void FailInvariant(std::string_view id, std::string title) {
  Finding finding;
  finding.id = id;
  finding.title = std::move(title);
  const Executor* executor = Self().executor;
  if (executor == nullptr || executor->wants_evidence())
    finding.threads.push_back(EvidenceOfCaller(""));
  Fail(std::move(finding));
}

void ReportFinding(Finding finding) {
  Complete(&finding);
  SinkOf(Self()).Report(std::move(finding));
}

}  // namespace locking
