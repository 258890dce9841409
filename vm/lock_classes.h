// The lock classes of the VM, outermost first: this is the one place that declares the order. The
// order book (ci/lock_order.toml) states the same for the lock-order check.
//
//   map           sleepable rw  entries of one address space. Inside the class: the space
//                               created first.
//   vnode         sleepable rw  size of one file; held over transfers of its pages. Never two.
//   object        rw            page index, counts, flags, shadow list, backing; its pages' owner
//                               fields. Inside the class: shadow before backer.
//   giant         mutex         in the dialect giant, instead of object, page queues, pmap, pv
//   list,
//                               laundry, swap, object list and index nodes
//   page          mutex         in the dialect per-page: wire, hold and act count of the pages that
//                               hash to it
//   page queues   mutex         paging queues and counters; in the dialect queues what "page"
//                               protects, too
//   pmap          mutex         page tables, resident and wired counts of one pmap
//   pv list       mutex         the PV lists of a block of frames
//   cpu access    mutex         a simulated CPU's TLB; held while it touches a frame
//   pager map     mutex         which pages stand where while they are transferred; leaf
//   laundry       mutex         clusters on their way to swap; leaf
//   swap          mutex         swap bitmap, reservations
//   object list   mutex         the system's list of objects, and its pool
//   index nodes   mutex         pool of page-index nodes
//   fictitious pages  mutex     pool of fictitious pages; leaf
//   page batch    spin          a few pages between a thread and one of the queues; leaf
//   free queue    spin          free and hold lists and their counters, reservations; leaf
//
// Resources one sleeps for, and who ends the waits (locking/resource.h):
//
//   page busy                who has it busy, or each of those who share it: the laundry takes over
//                            what the page daemon began
//   paging in progress       each of those who began it; the laundry, too
//   map entry in transition  who wires or unwires the range
//   free pages               the page daemon has promised it
//   laundry done             the laundry's threads have
//   pager map room           whoever has pages in the map; they wait for their store alone
//   page daemon work, laundry work, page zeroing work    idle sleeps: nobody has to bring work
//
// A full swap is not waited for: the pages stay dirty.
#ifndef VM_LOCK_CLASSES_H_
#define VM_LOCK_CLASSES_H_

#include "locking/lock_class.h"

namespace vm {

extern const locking::LockClass kMapLock;
extern const locking::LockClass kVnodeLock;
extern const locking::LockClass kObjectLock;
extern const locking::LockClass kGiantLock;
extern const locking::LockClass kPageLock;
extern const locking::LockClass kPageQueuesLock;
extern const locking::LockClass kPmapLock;
extern const locking::LockClass kPvListLock;
extern const locking::LockClass kCpuAccessLock;
extern const locking::LockClass kPagerMapLock;
extern const locking::LockClass kLaundryLock;
extern const locking::LockClass kSwapLock;
extern const locking::LockClass kObjectListLock;
extern const locking::LockClass kIndexNodesLock;
extern const locking::LockClass kFictitiousPagesLock;
extern const locking::LockClass kPageBatchLock;
extern const locking::LockClass kFreeQueueLock;

extern const locking::LockClass kPageBusy;
extern const locking::LockClass kPagingInProgress;
extern const locking::LockClass kFreePages;
extern const locking::LockClass kMapEntryInTransition;
extern const locking::LockClass kPageDaemonWork;
extern const locking::LockClass kPageZeroingWork;
extern const locking::LockClass kLaundryWork;
extern const locking::LockClass kLaundryDone;
extern const locking::LockClass kPagerMapRoom;

}  // namespace vm

#endif  // VM_LOCK_CLASSES_H_
