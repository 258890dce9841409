// Which slots of the swap space are used: a bitmap with a search that goes on where the last one
// ended, so that clusters stay together.
//
// Thread safety: all functions may be called by any thread. The lock is a leaf after page queues.
#ifndef VM_PAGER_SWAP_SLOTS_H_
#define VM_PAGER_SWAP_SLOTS_H_

#include <cstdint>
#include <vector>

#include "vm/lock_roles.h"

namespace vm {

class SwapSlots {
 public:
  explicit SwapSlots(std::uint32_t slots, locking::Giant* giant = nullptr);

  struct Run {
    std::uint32_t first;
    std::uint32_t count;  // 0: swap is full
  };
  // Takes up to `wanted` consecutive slots: as many as the longest free run has, if none is long
  // enough. `wanted` > 0.
  Run Allocate(std::uint32_t wanted) LOCKING_EXCLUDES(lock_);
  // INV-51 if a slot is not used.
  void Free(std::uint32_t first, std::uint32_t count) LOCKING_EXCLUDES(lock_);

  std::uint32_t slots() const { return slots_; }
  std::uint32_t used() const LOCKING_EXCLUDES(lock_);
  // For sweeps: population of the bitmap.
  std::uint32_t CountBits() const LOCKING_EXCLUDES(lock_);

 private:
  bool IsUsed(std::uint32_t slot) const LOCKING_REQUIRES(lock_) {
    return (bitmap_[slot / 64] >> (slot % 64) & 1) != 0;
  }
  // The first free run in [from, to), cut at `wanted`.
  Run FindRun(std::uint32_t from, std::uint32_t to, std::uint32_t wanted) const
      LOCKING_REQUIRES(lock_);
  // The first run of `wanted` in [from, to), else the longest if it is longer than `best`.
  Run FindBest(std::uint32_t from, std::uint32_t to, std::uint32_t wanted, Run best) const
      LOCKING_REQUIRES(lock_);

  const std::uint32_t slots_;
  mutable MutexRole lock_;
  std::vector<std::uint64_t> bitmap_ LOCKING_GUARDED_BY(lock_);  // a bit a used slot
  std::uint32_t used_ LOCKING_GUARDED_BY(lock_) = 0;
  std::uint32_t next_ LOCKING_GUARDED_BY(lock_) = 0;  // where the search goes on
};

}  // namespace vm

#endif  // VM_PAGER_SWAP_SLOTS_H_
