// Taking pages from the machine and giving them back.
//
// Follows vm_page.c:736 (select cache), :787 (alloc), :396, :409 and :1057 (free), :357 (hold),
// :379 (copy), :938 and :967 (wait).
#ifndef VM_PAGE_ALLOC_H_
#define VM_PAGE_ALLOC_H_

#include <cstdint>

#include "vm/free_queue.h"
#include "vm/object.h"
#include "vm/page.h"

namespace vm {

struct AllocRequest {
  AllocClass alloc_class = AllocClass::kNormal;
  bool zeroed = false;  // prefer a frame that reads as zero; Page::zeroed says whether it does
  bool wired = false;   // wired once
  bool busy = false;    // exclusively busy, by the caller
  bool reclaim = true;  // may free cache pages: takes page queues, and tries object locks
};

// A page for (object, pindex), invalid and clean, in the frame that is reserved for the place if
// there is one (reservation.h); nullptr when there is none: the caller drops its locks, waits
// (WaitForPages) and looks everything up again.
//   locked on entry and return: object, exclusively. Does not sleep.
Page* AllocatePage(System& system, Object& object, Pindex pindex, const AllocRequest& request)
    LOCKING_REQUIRES(object.lock);
// A page without an owner (page tables), of the colour if there is one. `own`: an object that the
// caller has locked exclusively, or nullptr.
Page* AllocateUnownedPage(System& system, const AllocRequest& request, std::uint64_t color = 0,
                          Object* own = nullptr);

// Frees a page: off its queue, out of its object, to the free queue, or to the hold list. It must
// be unmapped, unwired, not shared-busy, and busy by the caller at most (INV-01, INV-13, INV-30).
// A fictitious page only loses its owner: it is not the machine's to free.
//   locked on entry and return: the owner, exclusively. Takes the page role. Does not sleep.
void FreePage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock);
// The same for a page whose frame reads as zero: it is handed out as such (vm_page.c:409).
void FreeZeroedPage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock);
// A page without an owner.
void FreeUnownedPage(System& system, Page& page);
void FreeZeroedUnownedPage(System& system, Page& page);
// Takes back one hold; the last one frees a page that was freed meanwhile.
//   locked on entry and return: nothing from the page role on. Takes the page role.
void UnholdPage(System& system, Page& page);

// Sleeps until there are free pages again; on behalf of a fault, or of anything else.
//   kOk: try again; kOutOfMemory: give up.
//   locked on entry and return: nothing but sleepable locks. Sleeps.
[[nodiscard]] Result WaitForPages(System& system, FreeQueue::Waiter waiter);

// Fills the frame with zeroes; copies a frame, and the copy is valid. The pages are the caller's
// (see page.h).
void ZeroPage(System& system, Page& page);
void CopyPage(System& system, const Page& from, Page& to);

}  // namespace vm

#endif  // VM_PAGE_ALLOC_H_
