// Loads as they are in a run of the command: its threads keep statistics, and have a witness or
// none.
#ifndef BENCH_IN_RUN_H_
#define BENCH_IN_RUN_H_

#include <functional>

#include "bench/timing.h"

namespace bench {

enum class Watching { kOff, kOn };

// `make`'s loads, each time in a run of their own. What they lock is told by statistics.
MakeLoads InRun(MakeLoads make, Watching watching);

// How many locks an iteration of the load takes.
double LocksOfAnIteration(const MakeLoads& make);

}  // namespace bench

#endif  // BENCH_IN_RUN_H_
