#include "stress/host/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>

#include "locking/hash.h"
#include "stress/host/cgroup.h"

namespace stress {
namespace {

constexpr std::uint32_t kMaxHostCores = 1 << 16;

// The number after `key` in a file of lines "key: number kB"; 0 if it is not there.
std::uint64_t NumberOfLine(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    std::uint64_t number = 0;
    if (word == key && file >> number) return number;
  }
  return 0;
}

// The word after `key`.
std::string WordOfLine(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word)
    if (word == key && file >> word) return word;
  return "";
}

// "0-3,8"; what is no such list ends it.
std::set<std::uint32_t> CoresOfList(const std::string& list) {
  std::set<std::uint32_t> cores;
  std::istringstream text(list);
  for (std::uint32_t first = 0; text >> first;) {
    std::uint32_t last = first;
    if (text.peek() == '-') text.ignore() >> last;
    if (!text && !text.eof()) break;
    for (std::uint32_t core = first; core <= std::min(last, kMaxHostCores); ++core)
      cores.insert(core);
    if (text.peek() != ',') break;
    text.ignore();
  }
  return cores;
}

}  // namespace

std::vector<std::uint32_t> AllowedCores(const std::string& root) {
  std::string online;
  std::ifstream(root + "/sys/devices/system/cpu/online") >> online;
  const auto present = CoresOfList(online);
  // Of the process's first thread, which is never pinned.
  const auto mask = CoresOfList(WordOfLine(root + "/proc/self/status", "Cpus_allowed_list:"));
  std::vector<std::uint32_t> allowed;
  std::set_intersection(mask.begin(), mask.end(), present.begin(), present.end(),
                        std::back_inserter(allowed));
  if (!allowed.empty()) return allowed;
  const auto& known = mask.empty() ? present : mask;
  if (known.empty()) return {0};
  return {known.begin(), known.end()};
}

std::uint32_t UsableCores(const std::string& root) {
  const auto allowed = static_cast<std::uint32_t>(AllowedCores(root).size());
  return std::max(1u, std::min(allowed, CgroupCores(root).value_or(allowed)));
}

bool PinThread(std::uint32_t core) {
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(
      CPU_ALLOC(core + 1), [](cpu_set_t* allocated) { CPU_FREE(allocated); });
  const std::size_t size = CPU_ALLOC_SIZE(core + 1);
  CPU_ZERO_S(size, set.get());
  CPU_SET_S(core, size, set.get());
  return sched_setaffinity(0, size, set.get()) == 0;
}

std::uint64_t HostMemoryBytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t AvailableMemoryBytes(const std::string& root) {
  std::uint64_t available = NumberOfLine(root + "/proc/meminfo", "MemAvailable:") * 1024;
  if (available == 0) available = HostMemoryBytes();
  return std::min(available, CgroupMemoryLeft(root).value_or(available));
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
