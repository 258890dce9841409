#include "vm/pmap.h"

#include <algorithm>
#include <bit>
#include <new>
#include <string>

#include "vm/lock_classes.h"
#include "vm/page_alloc.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {

Pmap::Pmap(System& system, std::uint32_t id)
    : system_(system),
      id_(id),
      page_shift_(static_cast<std::uint32_t>(std::countr_zero(system.config().page_size))),
      index_bits_(page_shift_ - 3) {
  // A slice cannot be moved: the vector makes each of them from one element of a range.
  const std::vector<Slice::Init> inits(std::size_t{1} << kSliceBits,
                                       Slice::Init{id, system.giant()});
  slices_ = std::vector<Slice>(inits.begin(), inits.end());
}

Pmap::Slice::Slice(const Init& init) : lock(kPmapLock, init.pmap, init.giant) {}

Address Pmap::limit() const { return Address{1} << (2 * index_bits_ + page_shift_); }

std::uint32_t Pmap::resident_count() const {
  std::uint32_t count = 0;
  for (const Slice& slice : slices_) {
    RoleGuard guard(slice.lock);
    count += slice.resident_count;
  }
  return count;
}

std::uint32_t Pmap::wired_count() const {
  std::uint32_t count = 0;
  for (const Slice& slice : slices_) {
    RoleGuard guard(slice.lock);
    count += slice.wired_count;
  }
  return count;
}

void Pmap::Range::Add(Address va) {
  first = std::min(first, va);
  last = std::max(last, va);
}

// ---- Tables ----

Page& Pmap::PageOf(std::uint64_t entry) const { return system_.PageOfFrame(FrameOf(entry)); }

Pmap::Entry* Pmap::TableAt(std::uint64_t entry) const {
  return std::launder(reinterpret_cast<Entry*>(system_.FrameBytes(FrameOf(entry)).data()));
}

Pmap::Entry* Pmap::WalkDirectory(Address va) const {
  const std::uint64_t root = root_.Load(std::memory_order_acquire);
  if (root == 0 || va >= limit()) return nullptr;
  return &TableAt(root)[TableNumber(va)];
}

Pmap::Entry* Pmap::WalkTable(std::uint64_t directory_entry, Address va) const {
  if (directory_entry == 0) return nullptr;
  return &TableAt(directory_entry)[(va & (TableSpan() - 1)) >> page_shift_];
}

Pmap::Entry* Pmap::Walk(Address va) const {
  const Entry* table = WalkDirectory(va);
  return table == nullptr ? nullptr : WalkTable(table->Load(std::memory_order_acquire), va);
}

Pmap::Entry* Pmap::GrowTable(Address va) {
  if (!Grow(root_, id_)) return nullptr;
  Entry* table = WalkDirectory(va);
  return Grow(*table, id_ + 1 + TableNumber(va)) ? table : nullptr;
}

// Without the slice's lock, which comes after those of an allocation: the first one to set the slot
// wins.
bool Pmap::Grow(Entry& slot, std::uint64_t color) {
  if (slot.Load(std::memory_order_acquire) != 0) return true;
  Page* table =
      AllocateUnownedPage(system_, {.alloc_class = AllocClass::kSystem, .wired = true}, color);
  if (table == nullptr) return false;
  const std::uint64_t value = EntryFor(table->frame, kValid);
  auto* entries = reinterpret_cast<Entry*>(system_.FrameBytes(*table).data());
  for (std::size_t i = 0; i < std::size_t{1} << index_bits_; ++i) new (&entries[i]) Entry(0);
  std::uint64_t unset = 0;
  if (!slot.CompareExchange(unset, value)) GiveBack(*table);
  return true;
}

void Pmap::GiveBack(Page& table) {
  {
    PageRoleGuard guard(system_.queues().PageLock(table));
    system_.queues().Unwire(table, PageQueues::Then::kDeactivate);
  }
  if (system_.config().idle_zero)
    FreeZeroedUnownedPage(system_, table);
  else  // zeroed pages go past the batches: not where nobody asked for them
    FreeUnownedPage(system_, table);
}

Pmap::Entry* Pmap::NextMapping(const Slice&, Address* va, Address end) const {
  if (*va >= end) return nullptr;
  Entry* entry = Walk(*va);
  for (; *va < end; *va += system_.config().page_size, ++entry) {
    if (entry->Peek() != 0) return entry;
  }
  return nullptr;
}

Pmap::Entry* Pmap::FindMapping(const Slice&, Address va, const Page& page) const {
  Entry* entry = Walk(va);
  return entry != nullptr && Maps(entry->Peek(), page) ? entry : nullptr;
}

// ---- Giving rights ----

Result Pmap::Enter(Address va, Page& page, Protection protection, bool wired) {
  Require(protection != Protection::kNone && (va & system_.PageMask()) == 0 && va < limit(),
          "INV-43", "a mapping is entered without a right, or at no page of the address space");
  Require(page.identity != PageIdentity::kFree && page.identity != PageIdentity::kHeld, "INV-42",
          [&] { return "frame " + std::to_string(page.frame) + " is mapped, and free"; });
  Entry* table = GrowTable(va);
  if (table == nullptr) return Result::kShortage;
  const std::uint64_t flags =
      (Allows(protection, Protection::kWrite) ? kWritable : 0) | (wired ? kWired : 0);
  Slice& slice = SliceOf(va);
  RoleGuard guard(slice.lock);
  const std::uint64_t table_entry = table->Load(std::memory_order_acquire);
  if ((flags & kWritable) != 0 && (table_entry & kReadOnly) != 0) MakeTableWritable(slice, va);
  Entry& entry = *WalkTable(table_entry, va);
  if (Maps(entry.Peek(), page))
    ChangeRights(slice, va, entry, flags);
  else
    EnterNew(slice, va, entry, page, flags);
  return Result::kOk;
}

void Pmap::EnterNew(Slice& slice, Address va, Entry& entry, Page& page, std::uint64_t flags) {
  if (entry.Peek() != 0) RemoveLocked(slice, va, va + system_.config().page_size);
  Require(entry.Peek() == 0, "INV-45", "a mapping is entered over one that CPUs may still have");
  if (page.unmanaged) {
    flags |= kUnmanaged;
  } else {
    if ((flags & kWritable) != 0 && !page.writeable.Peek()) page.writeable.Store(true);
    PvLists::Shard& shard = system_.pv_lists().ShardOf(page);
    RoleGuard guard(shard.lock);
    shard.Add(page, this, va);
  }
  entry.Store(EntryFor(page.frame, flags | kInUse | kValid), std::memory_order_release);
  ++slice.resident_count;
  if ((flags & kWired) != 0) ++slice.wired_count;
}

void Pmap::ChangeRights(Slice& slice, Address va, Entry& entry, std::uint64_t flags) {
  if ((flags & kWritable) == 0) {
    TakeWriteLocked(slice, va, va + system_.config().page_size);
  } else if ((entry.Peek() & kWritable) == 0) {
    if ((entry.Peek() & kUnmanaged) == 0) PageOf(entry.Peek()).writeable.Store(true);
    entry.FetchOr(kWritable);
  }
  if ((flags & kWired) != 0) SetWiredLocked(slice, entry, true);
}

void Pmap::SetWired(Address va, bool wired) {
  Slice& slice = SliceOf(va);
  RoleGuard guard(slice.lock);
  Entry* entry = Walk(va);
  if (entry != nullptr && entry->Peek() != 0) SetWiredLocked(slice, *entry, wired);
}

void Pmap::SetWiredLocked(Slice& slice, Entry& entry, bool wired) {
  if (((entry.Peek() & kWired) != 0) == wired) return;
  if (wired) {
    entry.FetchOr(kWired);
    ++slice.wired_count;
  } else {
    entry.FetchAnd(~kWired);
    --slice.wired_count;
  }
}

Pmap::Mapping Pmap::Query(Address va) const {
  const Entry* entry = Walk(va);
  const std::uint64_t value = entry == nullptr ? 0 : entry->Load(std::memory_order_acquire);
  if ((value & kValid) == 0) return {};
  const bool writable = (value & kWritable) != 0 && !TableIsReadOnly(va);
  return {.valid = true,
          .frame = FrameOf(value),
          .protection = writable ? Protection::kReadWrite : Protection::kRead,
          .wired = (value & kWired) != 0};
}

// ---- Taking rights away: see the head comment of the header ----

void Pmap::Fold(Page& page, std::uint64_t entry) {
  const std::uint64_t all = system_.AllBlocks();
  if ((entry & kModified) != 0 && page.dirty.Peek() != all) page.dirty.FetchOr(all);
  if ((entry & kReferenced) != 0 && !page.referenced.Peek()) page.referenced.Store(true);
}

void Pmap::MarkActiveOn(std::uint32_t cpu) {
  locking::Atomic<std::uint64_t>& word = active_[cpu / 64];
  const std::uint64_t bit = std::uint64_t{1} << (cpu % 64);
  if ((word.Peek() & bit) == 0) word.FetchOr(bit);
}

// A CPU marks itself before it reads an entry, and the entry changed before this reads the marks:
// a CPU that is not marked reads the changed entry.
void Pmap::ShootDown(const Range& range) {
  if (range.empty()) return;
  std::uint32_t asked = 0;
  for (std::uint32_t first = 0; first < system_.config().cpus; first += 64) {
    for (std::uint64_t left = active_[first / 64].Load(); left != 0; left &= left - 1) {
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(left));
      system_.cpu(first + bit).Invalidate(*this, range.first, range.last);
      ++asked;
    }
  }
  if (asked != 0) system_.counters().Add(Event::kShootdown, asked);
}

void Pmap::Retire(Slice& slice, Address va, Entry& entry) {
  const std::uint64_t old = entry.Load();
  if ((old & kUnmanaged) == 0) {
    Page& page = PageOf(old);
    Fold(page, old);
    PvLists::Shard& shard = system_.pv_lists().ShardOf(page);
    RoleGuard guard(shard.lock);
    shard.Remove(page, this, va);
  }
  entry.Store(0, std::memory_order_release);
  --slice.resident_count;
  if ((old & kWired) != 0) --slice.wired_count;
}

void Pmap::RemoveLocked(Slice& slice, Address start, Address end) {
  const Address page_size = system_.config().page_size;
  Range range;
  Address va = start;
  for (Entry* entry; (entry = NextMapping(slice, &va, end)) != nullptr; va += page_size) {
    entry->FetchAnd(~kValid);
    range.Add(va);
  }
  if (range.empty()) return;
  ShootDown(range);
  va = range.first;
  for (Entry* entry; (entry = NextMapping(slice, &va, range.last + 1)) != nullptr; va += page_size)
    Retire(slice, va, *entry);
}

void Pmap::Remove(Address start, Address end) {
  ForEachPart(start, end, [this](Slice& slice, Address from, Address to) {
    slice.lock.AssertHeld();
    RemoveLocked(slice, from, to);
  });
}

bool Pmap::TakeWrite(Entry& entry) {
  std::uint64_t old = entry.Load();
  std::uint64_t now;
  do {
    if ((old & kWritable) == 0) return false;
    now = (old & ~kWritable) | ((old & kModified) != 0 ? kPending : 0);
  } while (!entry.CompareExchange(old, now));
  return (now & kPending) != 0;
}

void Pmap::SettleWrite(Entry& entry) {
  const std::uint64_t value = entry.Load();
  if ((value & kPending) == 0) return;
  if ((value & kUnmanaged) == 0) Fold(PageOf(value), value);
  entry.FetchAnd(~(kModified | kPending));
}

void Pmap::TakeWriteLocked(Slice& slice, Address start, Address end) {
  const Address page_size = system_.config().page_size;
  Range range;
  Address va = start;
  for (Entry* entry; (entry = NextMapping(slice, &va, end)) != nullptr; va += page_size) {
    if (TakeWrite(*entry)) range.Add(va);
  }
  if (range.empty()) return;
  ShootDown(range);
  va = range.first;
  for (Entry* entry; (entry = NextMapping(slice, &va, range.last + 1)) != nullptr; va += page_size)
    SettleWrite(*entry);
}

bool Pmap::TableIsReadOnly(Address va) const {
  return (WalkDirectory(va)->Load() & kReadOnly) != 0;
}

// Looked at from half a table on: below, to take the right from the entries costs no more.
bool Pmap::IsWhereTableIsWritable(const Slice& slice, Address start, Address end) const {
  const Address table = start & ~(TableSpan() - 1);
  if (end - start < TableSpan() / 2) return false;
  const auto none_in = [&](Address va, Address to) {
    slice.lock.AssertHeld();
    for (const Entry* entry; (entry = NextMapping(slice, &va, to)) != nullptr;
         va += system_.config().page_size) {
      if ((entry->Peek() & kWritable) != 0) return false;
    }
    return true;
  };
  return none_in(table, start) && none_in(end, table + TableSpan());
}

void Pmap::MakeTableReadOnly(const Slice&, Address va) {
  WalkDirectory(va)->FetchOr(kReadOnly);
  const Address start = va & ~(TableSpan() - 1);
  ShootDown({.first = start, .last = start + TableSpan() - 1});
}

// No CPU has the right to write, so nothing is pending: of these bits none changes meanwhile.
void Pmap::MakeTableWritable(const Slice& slice, Address va) {
  Address each = va & ~(TableSpan() - 1);
  const Address end = each + TableSpan();
  for (Entry* entry; (entry = NextMapping(slice, &each, end)) != nullptr;
       each += system_.config().page_size) {
    const std::uint64_t value = entry->Load();
    if ((value & kWritable) == 0) continue;
    if ((value & kUnmanaged) == 0) Fold(PageOf(value), value);
    entry->FetchAnd(~(kWritable | kModified));
  }
  WalkDirectory(va)->FetchAnd(~kReadOnly);
}

void Pmap::Protect(Address start, Address end, Protection protection) {
  if (Allows(protection, Protection::kWrite)) return;
  if (protection == Protection::kNone) return Remove(start, end);
  ForEachPart(start, end, [this](Slice& slice, Address from, Address to) {
    slice.lock.AssertHeld();
    if (TableIsReadOnly(from)) return;
    if (IsWhereTableIsWritable(slice, from, to))
      MakeTableReadOnly(slice, from);
    else
      TakeWriteLocked(slice, from, to);
  });
}

void Pmap::Destroy() {
  Remove(0, limit());
  // Even with nothing mapped, CPUs may have walked the tables.
  ShootDown({.first = 0, .last = limit() - 1});
  for (auto& word : active_) word.Store(0);
  const std::uint64_t root = root_.Exchange(0);
  for (const Slice& slice : slices_) {
    // Whoever came to remove a mapping that was gone already has left the tables.
    RoleGuard guard(slice.lock);
    Require(slice.resident_count == 0 && slice.wired_count == 0, "INV-44",
            [&] { return "pmap #" + std::to_string(id_) + " is empty, its counts are not"; });
  }
  if (root == 0) return;
  Entry* directory = TableAt(root);
  for (std::size_t i = 0; i < std::size_t{1} << index_bits_; ++i) {
    if (const std::uint64_t table = directory[i].Peek(); table != 0) {
      GiveBack(PageOf(table));
      directory[i].Store(0);
    }
  }
  GiveBack(PageOf(root));
}

}  // namespace vm
