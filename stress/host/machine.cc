#include "stress/host/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "locking/hash.h"

namespace stress {
namespace {

// The number after `key` in a file of lines "key: number kB"; 0 if it is not there.
std::uint64_t NumberOfLine(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    std::uint64_t number = 0;
    if (word == key && file >> number) return number;
  }
  return 0;
}

std::uint64_t NumberIn(const char* path, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? number : otherwise;
}

}  // namespace

std::uint32_t HostCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
}

std::uint64_t HostMemoryBytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t AvailableMemoryBytes() {
  std::uint64_t available = NumberOfLine("/proc/meminfo", "MemAvailable:") * 1024;
  if (available == 0) available = HostMemoryBytes();
  const std::uint64_t limit = NumberIn("/sys/fs/cgroup/memory.max", 0);
  const std::uint64_t used = NumberIn("/sys/fs/cgroup/memory.current", 0);
  if (limit != 0) available = std::min(available, limit > used ? limit - used : 0);
  return available;
}

std::uint64_t PeakResidentBytes() {
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::string HostSystem() {
  utsname name;
  if (uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

std::string HostCpuModel() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

bool StderrIsTerminal() { return isatty(STDERR_FILENO) == 1; }

std::string Today() {
  const time_t now = time(nullptr);
  tm parts;
  char text[16];
  gmtime_r(&now, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

std::uint64_t SeedFromClock() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const std::uint64_t hash = locking::HashCombine(
      static_cast<std::uint64_t>(now.tv_sec),
      static_cast<std::uint64_t>(now.tv_nsec) ^ (static_cast<std::uint64_t>(getpid()) << 32));
  constexpr std::uint64_t kSeedMax = 0xffffffff;  // short enough to type
  return hash & kSeedMax;
}

}  // namespace stress
