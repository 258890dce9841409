// Page faults by kind over a set of `set_pages` pages a thread. All threads are in one machine,
// each with its own map, pmap and object unless it says otherwise. One iteration is one fault.
#ifndef BENCH_FAULT_LOADS_H_
#define BENCH_FAULT_LOADS_H_

#include "bench/timing.h"
#include "vm/config.h"

namespace bench {

// The page is resident, the mapping is not there.
Loads Resident(std::uint32_t threads);
// The same of 4096 pages in a machine of `pages` pages.
MakeLoads ResidentIn(std::uint32_t pages);
// The same of one set in one object, which all threads map, each in a map of its own.
MakeLoads SharedResident(vm::LockDialect locks);
// The same of sets side by side in one object, map and pmap.
MakeLoads OneSpaceResident(vm::LockDialect locks);
Loads ZeroFill(std::uint32_t threads);
// A write after a fork; the child is there until the set was copied.
Loads CopyOnWrite(std::uint32_t threads);
// A read of a page that is in swap, which a memory store holds.
Loads SwapIn(std::uint32_t threads);

}  // namespace bench

#endif  // BENCH_FAULT_LOADS_H_
