// RunResult: what a native run came to; the summary and the JSON are made of it.
#ifndef STRESS_RUN_RESULT_H_
#define STRESS_RUN_RESULT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "locking/statistics.h"
#include "stress/config/error.h"
#include "stress/report/counter_table.h"
#include "stress/run/findings.h"
#include "stress/run/plan.h"
#include "vm/inspect.h"

namespace stress {

enum class RunVerdict : std::uint8_t { kClean, kFailed, kInterrupted };
const char* RunVerdictName(RunVerdict verdict);
ExitCode ExitCodeOf(RunVerdict verdict);

struct RunResult {
  RunVerdict verdict = RunVerdict::kClean;
  double seconds = 0;
  std::map<std::string, std::uint64_t> operations;  // by worker kind
  std::vector<CountedFinding> findings;
  std::vector<locking::LockStatistics> locks;
  // Acquisitions that the witness did not keep, by the class that was taken.
  std::map<std::string, std::uint64_t> dropped;
  std::uint64_t sweeps = 0;
  std::uint64_t sweeps_missed = 0;
  std::vector<std::string> invariants_checked;
  std::uint64_t loads_checked = 0;
  std::uint64_t stores = 0;
  std::uint64_t refused = 0;
  // When the workers had ended: the machine's size with its pages of each kind; these pages again
  // with every event counted.
  NamedCounts memory;
  NamedCounts counters;
  std::string store_caching;  // of OpenedStore
  std::uint64_t peak_rss_bytes = 0;
  // Of a run that failed, when it first rested afterwards.
  std::optional<vm::MachineState> machine;
};

}  // namespace stress

#endif  // STRESS_RUN_RESULT_H_
