// Page faults by kind over a set of `set_pages` pages a thread. All threads are in one machine;
// except under SharedResident each has its own map, pmap and object. One iteration is one fault.
#ifndef BENCH_FAULT_LOADS_H_
#define BENCH_FAULT_LOADS_H_

#include "bench/timing.h"

namespace bench {

// The page is resident, the mapping is not there.
Loads Resident(std::uint32_t threads);
// The same, in one object that all threads map.
Loads SharedResident(std::uint32_t threads);
Loads ZeroFill(std::uint32_t threads);
// A write after a fork; the child is there until the set was copied.
Loads CopyOnWrite(std::uint32_t threads);
// A read of a page that is in swap, which a memory store holds.
Loads SwapIn(std::uint32_t threads);

}  // namespace bench

#endif  // BENCH_FAULT_LOADS_H_
