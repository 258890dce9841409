// A vnode: a file as the VM knows it: its identity, its size, and the object that has its pages.
//
// Whoever uses the file counts as a use: who opened it, and each reference to its object. The last
// use gone, dirty pages are written, the object ends, and the file is given up. A hold only keeps
// the vnode's memory: whoever comes from the object, and has to release the object's lock to take
// the vnode's, holds it meanwhile and then looks again whether it died.
//
// A file has one vnode at most that is open: who opens it again gets that one, even while its last
// use ends. One that was revoked, or has ended, is never found again.
//
// Lock key:
//   (v) the vnode's lock: shared to read, exclusively to change; the object's size changes under
//       this lock and the object's
//   (a) atomic
//   (s) the system's list of vnodes
//   (c) constant
// The lock is sleepable and comes before the object's. Pages of a file are busied with it held:
// shared to read them in, exclusively to write them (D41). It is held over I/O, but never while
// waiting for pages (D43).
//
// Follows vm_object.c:456 (vndeallocate), :980 (sync), and the vnode_pager.c of its time.
#ifndef VM_VNODE_H_
#define VM_VNODE_H_

#include <cstdint>

#include "locking/atomic.h"
#include "locking/rw_mutex.h"
#include "vm/object.h"
#include "vm/object_advise.h"
#include "vm/store/backing_file.h"
#include "vm/types.h"

namespace vm {

class System;

enum class VnodeState : std::uint8_t { kNew, kOpen, kRevoked, kEnded };

class Vnode {
 public:
  // `file` outlives the vnode, and nobody else changes it meanwhile.
  Vnode(std::uint32_t id, BackingFile& file);
  Vnode(const Vnode&) = delete;

  mutable locking::RwMutex lock;

  const std::uint32_t id;  // (c)
  BackingFile& file;       // (c)
  bool known = true;       // (s) found by its file
  VnodeState state LOCKING_GUARDED_BY(lock) = VnodeState::kNew;
  std::uint64_t size LOCKING_GUARDED_BY(lock) = 0;    // in bytes
  Object* object LOCKING_GUARDED_BY(lock) = nullptr;  // while it is open
  locking::Atomic<std::uint32_t> uses{0};             // (a) grows from 0 under the lock alone
  locking::Atomic<std::uint32_t> holds{1};            // (a) all uses together are one
};

// The functions below: nothing from the vnode's lock on is held on entry or return, unless they say
// otherwise.

// The vnode of `file`, with one use more: the caller's. May sleep.
Vnode* OpenVnode(System& system, BackingFile& file);
// One more use, by somebody who has one. No lock is needed.
void UseVnode(Vnode& vnode);
// One use less. The last one writes what is dirty and ends the vnode; then kIoError or kNoSpace say
// that contents were lost (Event::kFilePagesLost counts the pages). Sleeps.
Result ReleaseVnode(System& system, Vnode* vnode);
// Keeps the memory of a vnode whose object is locked, or that is kept already; and no longer.
void HoldVnode(Vnode& vnode);
void DropVnode(System& system, Vnode* vnode);

// The file has `size` bytes from now on. Pages beyond are gone, whatever they held; wired ones stay
// where they are, unmapped and invalid. What follows the end in the last page is zero. A page that
// is lent keeps its contents; a copy takes its place. kIoError, kNoSpace, kOutOfMemory: nothing
// changed. Sleeps.
Result TruncateVnode(System& system, Vnode& vnode, std::uint64_t size);

// Writes every page that is dirty now, and returns once it is safe. kIoError, kNoSpace: some could
// not be written, and are dirty still. Sleeps.
Result SyncVnode(System& system, Vnode& vnode);
// The same without making it safe.
//   locked on entry and return: vnode, exclusively.
Result CleanVnode(System& system, Vnode& vnode) LOCKING_REQUIRES(vnode.lock);

// What is done now and then, for what a crash would lose: the same without making it safe, and
// leaves what was stored where it may wait (Space::SetFlushing). Sleeps.
Result FlushVnode(System& system, Vnode& vnode);

// Says what pages [first, last) of the file will be needed for, as posix_fadvise does: with
// kWillNeed they are read in, as far as there is memory; with kDontNeed those that are clean and
// that nobody has wired or holds are the first to go. kInvalidArgument: for nothing else. Sleeps.
Result AdviseVnode(System& system, Vnode& vnode, Pindex first, Pindex last, Advice advice);

// Takes the file away from whoever maps it: what is dirty is written, as far as that is possible;
// resident pages stay as they are, no other page comes. By somebody who has a use. Sleeps.
void RevokeVnode(System& system, Vnode& vnode);

// Reads the page at `pindex` in, unless it is there already, or the file ends before it. *held: the
// page, held once for the caller; nullptr: look again what there is. kShortage: wait for pages and
// try again. kIoError: it could not be read, or the vnode died.
//   the caller's hold of the vnode is dropped. Sleeps.
Result PageInVnode(System& system, Vnode* vnode, Pindex pindex, Page** held);

// One reference to the object of a vnode less (vm_object.c:456).
//   locked on entry: object; not locked on return. Sleeps.
void DeallocateVnodeObject(System& system, Object& object) LOCKING_RELEASE(object.lock);

}  // namespace vm

#endif  // VM_VNODE_H_
