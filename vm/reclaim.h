// What the page daemon does to a single page: counts its references, gives it back, launders it
// with its neighbours.
//
// Contract of all: the object is locked exclusively on entry and on return; the page belongs to it
// and is not busy. Page queues is not held on entry, and taken inside. Wire and hold counts and the
// queue may change until it is.
#ifndef VM_RECLAIM_H_
#define VM_RECLAIM_H_

#include <cstdint>

#include "vm/object.h"
#include "vm/page.h"
#include "vm/page_blocks.h"
#include "vm/pager/pager.h"

namespace vm {

// References since the last call, by mappings and by the kernel, which are forgotten with it. Those
// to an object that nobody refers to do not count.
std::uint32_t TakeReferences(System& system, Object& object, Page& page)
    LOCKING_REQUIRES(object.lock);

enum class Reclaimed : std::uint8_t {
  kYes,    // freed, or moved to the cache queue
  kDirty,  // modified through a mapping that is gone now
  kNo,     // wired, held, or no longer inactive
};
// Unmaps an inactive page, then frees it if it is clean: to the cache queue when the machine keeps
// one that is not full, else to the free queue. An invalid page is always freed.
Reclaimed ReclaimPage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock);

// Begins to write a dirty page together with its dirty neighbours that nobody uses, up to
// kClusterPages in an aligned window.
void BeginLaundering(System& system, Object& object, Page& page, WriteOut* write)
    LOCKING_REQUIRES(object.lock);

// What the laundry did.
struct Laundered {
  std::uint32_t written = 0;    // clean now, unless dirtied again meanwhile
  std::uint32_t reclaimed = 0;  // of these, given back
  std::uint32_t failed = 0;     // dirty still: the write failed

  Laundered& operator+=(const Laundered& more) {
    written += more.written;
    reclaimed += more.reclaimed;
    failed += more.failed;
    return *this;
  }
};
// Ends it after the write. Gives back at most `wanted` of the pages that are inactive; activates
// what could not be written, so that it does not clog the inactive queue.
Laundered EndLaundering(System& system, Object& object, WriteOut& write, std::uint32_t wanted)
    LOCKING_REQUIRES(object.lock);

// Both, and the write, for the page of a file at `pindex`, if it is still there and still to be
// written once the file is locked. The caller holds the vnode.
//   nothing from the vnode's lock on is held on entry or return. Sleeps.
Laundered LaunderFile(System& system, Vnode& vnode, Pindex pindex, std::uint32_t wanted);

}  // namespace vm

#endif  // VM_RECLAIM_H_
