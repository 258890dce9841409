// Dividing an object in two, and making one longer: see object_ranges.h.
//
// Neither drops a lock in its midst: who would have to wait for a busy page does so before, or does
// without. So nobody sees half of a split, and no page appears where it has passed (D19, D20).
#include "vm/object_ranges.h"
#include "vm/page_alloc.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

// Neither shadows the other, and the page daemon may try the new one's lock by what it read of its
// storage's last life.
void LockBoth(System& system, Object& object, Object& part)
    LOCKING_ACQUIRE(object.lock, part.lock) {
  object.lock.Lock();
  while (!part.lock.TryLock()) {
    BackOff(system, object.lock);
    object.lock.Lock();
  }
}

// The part shadows what the object does, as far as it reaches.
void ShareBacker(Object& object, Object& part, Pindex offset)
    LOCKING_REQUIRES(object.lock, part.lock) {
  Object* backer = object.backing;
  if (backer == nullptr) return;
  part.backing = backer;  // from here on the one comes before the other
  part.backing_offset = object.backing_offset + offset;
  ObjectGuard guard(backer->lock);
  Require(!backer->dead, "INV-36", "a dead object is shadowed");
  backer->shadows.push_front(part);
  ++backer->shadow_count;
  ReferenceObjectLocked(*backer);
  backer->one_mapping = false;
}

void MoveCharge(Object& object, Object& part) LOCKING_REQUIRES(object.lock, part.lock) {
  if (object.credential == nullptr) return;
  Require(object.charge >= part.size, "INV-51", "an object is charged for less than it has");
  object.charge -= part.size;
  part.credential = object.credential;
  part.charge = part.size;
}

void MovePages(System& system, Object& object, Object& part, Pindex offset)
    LOCKING_REQUIRES(object.lock, part.lock) {
  for (Pindex next = offset; Page* page = object.index.LookupAtOrAfter(next);) {
    if (page->pindex - offset >= part.size) return;
    next = page->pindex + 1;
    if (page->valid == 0)
      FreePage(system, object, *page);
    else
      RenamePage(system, object, *page, part, page->pindex - offset);
  }
}

}  // namespace

Object* SplitObject(System& system, Object& object, Pindex offset, Pindex size) {
  Object* part = AllocateObject(system, ObjectType::kDefault, size);
  LockBoth(system, object, *part);
  const bool possible = object.anonymous() && object.one_mapping && object.ref_count > 1 &&
                        FirstBusyPage(object, offset, offset + size) == nullptr;
  if (possible) {
    ShareBacker(object, *part, offset);
    MoveCharge(object, *part);
    MovePages(system, object, *part, offset);
    system.swap().MoveRange(object, *part, offset);
    --object.ref_count;  // the entry's; another one's stays
    system.counters().Add(Event::kSplit);
  }
  part->lock.Unlock();
  object.lock.Unlock();
  if (possible) return part;
  DeallocateObject(system, part);
  return nullptr;
}

bool CoalesceObject(System& system, Object* object, Pindex offset, Pindex size, Pindex more,
                    Reserved reserved) {
  if (object == nullptr) return true;
  ObjectGuard guard(object->lock);
  if (!object->anonymous()) return false;
  CollapseObject(system, *object);
  if (object->backing != nullptr) return false;
  const Pindex end = offset + size;
  if (object->ref_count > 1 && object->size != end) return false;
  // Somebody gave up what is there, and it may still be on its way to swap.
  if (FirstBusyPage(*object, end, end + more) != nullptr) return false;
  if (object->credential != nullptr) {
    if (reserved == Reserved::kNo && !system.charges().Reserve(*object->credential, more))
      return false;
    object->charge += more;
  }
  if (end < object->size) {
    RemovePages(system, *object, end, end + more, {.not_mapped = true});
    system.swap().FreeSpace(*object, end, more);
  }
  if (end + more > object->size) object->size = end + more;
  system.counters().Add(Event::kCoalesce);
  return true;
}

}  // namespace vm
