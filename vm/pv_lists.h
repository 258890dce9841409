// The PV lists: from a page to the page-table entries that map it. Each block of frames is a shard
// with a lock and a pool of entries: threads whose pages were taken from the machine in blocks
// share neither.
//
// Thread safety: a page's list (Page::pv_first) is guarded by the lock of its shard. A mapping is
// put on the list before its page-table entry becomes valid, and taken off after the shootdown that
// ended it: a page whose list is empty is touched by no CPU.
#ifndef VM_PV_LISTS_H_
#define VM_PV_LISTS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "vm/lock_roles.h"
#include "vm/page.h"
#include "vm/types.h"

namespace vm {

class Pmap;

// One mapping of a page, guarded by its shard's lock.
struct PvEntry {
  Pmap* pmap;
  Address va;
  PvEntry* next;
};

class PvLists {
 public:
  PvLists(std::uint32_t pages, locking::Giant* giant);

  class alignas(64) Shard {
   public:
    explicit Shard(locking::Giant* giant);
    mutable MutexRole lock;
    // Adds (pmap, va) to the page's list; it is not on it.
    void Add(Page& page, Pmap* pmap, Address va) LOCKING_REQUIRES(lock);
    // Takes it off; INV-41 if it is not there.
    void Remove(Page& page, const Pmap* pmap, Address va) LOCKING_REQUIRES(lock);
    // Entries on the lists of this shard's pages.
    std::uint32_t in_use() const LOCKING_REQUIRES(lock) { return in_use_; }

   private:
    void Grow() LOCKING_REQUIRES(lock);

    PvEntry* free_ LOCKING_GUARDED_BY(lock) = nullptr;
    std::uint32_t in_use_ LOCKING_GUARDED_BY(lock) = 0;
    std::vector<std::unique_ptr<PvEntry[]>> chunks_ LOCKING_GUARDED_BY(lock);
  };

  Shard& ShardOf(const Page& page) { return shards_[page.frame / kFramesPerShard]; }
  // Entries on all lists.
  std::uint32_t in_use();

 private:
  static constexpr std::uint32_t kFramesPerShard = 32;
  std::vector<Shard> shards_;
};

}  // namespace vm

#endif  // VM_PV_LISTS_H_
