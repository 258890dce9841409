// Creating shadows: see object.h.
#include "vm/object.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {

void ShadowObject(System& system, Object** object, Pindex* offset, Pindex size) {
  Object* source = *object;
  {
    ObjectGuard guard(source->lock);
    if (source->ref_count == 1 && source->anonymous()) return;
  }
  Object* shadow = AllocateObject(system, ObjectType::kDefault, size);
  {
    ObjectGuard shadow_guard(shadow->lock);
    shadow->backing = source;  // from here on the one comes before the other
    shadow->backing_offset = *offset;
    ObjectGuard source_guard(source->lock);
    Require(!source->dead, "INV-36", "a dead object is shadowed");
    source->shadows.push_front(*shadow);
    ++source->shadow_count;
    source->one_mapping = false;
    // A copy falls to where what it is a copy of does.
    shadow->color = source->color + ColorOf(*offset);
  }
  *offset = 0;
  *object = shadow;
}

}  // namespace vm
