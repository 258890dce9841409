// Page faults: making the page at an address resident and mapped.
//
// Every wait gives up all locks and starts again from the map: no lock, page or object that was
// looked up before is used after it. What must not change meanwhile is held by the locks alone, so
// zero-fill and copy-on-write need no busy page; only a page that is read in is busy, and its
// object has paging in progress.
//
// What an attempt got before it had to wait is held over to the next: the page that it read in, or
// could not map for want of a table page. Otherwise a fault that takes two pages might never end on
// a machine that has one left: the page daemon would free the first, clean and in swap, for whoever
// waits for the second. So either a fault comes to its end, or the daemon finds nothing to free and
// declares the machine out of memory.
//
// Follows vm_fault of the seeds' era; D44 (the other mappings of a copied page).
#ifndef VM_FAULT_H_
#define VM_FAULT_H_

#include "vm/map.h"
#include "vm/pmap.h"
#include "vm/types.h"

namespace vm {

class System;

enum class FaultKind : std::uint8_t {
  kAccess,
  kWire,  // the page is wired once more and its mapping marked so; breaks copy-on-write
};

// Resolves a fault at `va` of (map, pmap).
//   locked on entry and return: nothing (no map lock either). Sleeps.
// kInvalidAddress, kProtectionFailure, kIoError, kOutOfMemory.
Result ResolveFault(System& system, Map& map, Pmap& pmap, Address va, Protection access,
                    FaultKind kind);

}  // namespace vm

#endif  // VM_FAULT_H_
