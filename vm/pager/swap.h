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

#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "vm/object.h"
#include "vm/pager/pager.h"
#include "vm/pager/swap_slots.h"
#include "vm/store/store.h"
#include "vm/types.h"

namespace vm {

inline constexpr std::uint32_t kNoSlot = ~0u;

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

class SwapPager final : public Pager {
 public:
  SwapPager(System& system, std::uint32_t slots, std::unique_ptr<Store> store);

  // Whether (object, pindex) has a copy in swap.
  bool HasPage(const Object& object, Pindex pindex) const override
      LOCKING_REQUIRES_SHARED(object.lock);
  // Copies in neighbouring slots.
  PageRun RunAround(const Object& object, Pindex pindex) const override
      LOCKING_REQUIRES_SHARED(object.lock);
  // What was read keeps its copy.
  Result GetPages(Object& object, std::span<Page* const> pages, std::uint32_t wanted) override
      LOCKING_REQUIRES(object.lock);
  void Write(WriteOut& write) override;
  void Deallocate(Object& object) override LOCKING_REQUIRES(object.lock);
  // Forgets the copies of [first, first + count). A clean page loses its only copy: whoever means
  // to keep its contents dirties it.
  void FreeSpace(Object& object, Pindex first, Pindex count) LOCKING_REQUIRES(object.lock);
  // Moves the copies of `from` in [offset, offset + to.size) to `to`, except where `to` has a valid
  // page or a copy of its own: those are freed. Resident pages that win over their copies have been
  // moved before.
  void MoveRange(Object& from, Object& to, Pindex offset) LOCKING_REQUIRES(from.lock, to.lock);
  // The same, and frees the rest: `from` has none left.
  void MoveAll(Object& from, Object& to, Pindex offset) LOCKING_REQUIRES(from.lock, to.lock);

  std::uint32_t slots() const { return slots_.slots(); }
  std::uint32_t used() const { return slots_.used(); }
  // For sweeps: population of the bitmap.
  std::uint32_t CountBits() const { return slots_.CountBits(); }

 private:
  void AssignPlaces(Object& object, WriteOut& write) override LOCKING_REQUIRES(object.lock);
  void Settle(Object& object, const WriteOut& write, const WriteOut::Segment& segment) override
      LOCKING_REQUIRES(object.lock);
  // Sleeps.
  Result ReadSlots(std::uint32_t slot, std::span<Page* const> pages, MapIn how);
  void SetSlot(Object& object, Pindex pindex, std::uint32_t slot) LOCKING_REQUIRES(object.lock);

  const std::unique_ptr<Store> store_;
  SwapSlots slots_;
};

}  // namespace vm

#endif  // VM_PAGER_SWAP_H_
