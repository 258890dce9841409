#include "vm/lock_classes.h"

#include "vm/object.h"

namespace vm {

using locking::LockClass;
using locking::LockClassFlags;
using locking::LockKind;

const LockClass kMapLock("map", LockKind::kSleepable, LockClassFlags::kNone,
                         &locking::LowerNumberFirst);
const LockClass kVnodeLock("vnode", LockKind::kSleepable);
const LockClass kObjectLock("object", LockKind::kMutex, LockClassFlags::kNone,
                            &ObjectLock::ShadowBeforeBacker);
const LockClass kGiantLock("giant", LockKind::kMutex);
const LockClass kPageLock("page", LockKind::kMutex);
const LockClass kPageQueuesLock("page queues", LockKind::kMutex);
const LockClass kPmapLock("pmap", LockKind::kMutex);
const LockClass kPvListLock("pv list", LockKind::kMutex);
const LockClass kCpuAccessLock("cpu access", LockKind::kMutex);
const LockClass kPagerMapLock("pager map", LockKind::kMutex);
const LockClass kLaundryLock("laundry", LockKind::kMutex);
const LockClass kSwapLock("swap", LockKind::kMutex);
const LockClass kObjectListLock("object list", LockKind::kMutex);
const LockClass kIndexNodesLock("index nodes", LockKind::kMutex);
const LockClass kFictitiousPagesLock("fictitious pages", LockKind::kMutex);
const LockClass kPageBatchLock("page batch", LockKind::kSpin);
const LockClass kFreeQueueLock("free queue", LockKind::kSpin);

const LockClass kPageBusy("page busy", LockKind::kResource);
const LockClass kPagingInProgress("paging in progress", LockKind::kResource);
const LockClass kFreePages("free pages", LockKind::kResource);
const LockClass kMapEntryInTransition("map entry in transition", LockKind::kResource);
const LockClass kPageDaemonWork("page daemon work", LockKind::kResource);
const LockClass kPageZeroingWork("page zeroing work", LockKind::kResource);
const LockClass kLaundryWork("laundry work", LockKind::kResource);
const LockClass kLaundryDone("laundry done", LockKind::kResource);
const LockClass kPagerMapRoom("pager map room", LockKind::kResource);

}  // namespace vm
