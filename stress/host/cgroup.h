// What the control groups of this process allow, v1 and v2: its own group and all above it. The
// root of the host's files is a parameter, "" for the host itself.
//
// Thread safety: all functions may be called by any thread.
#ifndef STRESS_HOST_CGROUP_H_
#define STRESS_HOST_CGROUP_H_

#include <cstdint>
#include <optional>
#include <string>

namespace stress {

// The quota of processor time in cores, rounded up; nothing: there is none.
std::optional<std::uint32_t> CgroupCores(const std::string& root);
// Bytes that the groups may still take, file cache that would be given back included; nothing: no
// limit.
std::optional<std::uint64_t> CgroupMemoryLeft(const std::string& root);

}  // namespace stress

#endif  // STRESS_HOST_CGROUP_H_
