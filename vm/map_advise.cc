// Advice, syncs and queries of ranges of a map: see space.h.
#include <algorithm>

#include "vm/chain_cursor.h"
#include "vm/map_ranges.h"
#include "vm/page_blocks.h"
#include "vm/pager/pager.h"
#include "vm/system.h"

namespace vm {

std::vector<ObjectPiece> ReferencePieces(System& system, Map& map, Address start, Address end) {
  std::vector<ObjectPiece> pieces;
  locking::ReadGuard guard(map.lock);
  for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
       ++it) {
    const MapEntry& entry = it->second;
    if (entry.object == nullptr) continue;
    const Address from = std::max(start, entry.start);
    const Pindex first = entry.offset + system.BytesToPages(from - entry.start);
    const Pindex pages = system.BytesToPages(std::min(end, entry.end) - from);
    ReferenceObject(entry.object);
    pieces.push_back({entry.object, first, first + pages});
  }
  return pieces;
}

void AdviseRange(System& system, Map& map, Address start, Address end, Advice advice) {
  for (const ObjectPiece& piece : ReferencePieces(system, map, start, end)) {
    AdviseObject(system, *piece.object, piece.first, piece.last, advice);
    DeallocateObject(system, piece.object);
  }
}

Result SyncRange(System& system, Map& map, Pmap& pmap, Address start, Address end, SyncMode mode,
                 Invalidate invalidate) {
  {
    locking::ReadGuard guard(map.lock);
    if (!map.CoversRange(start, end)) return Result::kInvalidAddress;
    if (invalidate == Invalidate::kYes) {
      for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
           ++it)
        if (it->second.wired_count != 0) return Result::kInvalidArgument;
      pmap.Remove(start, end);
    }
  }
  Result result = Result::kOk;
  for (const ObjectPiece& piece : ReferencePieces(system, map, start, end)) {
    const Result synced =
        SyncObject(system, piece.object, piece.first, piece.last, mode, invalidate);
    if (result == Result::kOk) result = synced;
    DeallocateObject(system, piece.object);
  }
  return result;
}

namespace {

// What a read at one place of `object` would find in memory.
PageStatus StatusOf(System& system, Object& object, Pindex index) LOCKING_NO_ANALYSIS {
  ObjectGuard guard(object.lock);
  ChainCursor at(object, index);
  do {
    const Pager* pager = at.object().pager;
    if (Page* page = at.page(); page != nullptr && page->valid != 0) {
      return {.resident = true,
              .referenced = page->referenced.Load() || Pmap::IsReferenced(system, *page),
              .modified = Pmap::IsModified(system, *page) || page->dirty.Load() != 0};
    }
    if (pager != nullptr && pager->HasPage(at.object(), at.index())) return {.paged_out = true};
  } while (at.Next());
  return {};
}

}  // namespace

Result QueryRange(System& system, Map& map, const Pmap& pmap, Address start, Address end,
                  std::vector<PageStatus>* pages) {
  pages->clear();
  locking::ReadGuard guard(map.lock);
  if (!map.CoversRange(start, end)) return Result::kInvalidAddress;
  for (Address va = start; va < end; va += system.config().page_size) {
    const MapEntry& entry = *map.Lookup(va);
    PageStatus status;
    if (entry.object != nullptr)
      status =
          StatusOf(system, *entry.object, entry.offset + system.BytesToPages(va - entry.start));
    status.mapped = pmap.Query(va).valid;
    pages->push_back(status);
  }
  return Result::kOk;
}

}  // namespace vm
