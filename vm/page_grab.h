// Grab: the page of an object, whatever it takes.
//
// Follows vm_page.c:1477.
#ifndef VM_PAGE_GRAB_H_
#define VM_PAGE_GRAB_H_

#include "vm/object.h"
#include "vm/page.h"
#include "vm/page_alloc.h"

namespace vm {

struct GrabRequest {
  AllocClass alloc_class = AllocClass::kNormal;
  bool zeroed = false;  // one that has to be allocated reads as zero
  bool wired = false;   // wired once more
  bool busy = true;     // exclusively busy, by the caller
  bool retry = true;    // after a sleep look again; else nothing after one
};

// The page at (object, pindex), which nobody has busy: the resident one, off the cache queue, or a
// new one, which is invalid and on no queue. Waits for one that is busy, and for free pages.
// nullptr: it slept and was not to look again; there is no memory to be had (kOutOfMemory of
// WaitForPages); or the object, while it slept, has become shorter.
//   locked on entry and return: object, exclusively; dropped and retaken where it sleeps, so the
//   caller has a reference to it and looks everything else up again. May sleep.
[[nodiscard]] Page* GrabPage(System& system, Object& object, Pindex pindex,
                             const GrabRequest& request) LOCKING_REQUIRES(object.lock);

}  // namespace vm

#endif  // VM_PAGE_GRAB_H_
