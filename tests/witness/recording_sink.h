// A sink that keeps what is reported. A fatal report unwinds the thread that makes it.
//
// Thread safety: all functions may be called by any thread.
#ifndef TESTS_WITNESS_RECORDING_SINK_H_
#define TESTS_WITNESS_RECORDING_SINK_H_

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "locking/finding.h"

namespace locking {

struct FatalFinding {};

class RecordingSink : public FindingSink {
 public:
  void Report(Finding finding) override {
    std::lock_guard lock(mutex_);
    findings_.push_back(std::move(finding));
  }
  [[noreturn]] void ReportFatal(Finding finding) override {
    Report(std::move(finding));
    throw FatalFinding{};
  }
  std::vector<Finding> findings() const {
    std::lock_guard lock(mutex_);
    return findings_;
  }
  // "LK02/provable LK05/" in order of report.
  std::string Summary() const {
    std::string text;
    for (const Finding& finding : findings())
      text += (text.empty() ? "" : " ") + finding.id + "/" + finding.tier;
    return text;
  }
  std::string Text() const {
    std::string text;
    for (const Finding& finding : findings()) text += FormatFinding(finding);
    return text;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Finding> findings_;
};

}  // namespace locking

#endif  // TESTS_WITNESS_RECORDING_SINK_H_
