#include "stress/world/device_operations.h"

#include <utility>

#include "vm/object_ranges.h"
#include "vm/pager/making_pagers.h"

namespace stress {
namespace {

constexpr std::uint32_t kPopulatePercent = 40;

// The mapping has the only reference to the object.
MappingUse MapWhole(WorkerContext& context, SpaceState& state, vm::Object* object,
                    Shared<Memory> memory) {
  vm::System& system = context.world.system();
  const std::uint32_t pages = memory->pages();
  const vm::Address bytes = vm::Address{pages} * context.world.page_size();
  const std::optional<vm::Address> place = state.ranges->Take(pages);
  if (!place.has_value()) {
    vm::DeallocateObject(system, object);
    return nullptr;
  }
  auto mapping =
      MakeShared<Mapping>(state.ranges, *place, context.world.page_size(), std::move(memory),
                          vm::Protection::kReadWrite, vm::Inheritance::kShare);
  vm::Address start = 0;
  context.log.Begin("map object", state.number, *place, pages);
  const vm::Result result =
      state.space.MapObject(*place, bytes, *object, 0, vm::Protection::kReadWrite, &start);
  vm::DeallocateObject(system, object);
  context.log.End(result);
  if (result == vm::Result::kOk) return state.mappings.AddUsed(context.number, std::move(mapping));
  context.counters.refused.Add();
  if (!IsRefusal(context, result))
    ReportWrong(context, "ORACLE-ACCESS", "a mapping of an object was refused",
                vm::ResultName(result));
  return nullptr;
}

// All its pages at once, instead of by faults.
void Populate(WorkerContext& context, vm::Object& object, std::uint32_t pages) {
  context.log.Begin("populate", 0, 0, pages);
  bool done;
  {
    vm::ObjectGuard guard(object.lock);
    done = vm::PopulateObject(context.world.system(), object, 0, pages);
  }
  context.log.End(done ? vm::Result::kOk : vm::Result::kOutOfMemory);
  if (!done) context.counters.refused.Add();
}

}  // namespace

MappingUse MapDevice(WorkerContext& context, SpaceState& state, const Device& device) {
  SharedClaim changes(state.changes);
  if (!changes.held()) return nullptr;
  vm::Object* object =
      vm::AllocateDeviceObject(context.world.system(), device.first, device.memory->pages());
  return MapWhole(context, state, object, device.memory);
}

MappingUse MapPhysical(WorkerContext& context, SpaceState& state, std::uint32_t pages,
                       std::uint64_t limit) {
  World& world = context.world;
  SharedClaim changes(state.changes);
  if (!changes.held() || !world.MayCommit(pages)) return nullptr;
  Shared<Memory> memory =
      world.physical_memories().TryTake(world.lineage(), pages, world.page_size(), limit);
  if (memory == nullptr) return nullptr;
  vm::Object* object = vm::AllocatePhysicalObject(world.system(), pages);
  if (context.random.Percent(kPopulatePercent)) Populate(context, *object, pages);
  return MapWhole(context, state, object, std::move(memory));
}

}  // namespace stress
