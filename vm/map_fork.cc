// Fork: a child map by inheritance. See map_ranges.h.
#include "vm/map_ranges.h"
#include "vm/object_ranges.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

MapEntry InheritedEntry(const MapEntry& parent) {
  MapEntry child = parent;
  child.credential = nullptr;
  child.wired_count = 0;
  child.in_transition = false;
  child.needs_wakeup = false;
  child.transition_thread = 0;
  return child;
}

void ForgetOneMapping(Object& object) {
  ObjectGuard guard(object.lock);
  object.one_mapping = false;
}

// Both use one object from now on; it must be the parent's own.
Result Share(System& system, const Map& map, MapEntry& parent, MapEntry* child)
    LOCKING_REQUIRES(map.lock) {
  if (const Result result = PrepareObject(system, map, parent); result != Result::kOk)
    return result;
  ReferenceObject(parent.object);
  ForgetOneMapping(*parent.object);
  *child = InheritedEntry(parent);
  return Result::kOk;
}

// Whether the entry's memory is charged to somebody: with the entry, or with its object.
bool IsCharged(const MapEntry& entry) {
  if (entry.credential != nullptr) return true;
  if (entry.object == nullptr || entry.needs_copy) return false;
  ObjectGuard guard(entry.object->lock);
  return entry.object->credential != nullptr;
}

// Copies one resident page into the child's object. False: no page was free.
bool CopyResident(System& system, Object& from, Pindex from_index, Object& to, Pindex to_index)
    LOCKING_REQUIRES(from.lock, to.lock) {
  Page* source = LookupPage(from, from_index);
  if (source == nullptr) locking::FailInvariant("INV-31", "a wired page left its object");
  Require(source->wire_count > 0, "INV-31", "a wired page is not wired any more");
  if (source->valid == 0) return true;  // of a file that was truncated: the copy has nothing there
  Page* copy = AllocatePage(system, to, to_index, {});
  if (copy == nullptr) return false;
  Pmap::RemoveWrite(system, *source);
  CopyPage(system, *source, *copy);
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
Result CopyWired(System& system, const Map& map, const MapEntry& parent, MapEntry* child)
    LOCKING_REQUIRES(map.lock) {
  const Pindex pages = system.BytesToPages(parent.end - parent.start);
  *child = InheritedEntry(parent);
  if (IsCharged(parent) && !system.charges().Reserve(map.credential, pages)) {
    child->object = nullptr;
    return Result::kOutOfMemory;
  }
  if (IsCharged(parent)) child->credential = &map.credential;
  child->object = nullptr;
  child->needs_copy = false;
  if (const Result result = PrepareObject(system, map, *child); result != Result::kOk)
    return result;
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

// Both shadow the object before their next write, and each is charged for its shadow.
Result CopyLater(System& system, const Map& map, MapEntry& parent, Pmap& parent_pmap,
                 MapEntry* child) {
  const Pindex pages = system.BytesToPages(parent.end - parent.start);
  *child = InheritedEntry(parent);
  Credential* const credential = IsCharged(parent) ? &map.credential : nullptr;
  const bool parent_too =
      credential != nullptr && parent.credential == nullptr && !parent.needs_copy;
  if (credential != nullptr &&
      !system.charges().Reserve(*credential, parent_too ? 2 * pages : pages)) {
    child->object = nullptr;
    return Result::kOutOfMemory;
  }
  child->credential = credential;
  if (parent.object == nullptr) return Result::kOk;
  if (parent_too) parent.credential = credential;
  if (!parent.needs_copy) {
    parent_pmap.Protect(parent.start, parent.end, parent.protection & Protection::kRead);
    parent.needs_copy = child->needs_copy = true;
  }
  ReferenceObject(parent.object);
  ForgetOneMapping(*parent.object);
  return Result::kOk;
}

// Entries of which a child gets a copy later, and whose object belongs to several of the parent's.
bool ToBeSplit(System& system, const MapEntry& entry) {
  if (entry.inheritance != Inheritance::kCopy || entry.wired_count != 0 || entry.object == nullptr)
    return false;
  ObjectGuard guard(entry.object->lock);
  if (!entry.object->anonymous()) return false;
  CollapseObject(system, *entry.object);
  return entry.object->one_mapping && entry.object->ref_count > 1;
}

// Waits while a page of the entry's part is busy, without the map's lock. False: it waited, and
// everything is to be looked up again.
bool WaitUntilUnbusy(System& system, Map& map, const MapEntry& entry,
                     Pindex pages) LOCKING_NO_ANALYSIS {
  Object& object = *entry.object;
  object.lock.Lock();
  Page* page = FirstBusyPage(object, entry.offset, entry.offset + pages);
  if (page == nullptr) {
    object.lock.Unlock();
    return true;
  }
  map.lock.Unlock();
  SleepWhileBusy(system, object, *page, "spltwt").AndRetry();
  map.lock.Lock();
  return false;
}

// Gives each copied entry an object of its own, so that the child's copy-on-write object has no
// more than the child maps. False: it waited for a busy page and has to begin again.
bool SplitEntries(System& system, Map& map) LOCKING_REQUIRES(map.lock) {
  for (auto& [start, entry] : map.entries) {
    while (ToBeSplit(system, entry)) {
      const Pindex pages = system.BytesToPages(entry.end - entry.start);
      if (!WaitUntilUnbusy(system, map, entry, pages)) return false;
      Object* part = SplitObject(system, *entry.object, entry.offset, pages);
      if (part == nullptr) continue;
      entry.object = part;
      entry.offset = 0;
    }
  }
  return true;
}

Result CopyEntries(System& system, Map& parent, Pmap& parent_pmap, Map& child)
    LOCKING_REQUIRES(parent.lock, child.lock) {
  for (auto& [start, entry] : parent.entries) {
    if (entry.inheritance == Inheritance::kNone) continue;
    MapEntry inherited;
    Result result = Result::kOk;
    if (entry.inheritance == Inheritance::kShare)
      result = Share(system, parent, entry, &inherited);
    else if (entry.wired_count != 0)
      result = CopyWired(system, parent, entry, &inherited);
    else
      result = CopyLater(system, parent, entry, parent_pmap, &inherited);
    if (inherited.end != 0) {
      child.entries.emplace(start, inherited);
      child.size += inherited.end - inherited.start;
    }
    if (result != Result::kOk) return result;
  }
  return Result::kOk;
}

}  // namespace

Result ForkMap(System& system, Map& parent, Pmap& parent_pmap, Map& child) {
  locking::WriteGuard parent_guard(parent.lock);
  do {
    WaitForTransitions(system, parent, 0, parent.limit);
  } while (!SplitEntries(system, parent));
  locking::WriteGuard child_guard(child.lock);
  const Result result = CopyEntries(system, parent, parent_pmap, child);
  if (result == Result::kOk) system.counters().Add(Event::kFork);
  return result;
}

}  // namespace vm
