// NativeRun: runs a plan with OS threads: workers, sweeps, progress, the end.
//
// Thread safety: by one thread. A detector may end the process from any thread; then what there is
// was written before (`at_fatal`).
#ifndef STRESS_RUN_NATIVE_RUN_H_
#define STRESS_RUN_NATIVE_RUN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "locking/witness/lock_order_witness.h"
#include "locking/witness/watchdog.h"
#include "stress/host/sanitizer.h"
#include "stress/run/crew.h"
#include "stress/run/findings.h"
#include "stress/run/plan.h"
#include "stress/run/result.h"
#include "stress/run/safe_point.h"
#include "stress/run/store.h"
#include "vm/inspect.h"
#include "vm/system.h"

namespace stress {

class NativeRun {
 public:
  struct Hooks {
    // The process is about to end early, with what there is.
    std::function<void(const RunResult&)> write_result;
    // What there is now, for a CrashWatch: failed, with a BlankFinding.
    std::function<void(const RunResult&)> prepare_for_crash;
  };
  // Opens the store: throws CommandError as OpenStore does.
  NativeRun(const RunPlan& plan, Hooks hooks);
  ~NativeRun();

  RunResult Run();
  // What the witness saw of it; empty without one.
  locking::OrderSnapshot ObservedOrder() const;

 private:
  void Control();
  void Sweep();
  void EndWorkers();
  void CheckLeftovers();
  void CheckLockOrder();
  // The machine rests: keeps its views for the report, if a failure wants them.
  void KeepMachine();
  void PollDetectors();
  void PrepareForCrash() const;
  bool ShouldStop(std::uint64_t now_ns) const;
  void ReportAll(std::vector<locking::Finding> findings);
  NamedCounts CountersNow() const;
  NamedCounts MemoryOf(const NamedCounts& counters) const;
  RunResult Collect(RunVerdict verdict) const;

  const RunPlan& plan_;
  const Hooks hooks_;
  OpenedStore store_;  // until the machine has it
  RunFindings findings_;
  RaceWatch races_;
  std::unique_ptr<locking::LockOrderWitness> witness_;
  std::unique_ptr<locking::Limits> limits_;
  SafePoint safe_point_;
  std::unique_ptr<vm::System> system_;
  std::unique_ptr<World> world_;
  std::unique_ptr<Crew> crew_;
  std::unique_ptr<locking::Watchdog> watchdog_;  // last: it looks at all the others' threads
  std::uint64_t started_ns_ = 0;
  std::uint64_t ended_ns_ = 0;  // 0: the workers run
  std::uint64_t sweeps_ = 0;
  std::uint64_t sweeps_missed_ = 0;
  bool interrupted_ = false;
  std::optional<vm::MachineState> machine_;
  // When the workers and the daemons had ended, before everything was checked and exited.
  NamedCounts counters_at_end_;
  std::vector<locking::LockStatistics> locks_at_end_;
};

}  // namespace stress

#endif  // STRESS_RUN_NATIVE_RUN_H_
