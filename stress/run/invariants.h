// The checks of a whole machine at rest, and of what must be left when everything has exited.
//
// Thread safety: the machine is quiescent, its daemons stopped.
#ifndef STRESS_RUN_INVARIANTS_H_
#define STRESS_RUN_INVARIANTS_H_

#include <string>
#include <vector>

#include "locking/finding.h"
#include "vm/system.h"

namespace stress {

// Ids of the invariants that SweepMachine checks.
std::vector<std::string> CheckedInvariants();
// What is broken now; spaces may exist.
std::vector<locking::Finding> SweepMachine(vm::System& system);
// What a machine still holds whose spaces have all exited.
std::vector<locking::Finding> FindLeaks(vm::System& system);

}  // namespace stress

#endif  // STRESS_RUN_INVARIANTS_H_
