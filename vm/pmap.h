// A physical map: the page tables of one address space, and the way back from a page to the entries
// that map it.
//
// Two levels: a directory page that points to table pages of entries, both taken from the machine's
// free pages (wired, without an owner) and kept until the pmap is destroyed, so that CPUs walk them
// without a lock. An address space has (page_size / 8)^2 pages.
//
// Lock key: (m) the lock of the address's slice; (v) the PV list lock of the page. Order: slice,
// then PV list, then the access locks of CPUs (shootdowns). A thread has one slice at a time. All
// entries of a table are in one slice, so threads that fault in different places do not meet.
// Entries are changed under (m), with two exceptions: CPUs set the referenced and modified bits of
// valid entries, and TestAndClearReferenced clears the former under (v). So every change is a
// read-modify-write, and no bit is lost (D47).
//
// How a right is taken away, so that whoever finds no mapping (no right to write) may rely on it:
//
//   1. the entry loses its valid bit, or its writable bit for the pending bit; the rest stays
//   2. one shootdown of all the entries changed in a table: no CPU uses the right any more
//   3. the modified bit is folded into Page::dirty, the referenced bit into Page::referenced
//   4. the entry goes from the page's PV list and becomes 0, or its pending bit goes
//
// All of it before the slice's lock is released. Whoever walks a PV list waits for a change
// under way by taking that lock. A downgrade of an entry that was not modified needs no shootdown:
// a CPU caches the right to write only together with the modified bit.
//
// A whole table loses the right to write by one bit of its directory entry, so that a fork costs
// nothing for each page. Its entries keep their writable and modified bits, of which the former
// does not count meanwhile. Who gives a right to write in such a table first takes it from each of
// them.
//
// The mappings of an unmanaged page are known to their own pmaps alone: what works on all mappings
// of a page finds none of it.
//
// Removing all mappings of a page finds them by its PV list, whose lock comes after the pmaps': it
// notes the first of them, releases the list, locks that slice and looks again. Pmap storage is
// type-stable for this.
//
// Follows pmap.c of i386, without superpages.
#ifndef VM_PMAP_H_
#define VM_PMAP_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "locking/atomic.h"
#include "vm/config.h"
#include "vm/lock_roles.h"
#include "vm/page.h"
#include "vm/types.h"

namespace vm {

class System;

// On cache lines of its own: else threads that share nothing would, by chance.
class alignas(64) Pmap {
 public:
  Pmap(System& system, std::uint32_t id);
  Pmap(const Pmap&) = delete;

  // Maps `page` at `va` (page-aligned), replacing what is there. The right to write includes the
  // right to read. kShortage when a table page is needed and there is none: the caller drops its
  // locks, waits for pages and starts again.
  // `wired`: the mapping counts as wired; one of the same page that is, stays so.
  //   locked on entry and return: the page's owner, shared at least; the page is not exclusively
  //   busy by another. Takes the slice's and PV list locks; before them, where a table page is
  //   needed, those of an allocation, which may reclaim cache pages. May wait for CPUs in their
  //   access section. Does not sleep.
  Result Enter(Address va, Page& page, Protection protection, bool wired);
  // Removes the mappings in [start, end).
  void Remove(Address start, Address end);
  // Takes rights away from the mappings in [start, end); kNone removes them. Never gives any.
  void Protect(Address start, Address end, Protection protection);
  // Marks the mapping at `va`, if there is one, as wired or not.
  void SetWired(Address va, bool wired);
  // What is mapped at `va`, for checks and mincore-like queries.
  struct Mapping {
    bool valid = false;
    Frame frame = 0;
    Protection protection = Protection::kNone;
    bool wired = false;
  };
  Mapping Query(Address va) const;
  // Removes all mappings and gives the table pages back. Nobody uses the pmap any more.
  //   locked on entry and return: nothing from the page role on. Takes the page role.
  void Destroy();

  // End of the address space, in bytes.
  Address limit() const;
  std::uint32_t id() const { return id_; }
  std::uint32_t resident_count() const;
  std::uint32_t wired_count() const;

  // All mappings of one page. Locked on entry and return: the page's owner, exclusively (so that no
  // new mapping appears), or the page is unowned. Take slices' locks one after the other.
  static void RemoveAll(System& system, Page& page);
  static void RemoveWrite(System& system, Page& page);
  // Clears modified bits (MADV_FREE, before a page is called clean).
  static void ClearModified(System& system, Page& page);

  // The same, under the PV list lock alone.
  // Counts and clears referenced bits (pmap_ts_referenced).
  static std::uint32_t TestAndClearReferenced(System& system, Page& page);
  // Whether some mapping has its modified bit set. The bit of a mapping that is being removed moves
  // to Page::dirty: who wants to know whether the page is clean reads that afterwards, not before.
  static bool IsModified(System& system, const Page& page);
  // Whether some mapping has its referenced bit set, which stays.
  static bool IsReferenced(System& system, const Page& page);
  static bool IsMapped(System& system, const Page& page);
  // Mappings of the page that are wired.
  static std::uint32_t WiredMappings(System& system, const Page& page);

 private:
  friend class Cpu;
  friend class PmapChecker;  // sweeps: pmap_checker.h

  // Page-table entry: frame in the high half, flags in the low. The root and the directory's
  // entries have a frame and kValid, the latter may have kReadOnly.
  static constexpr std::uint64_t kValid = 1;
  static constexpr std::uint64_t kWritable = 2;
  static constexpr std::uint64_t kWired = 4;
  static constexpr std::uint64_t kReferenced = 8;
  static constexpr std::uint64_t kModified = 16;
  static constexpr std::uint64_t kPending = 32;  // the right to write goes: see the head comment
  static constexpr std::uint64_t kInUse = 64;    // set from the entry's beginning to its end
  // The page is not managed (it may be fictitious): the entry is on no PV list, nobody is told of
  // its bits, and its frame says nothing about a descriptor.
  static constexpr std::uint64_t kUnmanaged = 128;
  static constexpr std::uint64_t kReadOnly = 256;  // (m) no entry of the table allows to write
  using Entry = locking::Atomic<std::uint64_t>;
  static constexpr std::uint64_t EntryFor(Frame frame, std::uint64_t flags) {
    return std::uint64_t{frame} << 32 | flags;
  }
  static constexpr Frame FrameOf(std::uint64_t entry) { return static_cast<Frame>(entry >> 32); }

  // The tables whose number hashes to it.
  struct alignas(64) Slice {
    struct Init {
      std::uint32_t pmap;
      locking::Giant* giant;
    };
    explicit Slice(const Init& init);

    mutable MutexRole lock;
    std::uint32_t resident_count LOCKING_GUARDED_BY(lock) = 0;
    std::uint32_t wired_count LOCKING_GUARDED_BY(lock) = 0;
  };
  static constexpr std::uint32_t kSliceBits = 4;
  // The pages from the first to the last whose translations are to be shot down.
  struct Range {
    Address first = ~Address{0};
    Address last = 0;
    bool empty() const { return first > last; }
    void Add(Address va);
  };
  // A mapping found on a PV list.
  struct Place {
    Pmap* pmap;
    Address va;
  };

  // The CPU's walk: the entry of `va`, without a lock; nullptr where there is no table.
  Entry* Walk(Address va) const;
  // The same in two steps: the directory's entry, nullptr where there is no directory; and from its
  // value on.
  Entry* WalkDirectory(Address va) const;
  Entry* WalkTable(std::uint64_t directory_entry, Address va) const;
  void MarkActiveOn(std::uint32_t cpu);

  Entry* TableAt(std::uint64_t entry) const;
  // The directory's entry of a table that is there from now on; nullptr: no page.
  Entry* GrowTable(Address va);
  bool Grow(Entry& slot, std::uint64_t color);
  // Frees a table page that nothing points to, and whose entries are all 0.
  void GiveBack(Page& table);
  Page& PageOf(std::uint64_t entry) const;
  static bool Maps(std::uint64_t entry, const Page& page) {
    return entry != 0 && FrameOf(entry) == page.frame &&
           ((entry & kUnmanaged) != 0) == page.unmanaged;
  }

  // By a hash: with a remainder, threads that go through memory side by side would meet all along.
  std::uint32_t SliceNumber(Address va) const {
    return (static_cast<std::uint32_t>(TableNumber(va)) * 0x9e3779b1u) >> (32 - kSliceBits);
  }
  Slice& SliceOf(Address va) { return slices_[SliceNumber(va)]; }
  std::uint64_t TableNumber(Address va) const { return va >> (page_shift_ + index_bits_); }
  Address TableSpan() const { return Address{1} << (page_shift_ + index_bits_); }
  // Calls work(slice, start, end), with the slice locked, for each part of [start, end) that has a
  // table.
  template <typename Work>
  void ForEachPart(Address start, Address end, Work work);
  // The first entry in use from *va on and below `end`, which are in one table; *va becomes its
  // address.
  Entry* NextMapping(const Slice& slice, Address* va, Address end) const
      LOCKING_REQUIRES(slice.lock);
  Entry* FindMapping(const Slice& slice, Address va, const Page& page) const
      LOCKING_REQUIRES(slice.lock);

  // Steps 1 to 4 of the head comment, in one table.
  void RemoveLocked(Slice& slice, Address start, Address end) LOCKING_REQUIRES(slice.lock);
  void Retire(Slice& slice, Address va, Entry& entry) LOCKING_REQUIRES(slice.lock);
  void TakeWriteLocked(Slice& slice, Address start, Address end) LOCKING_REQUIRES(slice.lock);
  // Whether a shootdown is due.
  static bool TakeWrite(Entry& entry);
  void SettleWrite(Entry& entry);
  // The table of `va` loses and gets back what the head comment says of it.
  bool TableIsReadOnly(Address va) const;
  // Whether [start, end), a part of a table, is large and has all that may be written of it.
  bool IsWhereTableIsWritable(const Slice& slice, Address start, Address end) const
      LOCKING_REQUIRES(slice.lock);
  void MakeTableReadOnly(const Slice& slice, Address va) LOCKING_REQUIRES(slice.lock);
  void MakeTableWritable(const Slice& slice, Address va) LOCKING_REQUIRES(slice.lock);
  void ShootDown(const Range& range);
  void Fold(Page& page, std::uint64_t entry);

  void RemoveMapping(Address va, const Page& page);
  void TakeWriteMapping(Address va, const Page& page);
  void ClearModifiedMapping(Address va, const Page& page);

  void EnterNew(Slice& slice, Address va, Entry& entry, Page& page, std::uint64_t flags)
      LOCKING_REQUIRES(slice.lock);
  void ChangeRights(Slice& slice, Address va, Entry& entry, std::uint64_t flags)
      LOCKING_REQUIRES(slice.lock);
  static void SetWiredLocked(Slice& slice, Entry& entry, bool wired) LOCKING_REQUIRES(slice.lock);

  // Calls `change` for the page's mappings with one of `flags`, with no PV list locked.
  static void ForMappingsWith(System& system, Page& page, std::uint64_t flags,
                              void (Pmap::*change)(Address, const Page&));
  static std::uint64_t EntryOf(const PvEntry& mapping, const Page& page);

  System& system_;
  const std::uint32_t id_;
  const std::uint32_t page_shift_;
  const std::uint32_t index_bits_;  // log2 of the entries of a table
  std::vector<Slice> slices_;
  Entry root_{0};  // of the directory page; set once, by whoever needs it first
  // CPUs that may cache translations: set by the CPU before it reads an entry, never cleared while
  // the pmap is in use.
  std::array<locking::Atomic<std::uint64_t>, kMaxCpus / 64> active_{};
};

// A table that is made meanwhile gets its mappings afterwards.
template <typename Work>
void Pmap::ForEachPart(Address start, Address end, Work work) {
  end = std::min(end, limit());
  while (start < end) {
    const Address part_end = std::min((start | (TableSpan() - 1)) + 1, end);
    if (Walk(start) != nullptr) {
      Slice& slice = SliceOf(start);
      RoleGuard guard(slice.lock);
      work(slice, start, part_end);
    }
    start = part_end;
  }
}

}  // namespace vm

#endif  // VM_PMAP_H_
