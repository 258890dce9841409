// Devices of the run, and the memory that none of its workers pages: what the harness knows of it.
//
// A device is a range of frames behind the machine's memory. Each mapping of it has an object of
// its own over these frames, with pages of its own: what is stored through one is there for all.
//
// Thread safety: all functions may be called by any thread.
#ifndef STRESS_WORLD_DEVICES_H_
#define STRESS_WORLD_DEVICES_H_

#include <cstdint>
#include <vector>

#include "locking/mutex.h"
#include "stress/world/oracle.h"
#include "stress/world/shared.h"
#include "vm/system.h"

namespace stress {

struct Device {
  vm::Frame first;
  Shared<Memory> memory;
};

// The device frames of the machine in devices of kPages; what is left over is none.
class Devices {
 public:
  static constexpr std::uint32_t kPages = 4;

  Devices(vm::System& system, Lineage& lineage);

  std::uint32_t count() const { return static_cast<std::uint32_t>(devices_.size()); }
  const Device& at(std::uint32_t number) const { return devices_[number]; }

 private:
  std::vector<Device> devices_;
};

// Lock key: (p) lock_.
class PhysicalMemories {
 public:
  PhysicalMemories();
  // Of `pages` that nobody has mapped yet; null if all that are mapped or about to be would be more
  // than `limit` pages.
  Shared<Memory> TryTake(Lineage& lineage, std::uint32_t pages, std::uint32_t page_size,
                         std::uint64_t limit) LOCKING_EXCLUDES(lock_);

 private:
  locking::Mutex lock_;
  std::vector<Shared<Memory>> taken_ LOCKING_GUARDED_BY(lock_);
};

}  // namespace stress

#endif  // STRESS_WORLD_DEVICES_H_
