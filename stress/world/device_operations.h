// What a worker maps that is never paged: see operations.h.
#ifndef STRESS_WORLD_DEVICE_OPERATIONS_H_
#define STRESS_WORLD_DEVICE_OPERATIONS_H_

#include <cstdint>

#include "stress/world/operations.h"

namespace stress {

// A shared mapping of a device, through a new object; empty when it is refused.
MappingUse MapDevice(WorkerContext& context, SpaceState& state, const Device& device);
// A shared mapping of new physical memory; empty when it is refused, or would be more than `limit`
// pages of the machine with the rest of it.
MappingUse MapPhysical(WorkerContext& context, SpaceState& state, std::uint32_t pages,
                       std::uint64_t limit);

}  // namespace stress

#endif  // STRESS_WORLD_DEVICE_OPERATIONS_H_
