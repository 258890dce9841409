// Sweeps over a machine at rest: whether the invariants hold that can be seen in its state, and
// whether it gave everything back.
//
// Contract: the machine is quiescent. All workers are parked or ended with no lock and nothing
// busy, the page daemon sleeps or is stopped, no I/O is in flight. No lock of the VM is held by the
// caller; locks are taken one at a time, so that what was written under them is seen.
#ifndef VM_CHECK_H_
#define VM_CHECK_H_

#include <span>
#include <vector>

#include "locking/finding.h"

namespace vm {

class System;

struct CheckedInvariant {
  const char* id;    // "INV-05", of docs/invariants.md
  const char* text;  // in one line
};
// In order of id.
std::vector<CheckedInvariant> CheckedInvariants();

// What is broken, in order of id, a few findings for each; empty if all is well.
std::vector<locking::Finding> CheckSystem(System& system);

// To be asked when all spaces have exited: a "LEAK" for each kind of thing that is still in use.
std::vector<locking::Finding> CheckNoLeaks(System& system);

}  // namespace vm

#endif  // VM_CHECK_H_
