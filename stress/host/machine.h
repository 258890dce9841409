// What the host is and has left: cores, memory, names. `root` is where the host's files begin.
#ifndef STRESS_HOST_MACHINE_H_
#define STRESS_HOST_MACHINE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace stress {

// The numbers of the cores that are online and in the process's affinity mask.
std::vector<std::uint32_t> AllowedCores(const std::string& root = "");
// How many of them this process can keep busy: no more than its quota of processor time, rounded
// up. Every default that depends on cores comes from here.
std::uint32_t UsableCores(const std::string& root = "");
// The calling thread runs on this core alone from now on; false: the host refuses.
bool PinThread(std::uint32_t core);
std::uint64_t HostMemoryBytes();
// What can be had without swapping, limits of control groups included.
std::uint64_t AvailableMemoryBytes(const std::string& root = "");
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
