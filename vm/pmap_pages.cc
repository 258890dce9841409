// All mappings of one page, by its PV list: see pmap.h.
#include <array>

#include "vm/pmap.h"
#include "vm/system.h"

namespace vm {
namespace {

constexpr std::uint32_t kPlacesPerBatch = 16;

}  // namespace

// Of a mapping on the page's PV list, which is locked; 0 while it is being entered.
std::uint64_t Pmap::EntryOf(const PvEntry& mapping, const Page& page) {
  const Entry* entry = mapping.pmap->Walk(mapping.va);
  const std::uint64_t value = entry == nullptr ? 0 : entry->Load();
  return Maps(value, page) ? value : 0;
}

void Pmap::RemoveMapping(Address va, const Page& page) {
  Slice& slice = SliceOf(va);
  RoleGuard guard(slice.lock);
  if (FindMapping(slice, va, page) != nullptr)
    RemoveLocked(slice, va, va + system_.config().page_size);
}

void Pmap::TakeWriteMapping(Address va, const Page& page) {
  Slice& slice = SliceOf(va);
  RoleGuard guard(slice.lock);
  if (FindMapping(slice, va, page) != nullptr)
    TakeWriteLocked(slice, va, va + system_.config().page_size);
}

void Pmap::ClearModifiedMapping(Address va, const Page& page) {
  Slice& slice = SliceOf(va);
  RoleGuard guard(slice.lock);
  Entry* entry = FindMapping(slice, va, page);
  if (entry == nullptr) return;
  entry->FetchAnd(~kModified);
  ShootDown({.first = va, .last = va});
}

void Pmap::RemoveAll(System& system, Page& page) {
  PvLists::Shard& shard = system.pv_lists().ShardOf(page);
  for (;;) {
    Place first;
    {
      RoleGuard guard(shard.lock);
      if (page.pv_first == nullptr) break;
      first = {page.pv_first->pmap, page.pv_first->va};
    }
    first.pmap->RemoveMapping(first.va, page);
  }
  if (page.writeable.Peek()) page.writeable.Store(false);
}

// A batch that was not full was all there is: no such mapping can appear meanwhile.
void Pmap::ForMappingsWith(System& system, Page& page, std::uint64_t flags,
                           void (Pmap::*change)(Address, const Page&)) {
  PvLists::Shard& shard = system.pv_lists().ShardOf(page);
  std::array<Place, kPlacesPerBatch> batch;
  std::uint32_t count;
  do {
    count = 0;
    {
      RoleGuard guard(shard.lock);
      for (PvEntry* mapping = page.pv_first; mapping != nullptr && count < kPlacesPerBatch;
           mapping = mapping->next) {
        if ((EntryOf(*mapping, page) & flags) != 0) batch[count++] = {mapping->pmap, mapping->va};
      }
    }
    for (std::uint32_t i = 0; i < count; ++i) (batch[i].pmap->*change)(batch[i].va, page);
  } while (count == kPlacesPerBatch);
}

void Pmap::RemoveWrite(System& system, Page& page) {
  if (!page.writeable.Load()) return;
  ForMappingsWith(system, page, kWritable | kPending, &Pmap::TakeWriteMapping);
  page.writeable.Store(false);
}

void Pmap::ClearModified(System& system, Page& page) {
  ForMappingsWith(system, page, kModified, &Pmap::ClearModifiedMapping);
}

std::uint32_t Pmap::TestAndClearReferenced(System& system, Page& page) {
  PvLists::Shard& shard = system.pv_lists().ShardOf(page);
  RoleGuard guard(shard.lock);
  std::uint32_t count = 0;
  for (PvEntry* mapping = page.pv_first; mapping != nullptr; mapping = mapping->next) {
    if ((EntryOf(*mapping, page) & kReferenced) == 0) continue;
    mapping->pmap->Walk(mapping->va)->FetchAnd(~kReferenced);
    // Else a CPU that has the translation would go on without setting the bit again.
    mapping->pmap->ShootDown({.first = mapping->va, .last = mapping->va});
    ++count;
  }
  return count;
}

// With the owner locked no mapping becomes writable, and what loses that hands its modified bit on.
bool Pmap::IsModified(System& system, const Page& page) {
  if (!page.writeable.Load()) return false;
  PvLists::Shard& shard = system.pv_lists().ShardOf(page);
  RoleGuard guard(shard.lock);
  for (PvEntry* mapping = page.pv_first; mapping != nullptr; mapping = mapping->next) {
    if ((EntryOf(*mapping, page) & kModified) != 0) return true;
  }
  return false;
}

bool Pmap::IsReferenced(System& system, const Page& page) {
  PvLists::Shard& shard = system.pv_lists().ShardOf(page);
  RoleGuard guard(shard.lock);
  for (PvEntry* mapping = page.pv_first; mapping != nullptr; mapping = mapping->next) {
    if ((EntryOf(*mapping, page) & kReferenced) != 0) return true;
  }
  return false;
}

bool Pmap::IsMapped(System& system, const Page& page) {
  PvLists::Shard& shard = system.pv_lists().ShardOf(page);
  RoleGuard guard(shard.lock);
  return page.pv_first != nullptr;
}

std::uint32_t Pmap::WiredMappings(System& system, const Page& page) {
  PvLists::Shard& shard = system.pv_lists().ShardOf(page);
  RoleGuard guard(shard.lock);
  std::uint32_t count = 0;
  for (PvEntry* mapping = page.pv_first; mapping != nullptr; mapping = mapping->next) {
    if ((EntryOf(*mapping, page) & kWired) != 0) ++count;
  }
  return count;
}

}  // namespace vm
