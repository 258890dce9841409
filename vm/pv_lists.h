// The PV lists' locks and storage: pages hash by frame to one of a few shards, each with a lock and
// a pool of entries.
//
// Thread safety: a page's list (Page::pv_first) is guarded by the lock of its shard.
#ifndef VM_PV_LISTS_H_
#define VM_PV_LISTS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "locking/mutex.h"
#include "vm/page.h"
#include "vm/pmap.h"

namespace vm {

class PvLists {
 public:
  class Shard {
   public:
    Shard();
    mutable locking::Mutex lock;
    // Adds (pmap, va) to the page's list; it is not on it.
    void Add(Page& page, Pmap* pmap, Address va) LOCKING_REQUIRES(lock);
    // Takes it off; INV-41 if it is not there.
    void Remove(Page& page, const Pmap* pmap, Address va) LOCKING_REQUIRES(lock);

   private:
    PvEntry* free_ LOCKING_GUARDED_BY(lock) = nullptr;
    std::vector<std::unique_ptr<PvEntry[]>> chunks_ LOCKING_GUARDED_BY(lock);
  };

  Shard& ShardOf(const Page& page) { return shards_[page.frame % kShards]; }

 private:
  static constexpr std::uint32_t kShards = 16;
  std::array<Shard, kShards> shards_;
};

}  // namespace vm

#endif  // VM_PV_LISTS_H_
