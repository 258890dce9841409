// Scaling: one scenario at several numbers of threads, with one granularity of the locks or several
// beside one another, in rounds over all of them, so that what else the host does falls on all
// points alike.
//
// Thread safety: by one thread.
#ifndef STRESS_RUN_SCALING_H_
#define STRESS_RUN_SCALING_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stress/report/spread.h"
#include "stress/run/native_run.h"
#include "stress/run/plan.h"
#include "stress/run/scalability_law.h"

namespace stress {

struct ScalePlan {
  std::vector<vm::LockDialect> locks;  // of each curve
  std::vector<std::uint32_t> threads;  // of each point of a curve, ascending
  std::uint32_t rounds = 0;
  std::uint32_t cores = 0;    // that this process can keep busy
  std::vector<RunPlan> runs;  // in the order in which they are made: all curves, round by round

  // More threads than cores: such a point measures preemption.
  bool Oversubscribed(std::uint32_t threads_of_point) const { return threads_of_point > cores; }
};

struct WaitingClass {
  std::string name;
  std::uint64_t wait_ns = 0;
  double wait_share = 0;       // of the time of all threads
  double contended_share = 0;  // of the acquisitions
};

struct ScalePoint {
  std::uint32_t threads = 0;
  std::vector<double> rates;           // operations a second, by round
  std::vector<WaitingClass> waiting;   // longest first; those that never waited are left out
  Spread spread;                       // of the rates
  std::optional<double> efficiency{};  // against perfect scaling from one thread, if measured
};

struct ScaleCurve {
  vm::LockDialect locks{};
  std::vector<ScalePoint> points;       // those with at least one whole run
  std::optional<ScalabilityLaw> fit{};  // over the points up to the cores
};

struct ScaleResult {
  RunVerdict verdict = RunVerdict::kClean;
  std::vector<ScaleCurve> curves;  // as planned
  // The run that was not clean, the last one.
  std::optional<RunPlan> broken_plan;
  std::optional<RunResult> broken;
};

// 1, 2, 4 … cores, and twice the cores.
std::vector<std::uint32_t> DefaultThreadCounts(std::uint32_t cores);
// Throws CommandError as PlanRun does: every point is checked before the first one runs.
ScalePlan PlanScaling(const Settings& flags);

// The classes that threads waited for in `seconds` of `threads` threads.
std::vector<WaitingClass> WaitingClasses(const std::vector<locking::LockStatistics>& locks,
                                         double thread_seconds);
// Fills in efficiencies and the fit.
void Judge(const ScalePlan& plan, ScaleCurve* curve);

struct ScalingHooks {
  // The process is about to end early, with what there is.
  std::function<void(const ScaleResult&)> write_result;
  // What there is now, for a CrashWatch.
  std::function<void(const ScaleResult&)> prepare_for_crash;
};
// Ends with the first run that is not clean.
ScaleResult MeasureScaling(const ScalePlan& plan, const ScalingHooks& hooks);

}  // namespace stress

#endif  // STRESS_RUN_SCALING_H_
