// What the witness takes to learn an order: an iteration is one acquisition that it has not seen
// before. Each batch begins with a witness that knows nothing.
#ifndef BENCH_WITNESS_LOADS_H_
#define BENCH_WITNESS_LOADS_H_

#include <cstdint>

#include "bench/timing.h"

namespace bench {

// `locks` locks of a class each, taken one after the other; a thread holds the last five of them.
MakeLoads SlidingWindow(std::uint32_t locks);
// `chains` sets of locks of 17 classes, each held in the one order of all; at most 2^17 - 1.
MakeLoads DistinctChains(std::uint32_t chains);

}  // namespace bench

#endif  // BENCH_WITNESS_LOADS_H_
