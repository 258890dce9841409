#include "vm/space.h"

#include "vm/fault.h"
#include "vm/map_ranges.h"
#include "vm/object_ranges.h"
#include "vm/page_cow.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

// Whether [start, start + bytes) is page-aligned, not empty, and within the address space.
bool ValidRange(const System& system, const Map& map, Address start, Address bytes) {
  return bytes != 0 && ((start | bytes) & system.PageMask()) == 0 && start <= map.limit &&
         bytes <= map.limit - start;
}

}  // namespace

Space::Space(System& system, std::uint32_t space_id, Pmap& pmap, Credential& credential)
    : system_(system), id_(space_id), map_(space_id, pmap.limit(), credential), pmap_(pmap) {}

Result Space::MapAnonymous(Address hint, Address bytes, Protection protection,
                           Inheritance inheritance, Address* start) {
  if (!ValidRange(system_, map_, hint, bytes)) return Result::kInvalidArgument;
  MapEntry entry;
  entry.protection = protection;
  entry.inheritance = inheritance;
  return Insert(InsertAnonymous, hint, bytes, entry, start);
}

Result Space::Insert(Inserter inserter, Address hint, Address bytes, MapEntry entry,
                     Address* start) {
  locking::WriteGuard guard(map_.lock);
  // The first page stays unmapped, as a null address does.
  if (!map_.FindSpace(std::max<Address>(hint, system_.config().page_size), bytes, start))
    return Result::kNoSpace;
  entry.start = *start;
  entry.end = *start + bytes;
  return inserter(system_, map_, entry);
}

Result Space::MapFile(Address hint, Address bytes, Vnode& vnode, Pindex offset,
                      Protection protection, Sharing sharing, Address* start) {
  if (!ValidRange(system_, map_, hint, bytes)) return Result::kInvalidArgument;
  MapEntry entry;
  entry.offset = offset;
  entry.protection = protection;
  entry.needs_copy = sharing == Sharing::kPrivate;
  entry.inheritance = entry.needs_copy ? Inheritance::kCopy : Inheritance::kShare;
  {
    locking::ReadGuard guard(vnode.lock);
    if (vnode.object == nullptr) return Result::kBeyondEnd;
    entry.object = vnode.object;
    ReferenceObject(entry.object);
  }
  const Result result = Insert(InsertFile, hint, bytes, entry, start);
  if (result != Result::kOk) DeallocateObject(system_, entry.object);
  return result;
}

Result Space::MapObject(Address hint, Address bytes, Object& object, Pindex offset,
                        Protection protection, Address* start) {
  if (!ValidRange(system_, map_, hint, bytes)) return Result::kInvalidArgument;
  MapEntry entry;
  entry.object = &object;
  entry.offset = offset;
  entry.protection = protection;
  entry.inheritance = Inheritance::kShare;
  ReferenceObject(&object);
  const Result result = Insert(InsertFile, hint, bytes, entry, start);
  if (result != Result::kOk) DeallocateObject(system_, &object);
  return result;
}

Result Space::Unmap(Address start, Address bytes) {
  if (!ValidRange(system_, map_, start, bytes)) return Result::kInvalidArgument;
  const Address end = start + bytes;
  std::vector<ObjectPiece> released;
  {
    locking::WriteGuard guard(map_.lock);
    WaitForTransitions(system_, map_, start, end);
    map_.ClipAt(start, system_.config().page_size);
    map_.ClipAt(end, system_.config().page_size);
    auto entry = map_.FirstEndingAfter(start);
    while (entry != map_.entries.end() && entry->second.start < end) {
      MapEntry& gone = entry->second;
      if (gone.wired_count != 0) UnwirePages(system_, pmap_, gone, gone.start, gone.end);
      pmap_.Remove(gone.start, gone.end);
      const Pindex pages = system_.BytesToPages(gone.end - gone.start);
      if (gone.credential != nullptr) system_.charges().Release(*gone.credential, pages);
      if (gone.object != nullptr)
        released.push_back({gone.object, gone.offset, gone.offset + pages});
      map_.size -= gone.end - gone.start;
      entry = map_.entries.erase(entry);
    }
  }
  // It may wait for I/O: not under the map lock.
  for (const ObjectPiece& piece : released)
    ReleaseRange(system_, *piece.object, piece.first, piece.last);
  return Result::kOk;
}

Result Space::Protect(Address start, Address bytes, Protection protection) {
  if (!ValidRange(system_, map_, start, bytes)) return Result::kInvalidArgument;
  const Address end = start + bytes;
  locking::WriteGuard guard(map_.lock);
  WaitForTransitions(system_, map_, start, end);
  if (!map_.CoversRange(start, end)) return Result::kInvalidAddress;
  map_.ClipAt(start, system_.config().page_size);
  map_.ClipAt(end, system_.config().page_size);
  if (Allows(protection, Protection::kWrite)) {
    if (const Result result = ChargeForWriting(system_, map_, start, end); result != Result::kOk)
      return result;
  }
  for (auto entry = map_.FirstEndingAfter(start);
       entry != map_.entries.end() && entry->second.start < end; ++entry)
    entry->second.protection = protection;
  // Rights that were given are taken up by faults.
  pmap_.Protect(start, end, protection);
  return Result::kOk;
}

template <typename Change>
Result Space::ChangeEntries(Address start, Address bytes, Change change) {
  if (!ValidRange(system_, map_, start, bytes)) return Result::kInvalidArgument;
  const Address end = start + bytes;
  locking::WriteGuard guard(map_.lock);
  WaitForTransitions(system_, map_, start, end);
  if (!map_.CoversRange(start, end)) return Result::kInvalidAddress;
  map_.ClipAt(start, system_.config().page_size);
  map_.ClipAt(end, system_.config().page_size);
  for (auto entry = map_.FirstEndingAfter(start);
       entry != map_.entries.end() && entry->second.start < end; ++entry)
    change(entry->second);
  return Result::kOk;
}

namespace {

// Who maps its pages is not known, so no copy could be kept apart from them.
bool IsNeverCopied(const MapEntry& entry) {
  if (entry.object == nullptr) return false;
  ObjectGuard guard(entry.object->lock);
  return entry.object->pager != nullptr && entry.object->pager->makes_pages();
}

}  // namespace

Result Space::SetInheritance(Address start, Address bytes, Inheritance inheritance) {
  return ChangeEntries(start, bytes, [&](MapEntry& entry) {
    const bool copy = inheritance == Inheritance::kCopy;
    entry.inheritance = copy && IsNeverCopied(entry) ? Inheritance::kShare : inheritance;
  });
}

// Pages that are mapped already are settled at their next fault.
Result Space::SetFlushing(Address start, Address bytes, Flushing flushing) {
  return ChangeEntries(start, bytes,
                       [&](MapEntry& entry) { entry.nosync = flushing == Flushing::kMayWait; });
}

Result Space::Wire(Address start, Address bytes) {
  if (!ValidRange(system_, map_, start, bytes)) return Result::kInvalidArgument;
  return WireRange(system_, map_, pmap_, start, start + bytes);
}

Result Space::Unwire(Address start, Address bytes) {
  if (!ValidRange(system_, map_, start, bytes)) return Result::kInvalidArgument;
  return UnwireRange(system_, map_, pmap_, start, start + bytes);
}

Result Space::Advise(Address start, Address bytes, Advice advice) {
  if (!ValidRange(system_, map_, start, bytes)) return Result::kInvalidArgument;
  AdviseRange(system_, map_, start, start + bytes, advice);
  return Result::kOk;
}

Result Space::Sync(Address start, Address bytes, SyncMode mode, Invalidate invalidate) {
  if (!ValidRange(system_, map_, start, bytes)) return Result::kInvalidArgument;
  return SyncRange(system_, map_, pmap_, start, start + bytes, mode, invalidate);
}

Result Space::Query(Address start, Address bytes, std::vector<PageStatus>* pages) {
  if (!ValidRange(system_, map_, start, bytes)) return Result::kInvalidArgument;
  return QueryRange(system_, map_, pmap_, start, start + bytes, pages);
}

Space* Space::Fork() {
  Space* child = system_.CreateSpace(&map_.credential);
  if (ForkMap(system_, map_, pmap_, child->map_) == Result::kOk) return child;
  child->Exit();
  return nullptr;
}

void Space::Exit() {
  const Result result = Unmap(0, map_.limit);
  Require(result == Result::kOk, "INV-56", "an address space cannot be unmapped");
  pmap_.Destroy();
  system_.ReturnPmap(&pmap_);
  system_.ForgetSpace(this);
}

Result Space::LendPage(Address va, Page** page) {
  if (!ValidRange(system_, map_, va, system_.config().page_size)) return Result::kInvalidArgument;
  return LendMappedPage(system_, map_, pmap_, va, page);
}

template <typename Access>
Result Space::AccessPage(Address va, Protection protection, Access access) {
  while (access() != Cpu::Access::kDone) {
    const Result result = Fault(va, protection);
    if (result != Result::kOk) return result;
  }
  return Result::kOk;
}

Result Space::Load(Cpu& cpu, Address va, std::uint64_t* value) {
  return LoadWords(cpu, va, value, 1);
}

Result Space::Store(Cpu& cpu, Address va, std::uint64_t value) {
  return StoreWords(cpu, va, &value, 1);
}

Result Space::LoadWords(Cpu& cpu, Address va, std::uint64_t* values, std::uint32_t count) {
  if (va >= map_.limit) return Result::kInvalidAddress;
  return AccessPage(va, Protection::kRead, [&] { return cpu.LoadWords(pmap_, va, values, count); });
}

Result Space::StoreWords(Cpu& cpu, Address va, const std::uint64_t* values, std::uint32_t count) {
  if (va >= map_.limit) return Result::kInvalidAddress;
  return AccessPage(va, Protection::kWrite,
                    [&] { return cpu.StoreWords(pmap_, va, values, count); });
}

Result Space::Fault(Address va, Protection access) {
  if (va >= map_.limit) return Result::kInvalidAddress;
  return ResolveFault(system_, map_, pmap_, va, access, FaultKind::kAccess);
}

}  // namespace vm
