// What the host is and has left: cores, memory, names.
#ifndef STRESS_HOST_MACHINE_H_
#define STRESS_HOST_MACHINE_H_

#include <cstdint>
#include <string>

namespace stress {

// Cores that this process may use.
std::uint32_t HostCores();
std::uint64_t HostMemoryBytes();
// What can be had without swapping, container limits included; 0 if the host does not say.
std::uint64_t AvailableMemoryBytes();
std::uint64_t PeakResidentBytes();
// "Linux 6.1.0 x86_64"
std::string HostSystem();
std::string HostCpuModel();
bool StderrIsTerminal();
// "2026-11-21", in UTC.
std::string Today();
// A seed from the clock: the one place where chance enters a run.
std::uint64_t SeedFromClock();

}  // namespace stress

#endif  // STRESS_HOST_MACHINE_H_
