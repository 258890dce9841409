// World: the address spaces of a run, and what the harness knows of them. All workers share it.
//
// The spaces that are left when it is destroyed die with their machine.
//
// Lock key: (w) World::lock_; (s) SpaceState::lock. Neither is held while the VM is called, nor are
// those of the rosters, so none of them stands in the VM's lock order.
#ifndef STRESS_WORLD_WORLD_H_
#define STRESS_WORLD_WORLD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "locking/mutex.h"
#include "locking/random.h"
#include "stress/world/claim.h"
#include "stress/world/devices.h"
#include "stress/world/files.h"
#include "stress/world/mapping.h"
#include "stress/world/oracle.h"
#include "stress/world/roster.h"
#include "vm/system.h"

namespace stress {

// A range that was wired once, and is to be unwired once.
struct WiredRange {
  Shared<Mapping> mapping;
  std::uint32_t first;
  std::uint32_t count;
};

struct SpaceState {
  SpaceState(vm::Space& vm_space, Shared<AddressRanges> address_ranges, std::uint32_t workers);

  vm::Space& space;
  const std::uint32_t number;  // the space's id, for logs
  const Shared<AddressRanges> ranges;
  Claim changes;  // shared: maps, unmaps, protects; alone: forks it
  Roster<Mapping> mappings;
  locking::Mutex lock;
  std::vector<WiredRange> wired LOCKING_GUARDED_BY(lock);
};

// A space that cannot exit while this lives.
using SpaceUse = Use<SpaceState>;
// A mapping whose addresses are not given out again while this lives.
using MappingUse = Use<Mapping>;

struct WorldConfig {
  std::uint64_t salt = 0;
  std::uint32_t min_spaces = 2;  // as many exist at the start and stay
  std::uint32_t workers = 1;     // numbered from 0
  // Pages that all mappings together may promise, so that a run is about memory pressure and not
  // about running out.
  std::uint64_t commit_limit = 0;
  bool store_may_fail = false;  // an I/O error is a legal outcome
  StoreFaults file_faults = {};
  std::string file_folder = {};  // of the host, where files are; empty: in memory
};

class World {
 public:
  World(vm::System& system, const WorldConfig& config);
  World(const World&) = delete;

  vm::System& system() { return system_; }
  Lineage& lineage() { return lineage_; }
  std::uint32_t page_size() const { return system_.config().page_size; }

  // Some space, or none.
  SpaceUse PickSpace(std::uint32_t worker, locking::Random& random) {
    return spaces_.Pick(worker, random);
  }
  // A space that no other worker picks; nullptr when the machine has no room for one.
  SpaceUse CreatePrivate() LOCKING_EXCLUDES(lock_);
  // The world's knowledge of a space of the machine, which nobody picks yet.
  Shared<SpaceState> NewState(vm::Space& space) const;
  // A space that is picked from now on; `worker` uses it already.
  SpaceUse AddUsed(std::uint32_t worker, Shared<SpaceState> state) {
    return spaces_.AddUsed(worker, std::move(state));
  }
  // Takes a space that nobody uses out of the world, to be exited; nullptr when there is none, or
  // no more than the minimum.
  Shared<SpaceState> TakeForExit(locking::Random& random) {
    return spaces_.TakeUnused(config_.min_spaces, random);
  }
  std::uint32_t space_count() const { return spaces_.size(); }

  // Whether `pages` more may be promised.
  bool MayCommit(std::uint64_t pages) const {
    return lineage_.committed_pages() + pages <= config_.commit_limit;
  }
  bool store_may_fail() const { return config_.store_may_fail; }
  // Wired pages of all spaces, as the harness counts them.
  locking::Atomic<std::int64_t>& wired_pages() { return wired_pages_; }
  const Devices& devices() const { return devices_; }
  PhysicalMemories& physical_memories() { return physical_memories_; }
  // A file that nobody knows; nullptr: the host has no room for one.
  std::unique_ptr<vm::BackingFile> NewBackingFile(std::uint32_t pages) const {
    return NewFile(config_.file_folder, system_.PagesToBytes(pages));
  }
  // One of the files, of which there are at most `files` of `pages` pages each; nullptr while
  // there is none: another worker makes the first, or the host has no room for one.
  FileState* PickFile(locking::Random& random, std::uint32_t files, std::uint32_t pages)
      LOCKING_EXCLUDES(lock_);
  // Exits every space and closes every file, which ends the world: no worker runs any more. A file
  // that does not have what was stored to it is reported, unless its close said so.
  void ExitAll() LOCKING_EXCLUDES(lock_);

 private:
  Shared<SpaceState> CreateSpace();
  void MakeFile(std::uint32_t pages) LOCKING_EXCLUDES(lock_);
  std::uint32_t file_count() LOCKING_EXCLUDES(lock_);
  void CloseFile(FileState& file) const;

  vm::System& system_;
  const WorldConfig config_;
  Lineage lineage_;
  const Devices devices_;
  PhysicalMemories physical_memories_;
  locking::Atomic<std::int64_t> wired_pages_{0};
  Roster<SpaceState> spaces_;
  locking::Mutex lock_;
  std::vector<Shared<SpaceState>> private_ LOCKING_GUARDED_BY(lock_);
  Claim making_file_;
  std::vector<std::unique_ptr<FileState>> files_ LOCKING_GUARDED_BY(lock_);
};

}  // namespace stress

#endif  // STRESS_WORLD_WORLD_H_
