#include "stress/host/cgroup.h"

#include <algorithm>
#include <fstream>
#include <functional>

namespace stress {
namespace {

// The first word of a file as a number; nothing when there is no such file, or it says "max".
std::optional<std::int64_t> NumberIn(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

// The number after `key` in a file of lines "key number"; 0 if it is not there.
std::uint64_t NumberOfKey(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t number = 0;
  while (file >> word >> number)
    if (word == key) return number;
  return 0;
}

bool Names(const std::string& controllers, const std::string& wanted) {
  return ("," + controllers + ",").find("," + wanted + ",") != std::string::npos;
}

// Calls `visit` with each folder of the process's groups, innermost first: of the v1 hierarchy of
// `controller`, and of v2. A container may see a path of its host that is not there: then only the
// folders above it count.
void VisitGroups(const std::string& root, const std::string& controller,
                 const std::function<void(const std::string& folder)>& visit) {
  std::ifstream file(root + "/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && !Names(controllers, controller)) continue;
    const std::string base = root + "/sys/fs/cgroup" + (unified ? "" : "/" + controller);
    std::string path = line.substr(second + 1);
    while (path.ends_with('/')) path.pop_back();
    for (;; path.resize(path.rfind('/'))) {
      visit(base + path);
      if (path.find('/') == std::string::npos) break;
    }
  }
}

template <typename Number>
void Limit(std::optional<Number>* least, Number limit) {
  *least = std::min(least->value_or(limit), limit);
}

// Of "150000 100000" or "max 100000" (v2), or of two files (v1).
std::optional<std::uint32_t> CoresOf(const std::string& folder) {
  std::int64_t quota = NumberIn(folder + "/cpu.cfs_quota_us").value_or(0);
  std::int64_t period = NumberIn(folder + "/cpu.cfs_period_us").value_or(0);
  std::ifstream file(folder + "/cpu.max");
  if (std::int64_t time = 0, of = 0; file >> time >> of) {
    quota = time;
    period = of;
  }
  if (quota <= 0 || period <= 0) return std::nullopt;
  return static_cast<std::uint32_t>((quota + period - 1) / period);
}

struct MemoryFiles {
  const char* limit;
  const char* used;
  const char* reclaimable;  // key of memory.stat
};
constexpr MemoryFiles kMemoryFiles[] = {
    {"/memory.max", "/memory.current", "inactive_file"},
    {"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"}};

std::optional<std::uint64_t> MemoryLeftIn(const std::string& folder) {
  std::optional<std::uint64_t> left;
  for (const MemoryFiles& files : kMemoryFiles) {
    const auto limit = NumberIn(folder + files.limit);
    if (!limit.has_value() || *limit < 0) continue;
    const std::uint64_t used =
        static_cast<std::uint64_t>(NumberIn(folder + files.used).value_or(0));
    const std::uint64_t cache = NumberOfKey(folder + "/memory.stat", files.reclaimable);
    const std::uint64_t kept = used - std::min(used, cache);
    const auto bytes = static_cast<std::uint64_t>(*limit);
    Limit(&left, bytes - std::min(bytes, kept));
  }
  return left;
}

}  // namespace

std::optional<std::uint32_t> CgroupCores(const std::string& root) {
  std::optional<std::uint32_t> least;
  VisitGroups(root, "cpu", [&](const std::string& folder) {
    if (const auto cores = CoresOf(folder)) Limit(&least, *cores);
  });
  return least;
}

std::optional<std::uint64_t> CgroupMemoryLeft(const std::string& root) {
  std::optional<std::uint64_t> least;
  VisitGroups(root, "memory", [&](const std::string& folder) {
    if (const auto left = MemoryLeftIn(folder)) Limit(&least, *left);
  });
  return least;
}

}  // namespace stress
