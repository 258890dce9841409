// Zero-copy sending: a page goes out from where it lies, and nobody's write reaches it until it is
// sent. While it is lent, a page is wired, once for each loan, and no mapping may write to it.
// Whoever wants to write gets a copy in the page's place; the page itself then belongs to its
// borrowers alone, and the last of them frees it.
//
// Nothing is ever out of its object with a lock dropped: without memory for the copy the fault
// starts again from the map, whatever happened to the page meanwhile (D02, vm_page.c:1747).
//
// Follows vm_page.c:1737 (fault), :1783 (clear), :1799 (setup), and the senders of uipc_cow.c.
#ifndef VM_PAGE_COW_H_
#define VM_PAGE_COW_H_

#include "vm/map.h"
#include "vm/object.h"
#include "vm/page.h"

namespace vm {

class Pmap;

// Lends the page once more. Rights to write to it come back by faults, once nobody has it any more.
// A page whose mappings cannot be found is not lent: false.
//   locked on entry and return: owner, exclusively; the page is not exclusively busy. Takes the
//   page role. Does not sleep.
[[nodiscard]] bool LendPage(System& system, Object& owner, Page& page) LOCKING_REQUIRES(owner.lock);
// One loan is over. The last frees a page that has no object any more.
//   locked on entry and return: nothing from the objects on. Takes the owner and the page role.
void ReturnPage(System& system, Page& page);

// A write to `page`, which is lent: puts a copy in its place, which is dirty, on no queue, and has
// the wirings that are not loans. nullptr: there is no page for it, and nothing has changed.
//   locked on entry and return: owner, exclusively; the page is not busy. Takes the page role.
//   Removes all mappings of the page. Does not sleep.
[[nodiscard]] Page* ReplaceLentPage(System& system, Object& owner, Page& page)
    LOCKING_REQUIRES(owner.lock);

// The owner can do without the page: it belongs to its borrowers alone from now on.
//   locked on entry and return: owner, exclusively; the page is not busy, not mapped, and wired by
//   loans alone. Takes the page role. Does not sleep.
void DetachLentPage(System& system, Object& owner, Page& page) LOCKING_REQUIRES(owner.lock);

// Lends the page that a process reads at `va` (page-aligned), after faulting it in. kNoSpace: it
// cannot be lent; send a copy.
//   locked on entry and return: nothing. Sleeps.
[[nodiscard]] Result LendMappedPage(System& system, Map& map, Pmap& pmap, Address va, Page** page);

}  // namespace vm

#endif  // VM_PAGE_COW_H_
