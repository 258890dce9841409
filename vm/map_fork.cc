// Fork: a child map by inheritance. See map_ranges.h.
#include "vm/map_ranges.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

MapEntry InheritedEntry(const MapEntry& parent) {
  MapEntry child = parent;
  child.wired_count = 0;
  child.in_transition = false;
  child.needs_wakeup = false;
  child.transition_thread = 0;
  return child;
}

// Both use one object from now on; it must be the parent's own.
MapEntry Share(System& system, MapEntry& parent) {
  const Pindex pages = system.BytesToPages(parent.end - parent.start);
  if (parent.object == nullptr) {
    parent.object = AllocateObject(system, ObjectType::kDefault, pages);
    parent.offset = 0;
  } else if (parent.needs_copy) {
    ShadowObject(system, &parent.object, &parent.offset, pages);
  }
  parent.needs_copy = false;
  ReferenceObject(parent.object);
  return InheritedEntry(parent);
}

// Copies one resident page into the child's object. False: no page was free.
bool CopyResident(System& system, Object& from, Pindex from_index, Object& to, Pindex to_index)
    LOCKING_REQUIRES(from.lock, to.lock) {
  Page* source = LookupPage(from, from_index);
  Require(source != nullptr && source->wire_count > 0, "INV-31", "a wired page left its object");
  Page* copy = AllocatePage(system, to, to_index, {});
  if (copy == nullptr) return false;
  Pmap::RemoveWrite(system, *source);
  CopyPage(system, *source, *copy);
  copy->zeroed = false;
  DirtyPage(system, *copy);
  PageRoleGuard page_guard(system.queues().PageLock(*copy));
  system.queues().Activate(*copy);
  return true;
}

// The same. Neither shadows the other, so the second lock is a try: the page daemon may have it.
bool CopyOnePage(System& system, Object& from, Pindex from_index, Object& to, Pindex to_index) {
  from.lock.Lock();
  while (!to.lock.TryLock()) {
    BackOff(system, from.lock);
    from.lock.Lock();
  }
  const bool copied = CopyResident(system, from, from_index, to, to_index);
  to.lock.Unlock();
  from.lock.Unlock();
  return copied;
}

// Wired memory cannot be write-protected and copied later: the child gets its copy now (D35).
// kOutOfMemory: the entry holds what was copied so far.
Result CopyWired(System& system, const MapEntry& parent, MapEntry* child) {
  const Pindex pages = system.BytesToPages(parent.end - parent.start);
  *child = InheritedEntry(parent);
  child->object = AllocateObject(system, ObjectType::kDefault, pages);
  child->offset = 0;
  child->needs_copy = false;
  for (Pindex i = 0; i < pages;) {
    if (CopyOnePage(system, *parent.object, parent.offset + i, *child->object, i)) {
      ++i;
      continue;
    }
    const Result result = WaitForPages(system, FreeQueue::Waiter::kSystem);
    if (result != Result::kOk) return result;
  }
  return Result::kOk;
}

// Both shadow the object before their next write.
MapEntry CopyLater(MapEntry& parent, Pmap& parent_pmap) {
  if (parent.object == nullptr) return InheritedEntry(parent);
  if (!parent.needs_copy) {
    parent_pmap.Protect(parent.start, parent.end, parent.protection & Protection::kRead);
    parent.needs_copy = true;
  }
  ReferenceObject(parent.object);
  {
    ObjectGuard guard(parent.object->lock);
    parent.object->one_mapping = false;
  }
  return InheritedEntry(parent);
}

}  // namespace

Result ForkMap(System& system, Map& parent, Pmap& parent_pmap, Map& child) {
  MapWriteGuard parent_guard(parent);
  WaitForTransitions(system, parent, 0, parent.limit);
  MapWriteGuard child_guard(child);
  for (auto& [start, entry] : parent.entries) {
    if (entry.inheritance == Inheritance::kNone) continue;
    MapEntry inherited;
    Result result = Result::kOk;
    if (entry.inheritance == Inheritance::kShare)
      inherited = Share(system, entry);
    else if (entry.wired_count != 0)
      result = CopyWired(system, entry, &inherited);
    else
      inherited = CopyLater(entry, parent_pmap);
    child.entries.emplace(start, inherited);
    child.size += inherited.end - inherited.start;
    if (result != Result::kOk) return result;
  }
  system.counters().Add(Event::kFork);
  return Result::kOk;
}

}  // namespace vm
