// New memory, and the objects and charges of entries: see map_ranges.h.
#include "vm/map_ranges.h"
#include "vm/object_ranges.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

Credential* ChargedTo(Object& object) {
  ObjectGuard guard(object.lock);
  return object.credential;
}

// The entry that ends where `entry` begins, if both are of one kind.
MapEntry* Predecessor(Map& map, const MapEntry& entry) LOCKING_REQUIRES(map.lock) {
  MapEntry* before = map.Lookup(entry.start - 1);
  if (before == nullptr || before->needs_copy || before->wired_count != 0 || before->in_transition)
    return nullptr;
  const bool one_credential =
      before->credential == entry.credential ||
      (before->object != nullptr && ChargedTo(*before->object) == entry.credential);
  return one_credential ? before : nullptr;
}

bool SameRights(const MapEntry& a, const MapEntry& b) {
  return a.inheritance == b.inheritance && a.protection == b.protection &&
         a.max_protection == b.max_protection;
}

// Whether `entry` became a part of `before`, or of its object.
enum class Joined : std::uint8_t { kNo, kEntry, kObject };
Joined Join(System& system, MapEntry& before, MapEntry& entry) {
  const Pindex pages = system.BytesToPages(before.end - before.start);
  const Pindex more = system.BytesToPages(entry.end - entry.start);
  if (!CoalesceObject(system, before.object, before.offset, pages, more,
                      entry.credential != nullptr ? Reserved::kYes : Reserved::kNo))
    return Joined::kNo;
  if (SameRights(before, entry)) {
    before.end = entry.end;
    return Joined::kEntry;
  }
  if (before.object == nullptr) return Joined::kNo;
  ReferenceObject(before.object);
  entry.object = before.object;
  entry.offset = before.offset + pages;
  // The object accounts for it now.
  if (ChargedTo(*entry.object) != nullptr) entry.credential = nullptr;
  return Joined::kObject;
}

// The object is charged for the entry's pages, and the entry no longer.
void MoveCharge(System& system, MapEntry& entry, Pindex pages) {
  if (entry.credential == nullptr) return;
  ObjectGuard guard(entry.object->lock);
  if (entry.object->credential != nullptr) {
    system.charges().Release(*entry.credential, pages);  // it was charged before
  } else {
    entry.object->credential = entry.credential;
    entry.object->charge = pages;
  }
  entry.credential = nullptr;
}

}  // namespace

Result InsertAnonymous(System& system, Map& map, MapEntry entry) {
  const Address bytes = entry.end - entry.start;
  if (Allows(entry.protection, Protection::kWrite)) {
    if (!system.charges().Reserve(map.credential, system.BytesToPages(bytes)))
      return Result::kOutOfMemory;
    entry.credential = &map.credential;
  }
  MapEntry* before = Predecessor(map, entry);
  if (before == nullptr || Join(system, *before, entry) != Joined::kEntry)
    map.entries.emplace(entry.start, entry);
  map.size += bytes;
  return Result::kOk;
}

Result InsertFile(System& system, Map& map, MapEntry entry) {
  const Address bytes = entry.end - entry.start;
  if (entry.needs_copy && Allows(entry.protection, Protection::kWrite)) {
    if (!system.charges().Reserve(map.credential, system.BytesToPages(bytes)))
      return Result::kOutOfMemory;
    entry.credential = &map.credential;
  }
  map.entries.emplace(entry.start, entry);
  map.size += bytes;
  return Result::kOk;
}

Result PrepareObject(System& system, const Map& map, MapEntry& entry) {
  const Pindex pages = system.BytesToPages(entry.end - entry.start);
  if (entry.object == nullptr) {
    entry.object = AllocateObject(system, ObjectType::kDefault, pages);
    entry.offset = 0;
  } else if (entry.needs_copy) {
    if (entry.credential == nullptr) {
      if (!system.charges().Reserve(map.credential, pages)) return Result::kOutOfMemory;
      entry.credential = &map.credential;
    }
    ShadowObject(system, &entry.object, &entry.offset, pages);
  }
  entry.needs_copy = false;
  MoveCharge(system, entry, pages);
  return Result::kOk;
}

Result ChargeForWriting(System& system, Map& map, Address start, Address end) {
  for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
       ++it) {
    MapEntry& entry = it->second;
    if (Allows(entry.protection, Protection::kWrite) || entry.credential != nullptr) continue;
    if (entry.object == nullptr || entry.needs_copy) {
      const Pindex pages = system.BytesToPages(entry.end - entry.start);
      if (!system.charges().Reserve(map.credential, pages)) return Result::kOutOfMemory;
      entry.credential = &map.credential;
      continue;
    }
    // For all of it: what of the object is charged cannot be told from what is not.
    Object& object = *entry.object;
    ObjectGuard guard(object.lock);
    if (!object.anonymous() || object.credential != nullptr) continue;
    if (!system.charges().Reserve(map.credential, object.size)) return Result::kOutOfMemory;
    object.credential = &map.credential;
    object.charge = object.size;
  }
  return Result::kOk;
}

}  // namespace vm
