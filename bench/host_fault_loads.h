// The host kernel's page faults over the same set: one iteration is one touch of a new 4 KiB page.
// Each thread has its own memory.
#ifndef BENCH_HOST_FAULT_LOADS_H_
#define BENCH_HOST_FAULT_LOADS_H_

#include "bench/timing.h"

namespace bench {

Loads HostAnonymous(std::uint32_t threads);  // private memory, written
Loads HostSharedMemfd(
    std::uint32_t threads);  // a shared mapping of a file in memory, its pages there
Loads HostPrivateFile(std::uint32_t threads);  // a private mapping of a file in memory, written
Loads HostCopyOnWrite(std::uint32_t threads);  // private memory, written after a fork

}  // namespace bench

#endif  // BENCH_HOST_FAULT_LOADS_H_
