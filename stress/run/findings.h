// RunFindings: where the detectors of a run report to. Equal failures are kept once and counted.
//
// Thread safety: all functions may be called by any thread at any time, with any locks held: the
// list is only ever added to, without a lock.
#ifndef STRESS_RUN_FINDINGS_H_
#define STRESS_RUN_FINDINGS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "locking/atomic.h"
#include "locking/finding.h"

namespace stress {

enum class WitnessMode : std::uint8_t { kOn, kOff, kStrict };

struct CountedFinding {
  locking::Finding finding;
  std::uint64_t count;
  bool fails;  // the run; the others are only listed
};

class RunFindings : public locking::FindingSink {
 public:
  struct Hooks {
    std::string replay;  // the command that runs this again
    // The last operations of the thread of this name.
    std::function<std::vector<std::string>(const std::string&)> log_tail;
    std::function<void()> at_failure;  // a finding that fails the run was added
    // Writes down what there is; the process ends when it returns.
    std::function<void()> at_fatal;
  };

  RunFindings(WitnessMode mode, Hooks hooks) : mode_(mode), hooks_(std::move(hooks)) {}
  ~RunFindings() override;

  void Report(locking::Finding finding) override;
  [[noreturn]] void ReportFatal(locking::Finding finding) override;

  bool failed() const { return failures_.Peek() != 0; }
  // Whether a failure ends the run: all do but LK13, which tells of what was late and went on.
  bool must_end() const { return must_end_.Peek(); }
  std::uint64_t failures() const { return failures_.Peek(); }  // distinct ones
  // In the order in which they were first reported.
  std::vector<CountedFinding> All() const;
  // Whether a finding of this tier fails a run.
  static bool Fails(const std::string& tier, WitnessMode mode);

 private:
  struct Node {
    locking::Finding finding;
    locking::Atomic<std::uint64_t> count{1};
    bool fails = false;
    Node* next = nullptr;  // older
  };
  void Complete(locking::Finding* finding) const;
  // One that only lists does not stand for one that fails.
  Node* Find(const std::string& signature, bool fails) const;
  bool Add(locking::Finding finding);

  const WitnessMode mode_;
  const Hooks hooks_;
  locking::Atomic<Node*> newest_{nullptr};
  locking::Atomic<std::uint64_t> failures_{0};
  locking::Atomic<bool> must_end_{false};
  locking::Atomic<bool> ending_{false};
};

}  // namespace stress

#endif  // STRESS_RUN_FINDINGS_H_
