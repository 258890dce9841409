// An address space: a map and its pmap, and what a process does with them. This is the VM's face to
// its users.
//
// Thread safety: all functions may be called by any thread at any time, except Exit: nobody may use
// the space during and after it. No function may be called with a lock of the VM held. All may
// sleep.
//
// Ranges are given in bytes; addresses and sizes are multiples of the page size, else
// kInvalidArgument.
#ifndef VM_SPACE_H_
#define VM_SPACE_H_

#include <cstdint>
#include <vector>

#include "vm/cpu.h"
#include "vm/map.h"
#include "vm/object_advise.h"
#include "vm/object_clean.h"
#include "vm/pmap.h"
#include "vm/types.h"

namespace vm {

class System;
class Vnode;

// Of a page of an address space, as mincore tells it.
struct PageStatus {
  bool resident = false;
  bool referenced = false;
  bool modified = false;   // or it has no copy elsewhere
  bool paged_out = false;  // not resident, and its pager has it
  bool mapped = false;     // this space has a translation
};

// On cache lines of its own, as its pmap is.
class alignas(64) Space {
 public:
  Space(System& system, std::uint32_t id, Pmap& pmap, Credential& credential);
  Space(const Space&) = delete;

  // New anonymous memory that reads as zero, at the lowest free address at or above `hint`.
  // kOutOfMemory if it can be written and the space's credential may not be charged for so much;
  // Protect, Fork and faults may be refused for the same reason.
  Result MapAnonymous(Address hint, Address bytes, Protection protection, Inheritance inheritance,
                      Address* start);
  enum class Sharing : std::uint8_t {
    kShared,   // stores go to the file; forks share the mapping
    kPrivate,  // stores go to a copy of the page; forks copy the mapping
  };
  // The file from page `offset` on, at the lowest free address at or above `hint`. Pages that lie
  // beyond the end of the file are mapped too; an access to them is kBeyondEnd. The caller has a
  // use of the vnode; the mapping has its own. kBeyondEnd: the file was taken away.
  Result MapFile(Address hint, Address bytes, Vnode& vnode, Pindex offset, Protection protection,
                 Sharing sharing, Address* start);
  // A device or physical object from page `offset` on, shared, at the lowest free address at or
  // above `hint`. The caller has a reference to the object; the mapping takes its own.
  Result MapObject(Address hint, Address bytes, Object& object, Pindex offset,
                   Protection protection, Address* start);
  // Forgets what is mapped in the range; holes are no error. Wired memory is unwired first.
  Result Unmap(Address start, Address bytes);
  // kInvalidAddress if the range has a hole.
  Result Protect(Address start, Address bytes, Protection protection);
  // Devices and physical memory are never copied: they stay shared for kCopy.
  Result SetInheritance(Address start, Address bytes, Inheritance inheritance);
  // Whether FlushVnode writes what is stored through the range where it maps a file shared, or lets
  // it wait for what must write it. kInvalidAddress if the range has a hole.
  enum class Flushing { kUsual, kMayWait };
  Result SetFlushing(Address start, Address bytes, Flushing flushing);
  // Makes the range resident and keeps it so, until Unwire was called as often. Wiring nests.
  // On an error nothing is wired that was not before. kProtectionFailure if some of the range
  // cannot be read.
  Result Wire(Address start, Address bytes);
  // kInvalidArgument if some of the range is not wired.
  Result Unwire(Address start, Address bytes);
  // Says what the range will be needed for (see object_advise.h); holes are no error.
  Result Advise(Address start, Address bytes, Advice advice);
  // Brings memory and the files that are mapped in the range into step (see object_clean.h).
  // kInvalidAddress if the range has a hole; kInvalidArgument if some of what is to be forgotten is
  // wired; kIoError, kNoSpace: some of it could not be written.
  Result Sync(Address start, Address bytes, SyncMode mode, Invalidate invalidate);
  // What is in memory of each page of the range, as it was at some time in the call.
  // kInvalidAddress if it has a hole.
  Result Query(Address start, Address bytes, std::vector<PageStatus>* pages);
  // A copy of this space by inheritance: shared, copy-on-write or nothing. nullptr: out of memory.
  Space* Fork();
  // Unmaps everything and gives the space back to the system; `this` is gone.
  void Exit();

  // Zero-copy sending (page_cow.h): lends the page that is read at `va`, page-aligned; it keeps its
  // contents until ReturnPage. kNoSpace: it cannot be lent. Else errors as of a load.
  Result LendPage(Address va, Page** page);

  // An access by a thread that runs on `cpu`: translate, fault as often as it takes, touch.
  // `va` is a multiple of 8. kInvalidAddress, kProtectionFailure, kIoError, kBeyondEnd,
  // kOutOfMemory.
  Result Load(Cpu& cpu, Address va, std::uint64_t* value);
  Result Store(Cpu& cpu, Address va, std::uint64_t value);
  // `count` words in one page, all in one access section.
  Result LoadWords(Cpu& cpu, Address va, std::uint64_t* values, std::uint32_t count);
  Result StoreWords(Cpu& cpu, Address va, const std::uint64_t* values, std::uint32_t count);

  // Resolves one fault at `va` (vm_fault), as an access would, without the access.
  Result Fault(Address va, Protection access);

  Map& map() { return map_; }
  Pmap& pmap() { return pmap_; }
  std::uint32_t id() const { return id_; }

 private:
  // Calls `change` for each entry of the range, which is clipped to it. kInvalidAddress: a hole.
  template <typename Change>
  Result ChangeEntries(Address start, Address bytes, Change change);
  // Enters `entry`, which has no place yet, at the lowest free range at or above `hint`.
  using Inserter = Result (*)(System&, Map&, MapEntry);
  Result Insert(Inserter inserter, Address hint, Address bytes, MapEntry entry, Address* start);
  template <typename Access>
  Result AccessPage(Address va, Protection protection, Access access);

  System& system_;
  const std::uint32_t id_;
  Map map_;
  Pmap& pmap_;
};

}  // namespace vm

#endif  // VM_SPACE_H_
