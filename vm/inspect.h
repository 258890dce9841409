// Views of objects as text, for reports of failures and for debuggers.
//
// Contract: no object is locked by the caller; each is locked for a while. A chain is shown as it
// was at no single time, unless the machine is at rest.
//
// Follows vm_object.c:2298 (print) and :2362 (print pages).
#ifndef VM_INSPECT_H_
#define VM_INSPECT_H_

#include <string>

#include "vm/object.h"

namespace vm {

// "object #3: swap, 12 pages, 4 resident, references 2, shadows 1, charge 12, behind it #1 + 4;
// resident 0-2 in frames 17-19, 7 in frame 5". Runs are of pages that follow one another in the
// object and in the machine; more than a few are only counted.
std::string InspectObject(Object& object);
// The same for each object of the chain, a line each, from the front.
std::string InspectChain(Object& front);

}  // namespace vm

#endif  // VM_INSPECT_H_
