// device: maps devices and physical memory in the spaces that all use, touches them, and unmaps.
#include <algorithm>

#include "stress/workers/worker.h"
#include "stress/world/device_operations.h"

namespace stress {
namespace {

class DeviceWorker : public Worker {
 public:
  DeviceWorker(const WorkerParameters& p, const WorkerSetup& setup)
      : physical_max_(std::max<std::uint64_t>(
            1, std::uint64_t{setup.pages} * p.Number("limit_percent") / 100)),
        max_pages_(std::min(p.Number("max_pages"), static_cast<std::uint32_t>(physical_max_))),
        touches_(p.Number("touches")) {}

  void Step(WorkerContext& context) override {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    const MappingUse mapping = MapSome(context, *space);
    if (mapping == nullptr) return;
    for (std::uint32_t i = 0; i < touches_; ++i)
      Touch(context, *space, *mapping, context.random.Below(mapping->pages()),
            context.random.Percent(50) ? Access::kStore : Access::kLoad);
    if (context.random.Percent(kUnmapPercent))
      UnmapPages(context, *space, mapping, 0, mapping->pages());
  }

 private:
  static constexpr std::uint32_t kUnmapPercent = 60;
  static constexpr std::uint32_t kMappingsMax = 64;  // of a space: then one of them goes

  MappingUse MapSome(WorkerContext& context, SpaceState& space) const {
    const Devices& devices = context.world.devices();
    if (space.mappings.size() >= kMappingsMax) return PickMapping(context, space);
    if (devices.count() != 0 && context.random.Percent(50))
      return MapDevice(context, space, devices.at(context.random.Below(devices.count())));
    return MapPhysical(context, space, 1 + context.random.Below(max_pages_), physical_max_);
  }

  const std::uint64_t physical_max_;
  const std::uint32_t max_pages_;
  const std::uint32_t touches_;
};

}  // namespace

std::unique_ptr<Worker> MakeDeviceWorker(const WorkerParameters& p, const WorkerSetup& setup) {
  return std::make_unique<DeviceWorker>(p, setup);
}

}  // namespace stress
