// The scenario `mixed` as `vmstress run` runs it, in this process.
#ifndef BENCH_MIXED_H_
#define BENCH_MIXED_H_

#include "bench/in_run.h"

namespace bench {

// Nanoseconds of processor time that an operation of a run takes all its threads. One worker, whose
// operations follow from the seed, and the daemons share one core: with more of either, the same
// operations page more or less often, by as much as tenfold.
double MixedNs(Watching watching);

}  // namespace bench

#endif  // BENCH_MIXED_H_
