#include "stress/world/world.h"

#include <utility>

namespace stress {
namespace {

using locking::LockClass;
using locking::LockKind;

const LockClass kWorldLock("stress world", LockKind::kMutex);
const LockClass kSpaceStateLock("stress space", LockKind::kMutex);
const LockClass kSpacesLock("stress spaces", LockKind::kMutex);
const LockClass kOwnSpacesLock("stress own spaces", LockKind::kMutex);
const LockClass kMappingsLock("stress mappings", LockKind::kMutex);
const LockClass kOwnMappingsLock("stress own mappings", LockKind::kMutex);

}  // namespace

SpaceState::SpaceState(vm::Space& vm_space, Shared<AddressRanges> address_ranges,
                       std::uint32_t workers)
    : space(vm_space),
      number(vm_space.id()),
      ranges(std::move(address_ranges)),
      mappings({kMappingsLock, kOwnMappingsLock, workers, number}),
      lock(kSpaceStateLock, number) {}

World::World(vm::System& system, const WorldConfig& config)
    : system_(system),
      config_(config),
      lineage_(config.salt),
      spaces_({kSpacesLock, kOwnSpacesLock, config.workers}),
      lock_(kWorldLock) {
  for (std::uint32_t i = 0; i < config.min_spaces; ++i)
    if (auto state = CreateSpace(); state != nullptr) spaces_.Add(std::move(state));
}

Shared<SpaceState> World::NewState(vm::Space& space) const {
  auto ranges = MakeShared<AddressRanges>(system_.config().page_size, space.map().limit);
  return MakeShared<SpaceState>(space, std::move(ranges), config_.workers);
}

Shared<SpaceState> World::CreateSpace() {
  vm::Space* space = system_.CreateSpace();
  if (space == nullptr) return nullptr;
  return NewState(*space);
}

SpaceUse World::CreatePrivate() {
  Shared<SpaceState> state = CreateSpace();
  if (state == nullptr) return nullptr;
  locking::MutexGuard guard(lock_);
  private_.push_back(state);
  return SpaceUse(std::move(state));
}

void World::ExitAll() {
  for (const auto& state : spaces_.All()) state->space.Exit();
  std::vector<Shared<SpaceState>> leaving;
  {
    locking::MutexGuard guard(lock_);
    leaving = std::move(private_);
  }
  for (const auto& state : leaving) state->space.Exit();
}

}  // namespace stress
