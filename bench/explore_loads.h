// What controlled execution costs: whole executions, one scheduling point, a switch, a thread.
#ifndef BENCH_EXPLORE_LOADS_H_
#define BENCH_EXPLORE_LOADS_H_

#include <string>

#include "bench/timing.h"

namespace bench {

// Three threads lock and unlock one mutex ten times each: one iteration is one execution.
MakeLoads MutexExecutions(const std::string& strategy);
// `fibres` threads that do nothing but one atomic operation after the other: one iteration is one
// of these, an item a scheduling point.
MakeLoads Points(const std::string& strategy, std::uint32_t fibres);
// Two threads that take turns: one iteration is one switch.
Loads Switches(std::uint32_t threads);
// A thread that does nothing: spawn, run, end, join.
Loads Spawns(std::uint32_t threads);

}  // namespace bench

#endif  // BENCH_EXPLORE_LOADS_H_
