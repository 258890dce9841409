// An address map: which objects stand where in one address space.
//
// Lock key: (m) the map's lock, exclusively to change, shared to read. It is sleepable, but no
// function holds it across a sleep for a busy page or for I/O: they release it and start again
// (D40), with nothing of what they had looked up.
#ifndef VM_MAP_H_
#define VM_MAP_H_

#include <cstdint>
#include <map>

#include "locking/rw_mutex.h"
#include "vm/object.h"
#include "vm/types.h"

namespace vm {

struct MapEntry {
  Address start = 0;
  Address end = 0;
  Object* object = nullptr;  // one reference; nullptr until the first fault
  Pindex offset = 0;         // of `start` in the object, in pages
  // Charged for the pages of the entry, until an object of its own is (see swap_charge.h).
  Credential* credential = nullptr;
  Protection protection = Protection::kReadWrite;
  Protection max_protection = Protection::kReadWrite;
  Inheritance inheritance = Inheritance::kCopy;
  bool nosync = false;      // what is stored through it may wait (Space::SetFlushing)
  bool needs_copy = false;  // the object must be shadowed before the first write
  std::uint16_t wired_count = 0;
  // Wiring or unwiring is under way, by that thread alone (INV-58).
  bool in_transition = false;
  bool needs_wakeup = false;  // somebody sleeps for the end of the transition
  std::uint32_t transition_thread = 0;
};

class Map {
 public:
  Map(std::uint32_t id, Address limit, Credential& credential);
  Map(const Map&) = delete;

  mutable locking::RwMutex lock;

  using Entries = std::map<Address, MapEntry>;  // by start
  Entries entries LOCKING_GUARDED_BY(lock);
  Address size LOCKING_GUARDED_BY(lock) = 0;  // sum of the entries' sizes
  const Address limit;                        // end of the address space
  Credential& credential;                     // what new memory is charged to

  // The entry that contains `va`, or nullptr.
  MapEntry* Lookup(Address va) LOCKING_REQUIRES_SHARED(lock);
  // The first entry that ends after `va`.
  Entries::iterator FirstEndingAfter(Address va) LOCKING_REQUIRES_SHARED(lock);
  // Lowest free range of `bytes` at or above `hint`; false if there is none.
  bool FindSpace(Address hint, Address bytes, Address* start) LOCKING_REQUIRES_SHARED(lock);
  // Splits the entry that contains `va` in its midst, so that one starts there; object references
  // grow by one. The entry is not in transition.
  void ClipAt(Address va, Address page_size) LOCKING_REQUIRES(lock);
  // Whether [start, end) is mapped without a hole.
  bool CoversRange(Address start, Address end) LOCKING_REQUIRES_SHARED(lock);
};

}  // namespace vm

#endif  // VM_MAP_H_
