// The operations of a space on ranges of its map, one file each. Internal to vm/; the contracts are
// those of space.h.
#ifndef VM_MAP_RANGES_H_
#define VM_MAP_RANGES_H_

#include <vector>

#include "vm/map.h"
#include "vm/object_advise.h"
#include "vm/object_clean.h"
#include "vm/pmap.h"
#include "vm/space.h"
#include "vm/types.h"

namespace vm {

class System;

struct MapRange {
  Address start;
  Address end;
};

// Waits until no entry of [start, end) is being wired. Drops and retakes the map lock: the caller
// has looked up nothing yet.
void WaitForTransitions(System& system, Map& map, Address start, Address end)
    LOCKING_REQUIRES(map.lock);

// map_insert.cc. The map is locked exclusively.
// Maps `entry`, whose range is free, as new anonymous memory; charges it if it can be written. It
// becomes a part of the entry before it, or of that one's object, where that is possible.
// kOutOfMemory: it may not be charged.
Result InsertAnonymous(System& system, Map& map, MapEntry entry) LOCKING_REQUIRES(map.lock);
// Maps `entry`, which has its object and offset already. Charged if its pages are to be copied.
Result InsertFile(System& system, Map& map, MapEntry entry) LOCKING_REQUIRES(map.lock);
// Gives the entry an object of its own to write to: its first one, or a shadow of the one that is
// to be copied; and the object the entry's charge. kOutOfMemory: it may not be charged.
Result PrepareObject(System& system, const Map& map, MapEntry& entry) LOCKING_REQUIRES(map.lock);
// Charges what can be written from now on. kOutOfMemory: not all of [start, end) may be; some of it
// may have been.
Result ChargeForWriting(System& system, Map& map, Address start, Address end)
    LOCKING_REQUIRES(map.lock);

// map_wire.cc
Result WireRange(System& system, Map& map, Pmap& pmap, Address start, Address end);
Result UnwireRange(System& system, Map& map, Pmap& pmap, Address start, Address end);
// Takes one wiring from each page of [start, end), which lies in `entry`. The map is locked
// exclusively by the caller. A wired page is found through its object, not through the pmap, whose
// mapping may be gone (D31).
void UnwirePages(System& system, Pmap& pmap, const MapEntry& entry, Address start, Address end);

// map_advise.cc
// A part of an object that is mapped somewhere in a range.
struct ObjectPiece {
  Object* object;
  Pindex first;
  Pindex last;
};
// The objects of [start, end), each with a reference that is the caller's to release: so they may
// be worked on without the map's lock.
std::vector<ObjectPiece> ReferencePieces(System& system, Map& map, Address start, Address end)
    LOCKING_EXCLUDES(map.lock);
void AdviseRange(System& system, Map& map, Address start, Address end, Advice advice)
    LOCKING_EXCLUDES(map.lock);
Result SyncRange(System& system, Map& map, Pmap& pmap, Address start, Address end, SyncMode mode,
                 Invalidate invalidate) LOCKING_EXCLUDES(map.lock);
Result QueryRange(System& system, Map& map, const Pmap& pmap, Address start, Address end,
                  std::vector<PageStatus>* pages) LOCKING_EXCLUDES(map.lock);

// map_fork.cc: fills the empty `child` from `parent` by inheritance. kOutOfMemory: the child has a
// part of it.
Result ForkMap(System& system, Map& parent, Pmap& parent_pmap, Map& child);

}  // namespace vm

#endif  // VM_MAP_RANGES_H_
