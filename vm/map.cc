#include "vm/map.h"

#include "vm/lock_classes.h"

namespace vm {

Map::Map(std::uint32_t id, Address map_limit, Credential& map_credential)
    : lock(kMapLock, id), limit(map_limit), credential(map_credential) {}

Map::Entries::iterator Map::FirstEndingAfter(Address va) {
  auto entry = entries.upper_bound(va);
  if (entry == entries.begin()) return entry;
  auto before = std::prev(entry);
  return before->second.end > va ? before : entry;
}

MapEntry* Map::Lookup(Address va) {
  const auto entry = FirstEndingAfter(va);
  return entry != entries.end() && entry->second.start <= va ? &entry->second : nullptr;
}

bool Map::FindSpace(Address hint, Address bytes, Address* start) {
  Address candidate = hint;
  for (auto entry = FirstEndingAfter(hint); entry != entries.end(); ++entry) {
    if (entry->second.start >= candidate && entry->second.start - candidate >= bytes) break;
    candidate = entry->second.end;
  }
  if (candidate > limit || limit - candidate < bytes) return false;
  *start = candidate;
  return true;
}

bool Map::CoversRange(Address start, Address end) {
  auto entry = FirstEndingAfter(start);
  for (Address va = start; va < end; va = entry->second.end, ++entry)
    if (entry == entries.end() || entry->second.start > va) return false;
  return true;
}

void Map::ClipAt(Address va, Address page_size) {
  const auto found = FirstEndingAfter(va);
  if (found == entries.end() || found->second.start >= va) return;
  MapEntry& front = found->second;
  MapEntry back = front;
  back.start = va;
  back.offset += (va - front.start) / page_size;
  front.end = va;
  ReferenceObject(back.object);
  entries.emplace(va, back);
}

}  // namespace vm
