// Machines, pages, objects and spaces: what the VM's building blocks cost.
#ifndef BENCH_PAGE_LOADS_H_
#define BENCH_PAGE_LOADS_H_

#include "bench/timing.h"
#include "vm/dialect.h"

namespace bench {

// A machine of 64 pages, built and torn down.
Loads Build64(std::uint32_t threads);
// A machine of `pages` pages, built; tearing it down is not timed. Its bytes are those of the
// host's memory that it takes for each page before any is used.
MakeLoads Build(std::uint32_t pages);
// A page of an object of the thread's own, in a machine of `pages` pages.
MakeLoads AllocFree(std::uint32_t pages);
// Lookups in an index of `pages` pages.
enum class LookupOrder : std::uint8_t { kScattered, kAscending };
MakeLoads Lookup(vm::IndexKind kind, std::uint32_t pages, LookupOrder order);
// The last other reference to a backer of `pages` pages goes, so that its shadow takes them over.
MakeLoads Collapse(std::uint32_t pages);
// A fork of a space with `pages` pages, mapped writable.
MakeLoads Fork(std::uint32_t pages);

}  // namespace bench

#endif  // BENCH_PAGE_LOADS_H_
