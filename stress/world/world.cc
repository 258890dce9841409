#include "stress/world/world.h"

#include <utility>

namespace stress {
namespace {

const locking::LockClass kWorldLock("stress world", locking::LockKind::kMutex);
const locking::LockClass kSpaceStateLock("stress space", locking::LockKind::kMutex);

}  // namespace

SpaceState::SpaceState(vm::Space& vm_space, Shared<AddressRanges> address_ranges)
    : space(vm_space),
      number(vm_space.id()),
      ranges(std::move(address_ranges)),
      lock(kSpaceStateLock, number) {}

World::World(vm::System& system, const WorldConfig& config)
    : system_(system), config_(config), lineage_(config.salt), lock_(kWorldLock) {
  for (std::uint32_t i = 0; i < config.min_spaces; ++i)
    if (auto state = CreateSpace(); state != nullptr) Add(std::move(state));
}

Shared<AddressRanges> World::NewRanges(const vm::Space& space) const {
  auto& map = const_cast<vm::Space&>(space).map();
  return MakeShared<AddressRanges>(system_.config().page_size, map.limit);
}

Shared<SpaceState> World::CreateSpace() {
  vm::Space* space = system_.CreateSpace();
  if (space == nullptr) return nullptr;
  return MakeShared<SpaceState>(*space, NewRanges(*space));
}

SpaceUse World::CreatePrivate() {
  Shared<SpaceState> state = CreateSpace();
  if (state == nullptr) return SpaceUse(nullptr);
  state->users.TryShared();
  locking::MutexGuard guard(lock_);
  private_.push_back(state);
  return SpaceUse(std::move(state));
}

void World::Add(Shared<SpaceState> state) {
  locking::MutexGuard guard(lock_);
  spaces_.push_back(std::move(state));
}

SpaceUse World::PickSpace(locking::Random& random) {
  locking::MutexGuard guard(lock_);
  if (spaces_.empty()) return SpaceUse(nullptr);
  Shared<SpaceState> state = spaces_[random.Below(static_cast<std::uint32_t>(spaces_.size()))];
  if (!state->users.TryShared()) return SpaceUse(nullptr);
  return SpaceUse(std::move(state));
}

Shared<SpaceState> World::TakeForExit(locking::Random& random) {
  locking::MutexGuard guard(lock_);
  const auto count = static_cast<std::uint32_t>(spaces_.size());
  if (count <= config_.min_spaces) return nullptr;
  const std::uint32_t first = random.Below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Shared<SpaceState>& candidate = spaces_[(first + i) % count];
    if (!candidate->users.TryAlone()) continue;
    Shared<SpaceState> taken = std::move(candidate);
    candidate = std::move(spaces_.back());
    spaces_.pop_back();
    return taken;
  }
  return nullptr;
}

std::uint32_t World::space_count() const {
  locking::MutexGuard guard(lock_);
  return static_cast<std::uint32_t>(spaces_.size());
}

Shared<Mapping> World::PickMapping(SpaceState& state, locking::Random& random) {
  locking::MutexGuard guard(state.lock);
  if (state.mappings.empty()) return nullptr;
  return state.mappings[random.Below(static_cast<std::uint32_t>(state.mappings.size()))];
}

void World::Exit(SpaceState& state) {
  state.space.Exit();
  locking::MutexGuard guard(state.lock);
  state.mappings.clear();
  state.wired.clear();
}

void World::ExitAll() {
  std::vector<Shared<SpaceState>> leaving;
  {
    locking::MutexGuard guard(lock_);
    leaving = std::move(spaces_);
    leaving.insert(leaving.end(), private_.begin(), private_.end());
    spaces_.clear();
    private_.clear();
  }
  for (const auto& state : leaving) Exit(*state);
}

}  // namespace stress
