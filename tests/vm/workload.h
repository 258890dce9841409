// A small random load on one machine, with an oracle: for explorations, native runs and the defect
// corpus. Threads share one address space; each has words of its own in every page, and a tree of
// forked spaces of its own, and knows what each of its words must read as.
//
// What it reports itself, besides what the machine's own checks do:
//   INV-48 a word reads as what another process stored to it
//   INV-49 a word does not read as what was last stored to it
//   INV-50 a word reads as what was stored elsewhere, new memory does not read as zero
//   INV-42 somebody writes to a frame that belongs to a run
//   INV-39 a chain is longer than it has to be, after the last fork has exited
//   FAILED an operation failed that must not
//   LEAK   something was not given back at the end
// The sweeps of vm/check.h run at the end, and once more when the shared space has exited.
#ifndef TESTS_VM_WORKLOAD_H_
#define TESTS_VM_WORKLOAD_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "vm/counters.h"

namespace vm {

// How often each operation is chosen, relative to the others.
struct WorkloadMix {
  std::uint32_t store = 0;
  std::uint32_t load = 0;
  std::uint32_t fork = 0;
  std::uint32_t exit = 0;    // of a forked space
  std::uint32_t wire = 0;    // a range and, a while later, not any more
  std::uint32_t remap = 0;   // new memory, used and given back
  std::uint32_t send = 0;    // a page is lent, written to, and returned as it was
  std::uint32_t run = 0;     // contiguous frames, used and given back
  std::uint32_t cache = 0;   // pages go to the cache queue, if they may
  std::uint32_t grab = 0;    // a page is busy for a while
  std::uint32_t clip = 0;    // a part of a region gets an entry of its own
  std::uint32_t forget = 0;  // a page of a forked space may be lost
  std::uint32_t sync = 0;    // of a file: its dirty pages are written
  std::uint32_t device = 0;  // a device's pages are wired, and not any more
};

struct Workload {
  const char* name;
  const char* description;
  std::uint32_t pages;   // of the machine
  std::uint32_t mapped;  // pages of the shared region
  std::uint32_t swap_slots;
  std::uint32_t threads;
  std::uint32_t operations;  // of each thread
  bool daemon;
  bool idle_zero = false;
  bool file = false;                 // the shared region maps one, which is checked at the end
  std::uint32_t failing_writes = 0;  // of so many to swap one fails; 0: none
  WorkloadMix mix;
  std::vector<Event> events;  // that it is there for: they happen in some schedule
};

// All of them.
const std::vector<Workload>& Workloads();
// nullptr: there is none of that name.
const Workload* FindWorkload(std::string_view name);

// How often each event of the machine happened.
using EventCounts = std::array<std::uint64_t, static_cast<std::size_t>(Event::kCount)>;

// Builds the machine, runs the threads to their end, and looks for leaks. Ends the run (or the
// explored execution) with a finding when something is wrong.
EventCounts RunWorkload(const Workload& workload, std::uint64_t seed);

}  // namespace vm

#endif  // TESTS_VM_WORKLOAD_H_
