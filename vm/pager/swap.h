// The swap pager: which pages of which object have a copy in swap, and moving pages there and back.
//
// Lock key: (o) the object's lock, exclusively.
//
// A slot has exactly one owner: one page of one object, or the write that is on its way to make it
// so (INV-51). A resident valid page wins over its copy, which nobody reads while the page stays;
// once the page is dirtied the copy is stale, and keeps its slot until the next write-out replaces
// it. A new slot replaces an old one only after the write succeeded. A slot being read belongs to
// an exclusively busy page, and nobody frees it: the functions below that free slots are called
// under the object's lock for pages that nobody else has busy.
//
// Follows the swap pager of the vm_object.c era: swap_pager_putpages, getpages, freespace, copy.
#ifndef VM_PAGER_SWAP_H_
#define VM_PAGER_SWAP_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "vm/object.h"
#include "vm/pager/swap_slots.h"
#include "vm/store/store.h"
#include "vm/types.h"

namespace vm {

inline constexpr std::uint32_t kNoSlot = ~0u;
inline constexpr std::uint32_t kClusterPages = 16;  // most pages of one write; a power of two

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

// One write-out under way: its pages, which are shared-busy, and the runs of them that go to
// consecutive slots.
struct WriteOut {
  struct Segment {
    std::uint32_t first;  // index into `pages`
    std::uint32_t count;
    std::uint32_t slot;
    bool in_place;  // over the page's own copy, because no other slot was free
    Result result;
  };

  std::array<Page*, kClusterPages> pages;
  std::uint32_t page_count = 0;
  // The dirty bits that were taken from each page; 0: it was clean, or there was no slot for it.
  std::array<std::uint64_t, kClusterPages> dirty{};
  std::array<Segment, kClusterPages> segments;
  std::uint32_t segment_count = 0;

  std::span<Page* const> cluster() const { return {pages.data(), page_count}; }
};

class SwapPager {
 public:
  SwapPager(System& system, std::uint32_t slots, std::unique_ptr<Store> store);

  // Whether (object, pindex) has a copy in swap.
  bool HasPage(const Object& object, Pindex pindex) const LOCKING_REQUIRES_SHARED(object.lock);
  // Reads the page's copy, which there is, into its frame. The page is exclusively busy by the
  // caller, invalid, and the object has paging in progress; on kOk it is valid and clean, and keeps
  // its copy. kIoError: it is still invalid.
  //   locked on entry and return: object; dropped and retaken. Sleeps.
  Result PageIn(Object& object, Page& page) LOCKING_REQUIRES(object.lock);
  // Writes the dirty ones of `pages`: at most kClusterPages, of consecutive indices, resident,
  // valid, unbusy. Write access to them is removed here, and they are shared-busy from then on
  // until the return. What was written is clean, unless it was dirtied meanwhile; what failed, or
  // found no slot, is dirty as before. Returns how many were written.
  //   locked on entry and return: object; dropped and retaken. The pages are still there on return,
  //   all else is to be looked up again. Sleeps.
  std::uint32_t PageOut(Object& object, std::span<Page* const> pages) LOCKING_REQUIRES(object.lock);
  // The same in three steps, so that another thread may do the second, and the last. Between the
  // first and the last the object has paging in progress.
  //   locked on entry and return of the first and the last: object. They do not sleep.
  void BeginPageOut(Object& object, std::span<Page* const> pages, WriteOut* write)
      LOCKING_REQUIRES(object.lock);
  //   They go on in another thread: the first gives the write away, then the other takes it over.
  static void GiveAway(const Object& object, const WriteOut& write);
  static void TakeOver(const Object& object, const WriteOut& write);
  //   no lock is held. Sleeps.
  void Write(WriteOut& write);
  std::uint32_t EndPageOut(Object& object, const WriteOut& write) LOCKING_REQUIRES(object.lock);
  // Forgets the copies of [first, first + count). A clean page loses its only copy: whoever means
  // to keep its contents dirties it.
  void FreeSpace(Object& object, Pindex first, Pindex count) LOCKING_REQUIRES(object.lock);
  void FreeAll(Object& object) LOCKING_REQUIRES(object.lock);
  // Moves the copies of `from` at `offset` and beyond to `to` at 0 and beyond, as far as `to`
  // reaches and has neither a valid page nor a copy of its own; frees the rest. `from` has none
  // left. Its resident pages that win over their copies have been moved before.
  void MoveAll(Object& from, Object& to, Pindex offset) LOCKING_REQUIRES(from.lock, to.lock);

  std::uint32_t slots() const { return slots_.slots(); }
  std::uint32_t used() const { return slots_.used(); }
  // For sweeps: population of the bitmap.
  std::uint32_t CountBits() const { return slots_.CountBits(); }

 private:
  void ProtectCluster(Object& object, WriteOut& write) LOCKING_REQUIRES(object.lock);
  void AssignSlots(Object& object, WriteOut& write) LOCKING_REQUIRES(object.lock);
  void SetSlot(Object& object, Pindex pindex, std::uint32_t slot) LOCKING_REQUIRES(object.lock);

  System& system_;
  const std::unique_ptr<Store> store_;
  SwapSlots slots_;
};

}  // namespace vm

#endif  // VM_PAGER_SWAP_H_
