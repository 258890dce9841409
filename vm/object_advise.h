// Advice about the pages of an object: what will be needed, what will not, what may be lost.
//
// Follows vm_object.c:1090.
#ifndef VM_OBJECT_ADVISE_H_
#define VM_OBJECT_ADVISE_H_

#include <cstdint>

#include "vm/object.h"
#include "vm/types.h"

namespace vm {

enum class Advice : std::uint8_t {
  kWillNeed,  // resident pages become active
  kDontNeed,  // resident pages become inactive; their contents stay
  kFree,      // contents may be lost: the pages read as they did, or as zero, until the next store
};

// Tells of the pages [first, last) of what is seen through `object`, wherever in its chain they
// are. Pages that are wired, held, not wholly valid or unmanaged are passed over. kFree is only for
// anonymous memory that one map entry has to itself, with nothing behind it: what is forgotten
// would uncover older contents of a backer (D51).
//   not locked on entry and return; the caller has a reference. Sleeps while a page is busy.
void AdviseObject(System& system, Object& object, Pindex first, Pindex last, Advice advice);

}  // namespace vm

#endif  // VM_OBJECT_ADVISE_H_
