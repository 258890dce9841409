// The swap pager: which pages of which object have a copy in swap, and moving pages there and back.
//
// Lock key: (o) the object's lock, exclusively; (s) the swap lock: bitmap and counts, a leaf after
// page queues.
//
// A slot has exactly one owner (INV-51). A slot with I/O in flight belongs to a busy page, so
// nobody frees it: the functions below that free slots are called under the object's lock for pages
// that are not busy.
//
// Follows the swap pager of the vm_object.c era: swap_pager_putpages, getpages, freespace, copy.
#ifndef VM_PAGER_SWAP_H_
#define VM_PAGER_SWAP_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "locking/mutex.h"
#include "vm/object.h"
#include "vm/store/store.h"
#include "vm/types.h"

namespace vm {

inline constexpr std::uint32_t kNoSlot = ~0u;
inline constexpr std::uint32_t kClusterPages = 16;  // most pages of one write

// The swap copies of one object's pages. (o)
class SwapMap {
 public:
  // kNoSlot: none.
  std::uint32_t SlotOf(Pindex pindex) const;
  // Returns the slot that was there, or kNoSlot.
  std::uint32_t Set(Pindex pindex, std::uint32_t slot);
  std::uint32_t Take(Pindex pindex);
  bool empty() const { return slots_.empty(); }
  std::map<Pindex, std::uint32_t>& slots() { return slots_; }

 private:
  std::map<Pindex, std::uint32_t> slots_;
};

class SwapPager {
 public:
  SwapPager(System& system, std::uint32_t slots, std::unique_ptr<Store> store);

  // Whether (object, pindex) has a copy in swap.
  bool HasPage(const Object& object, Pindex pindex) const LOCKING_REQUIRES_SHARED(object.lock);
  // Reads the page's copy into its frame. The page is exclusively busy by the caller, invalid, and
  // the object has paging in progress; on kOk it is valid and clean.
  //   locked on entry and return: object; dropped and retaken. Sleeps.
  Result PageIn(Object& object, Page& page) LOCKING_REQUIRES(object.lock);
  // Writes `pages` (of consecutive indices, resident, valid, unbusy, write access removed here) to
  // newly assigned slots; they are shared-busy meanwhile. What was written is clean unless it was
  // dirtied again; what failed stays dirty. Returns how many were written.
  //   locked on entry and return: object; dropped and retaken: look everything up again. Sleeps.
  std::uint32_t PageOut(Object& object, std::span<Page* const> pages) LOCKING_REQUIRES(object.lock);
  // Forgets the copies of [first, first + count).
  void FreeSpace(Object& object, Pindex first, Pindex count) LOCKING_REQUIRES(object.lock);
  void FreeAll(Object& object) LOCKING_REQUIRES(object.lock);
  // Moves the copies of `from` at `offset` and beyond to `to` at 0 and beyond, as far as `to`
  // reaches and has neither page nor copy of its own; frees the rest. `from` has none left.
  void MoveAll(Object& from, Object& to, Pindex offset) LOCKING_REQUIRES(from.lock, to.lock);

  std::uint32_t slots() const { return slots_; }
  std::uint32_t used() LOCKING_EXCLUDES(lock_);
  // For sweeps: population of the bitmap.
  std::uint32_t CountBits() LOCKING_EXCLUDES(lock_);

 private:
  // A run of up to `wanted` free slots; the first and how many. 0: swap is full.
  std::uint32_t AllocateRun(std::uint32_t wanted, std::uint32_t* count) LOCKING_EXCLUDES(lock_);
  void FreeSlot(std::uint32_t slot) LOCKING_EXCLUDES(lock_);

  System& system_;
  const std::uint32_t slots_;
  std::unique_ptr<Store> store_;
  locking::Mutex lock_;
  std::vector<std::uint64_t> bitmap_ LOCKING_GUARDED_BY(lock_);  // a bit a used slot
  std::uint32_t used_ LOCKING_GUARDED_BY(lock_) = 0;
  std::uint32_t next_ LOCKING_GUARDED_BY(lock_) = 0;  // where the search goes on
};

}  // namespace vm

#endif  // VM_PAGER_SWAP_H_
