#include "stress/world/devices.h"

#include <utility>

namespace stress {
namespace {

const locking::LockClass kPhysicalMemoriesLock("stress physical", locking::LockKind::kMutex);

// The oracle knows no copies of it.
Shared<Memory> SharedMemory(Lineage& lineage, std::uint32_t pages, std::uint32_t page_size) {
  auto memory = MakeShared<Memory>(lineage, pages, page_size);
  memory->MarkShared();
  return memory;
}

}  // namespace

Devices::Devices(vm::System& system, Lineage& lineage) {
  const auto behind_memory = static_cast<vm::Frame>(system.pages().size());
  for (std::uint32_t at = 0; at + kPages <= system.config().device_frames; at += kPages)
    devices_.push_back(
        {behind_memory + at, SharedMemory(lineage, kPages, system.config().page_size)});
}

PhysicalMemories::PhysicalMemories() : lock_(kPhysicalMemoriesLock) {}

Shared<Memory> PhysicalMemories::TryTake(Lineage& lineage, std::uint32_t pages,
                                         std::uint32_t page_size, std::uint64_t limit) {
  locking::MutexGuard guard(lock_);
  std::erase_if(taken_, [](const Shared<Memory>& memory) { return memory.unique(); });
  std::uint64_t in_use = pages;
  for (const Shared<Memory>& memory : taken_) in_use += memory->pages();
  if (in_use > limit) return nullptr;
  return taken_.emplace_back(SharedMemory(lineage, pages, page_size));
}

}  // namespace stress
