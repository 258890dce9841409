// A physical map: the page tables of one address space, and the PV lists that lead from a page back
// to the entries that map it.
//
// Two levels: a directory page of pointers to table pages of entries, both taken from the machine's
// free pages (wired, without an owner) and kept until the pmap is destroyed, so that CPUs walk them
// without a lock. An address space has (page_size / 8)^2 pages.
//
// Lock key: (m) the pmap's lock; (v) the PV list lock of the page. Order: pmap, then PV list, then
// the access locks of CPUs (shootdowns). Entries are changed under (m) and read by CPUs at any
// time; only a CPU sets the referenced and modified bits.
//
// Removing all mappings of a page finds them by its PV list, whose lock comes after the pmaps': it
// takes the list's first entry, releases the list, locks that pmap and looks again. Pmap storage is
// type-stable for this.
//
// A shootdown is complete before the function that needed it returns (INV-42); a modified bit is
// folded into Page::dirty before the right to write is taken away for good (INV-46).
#ifndef VM_PMAP_H_
#define VM_PMAP_H_

#include <array>
#include <cstdint>

#include "locking/atomic.h"
#include "locking/mutex.h"
#include "vm/config.h"
#include "vm/page.h"
#include "vm/types.h"

namespace vm {

class System;
class Pmap;

// One mapping of a page. (v)
struct PvEntry {
  Pmap* pmap;
  Address va;
  PvEntry* next;
};

class Pmap {
 public:
  Pmap(System& system, std::uint32_t id);
  Pmap(const Pmap&) = delete;

  // Maps `page` at `va` (page-aligned), replacing what is there. kShortage when a table page is
  // needed and there is none: the caller drops its locks, waits for pages and starts again.
  // `wired`: the mapping counts as wired.
  //   locked on entry and return: the page's owner, shared at least; the page is not exclusively
  //   busy by another. Takes the pmap and PV list locks; may wait for CPUs in their access section.
  //   Does not sleep.
  Result Enter(Address va, Page& page, Protection protection, bool wired) LOCKING_EXCLUDES(lock_);
  // Removes the mappings in [start, end).
  void Remove(Address start, Address end) LOCKING_EXCLUDES(lock_);
  // Takes rights away from the mappings in [start, end); kNone removes them. Never gives any.
  void Protect(Address start, Address end, Protection protection) LOCKING_EXCLUDES(lock_);
  // Marks the mapping at `va`, if there is one, as wired or not.
  void SetWired(Address va, bool wired) LOCKING_EXCLUDES(lock_);
  // What is mapped at `va`, for checks and mincore-like queries.
  struct Mapping {
    bool valid = false;
    Frame frame = 0;
    Protection protection = Protection::kNone;
    bool wired = false;
  };
  Mapping Query(Address va) const;
  // Removes all mappings and gives the table pages back. Nobody uses the pmap any more.
  void Destroy() LOCKING_EXCLUDES(lock_);

  // End of the address space, in bytes.
  Address limit() const;
  std::uint32_t id() const { return id_; }
  std::uint32_t resident_count() const LOCKING_EXCLUDES(lock_);
  std::uint32_t wired_count() const LOCKING_EXCLUDES(lock_);

  // All mappings of one page. Locked on entry and return: the page's owner, exclusively (so that no
  // new mapping appears), or the page is unowned. Take pmap locks one after the other.
  static void RemoveAll(System& system, Page& page);
  static void RemoveWrite(System& system, Page& page);
  // Counts and clears referenced bits (pmap_ts_referenced).
  static std::uint32_t TestAndClearReferenced(System& system, Page& page);
  // Whether some mapping has its modified bit set.
  static bool IsModified(System& system, Page& page);
  static bool IsMapped(System& system, const Page& page);
  // Mappings of the page that are wired.
  static std::uint32_t WiredMappings(System& system, Page& page);
  // Clears modified bits (MADV_FREE, before a page is called clean).
  static void ClearModified(System& system, Page& page);

 private:
  friend class Cpu;
  friend class PmapChecker;  // sweeps: check.cc

  // Page-table entry: frame in the high half, flags in the low.
  static constexpr std::uint64_t kValid = 1;
  static constexpr std::uint64_t kWritable = 2;
  static constexpr std::uint64_t kWired = 4;
  static constexpr std::uint64_t kReferenced = 8;
  static constexpr std::uint64_t kModified = 16;
  using Entry = locking::Atomic<std::uint64_t>;

  // The CPU's walk: reads an entry without a lock; nullptr where there is no table.
  Entry* Walk(Address va) const;
  void MarkActiveOn(std::uint32_t cpu);

  System& system_;
  const std::uint32_t id_;
  mutable locking::Mutex lock_;
  locking::Atomic<Page*> directory_{nullptr};  // (m) to change
  std::uint32_t resident_count_ LOCKING_GUARDED_BY(lock_) = 0;
  std::uint32_t wired_count_ LOCKING_GUARDED_BY(lock_) = 0;
  // CPUs that may cache translations: set by the CPU before it reads an entry, never cleared while
  // the pmap is in use.
  std::array<locking::Atomic<std::uint64_t>, kMaxCpus / 64> active_{};
};

}  // namespace vm

#endif  // VM_PMAP_H_
