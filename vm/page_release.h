// Giving up a page that its owner can do without: to the cache queue, to the free queue, or nearer
// to them. What is dirty, busy, wired, held or unmanaged stays.
//
// Contract of all: locked on entry and return: the owner, exclusively. Page queues is taken inside,
// and may be held. None sleeps.
//
// Follows vm_page.c:1332 (try to cache), :1354 (try to free), :1379 (cache), :1429 (dontneed).
#ifndef VM_PAGE_RELEASE_H_
#define VM_PAGE_RELEASE_H_

#include "vm/object.h"
#include "vm/page.h"

namespace vm {

// Removes the mappings and moves the page to the cache queue. Refuses one that is busy, wired, held
// or unmanaged. Nobody could write to it any more on entry, and it is clean (else INV-23).
bool CachePage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock);
// The same for a page that may be dirty, or be written to just now: then it stays, unmapped
// perhaps. One with nothing valid in it is freed.
bool TryToCachePage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock);
// The same, and frees the page.
bool TryToFreePage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock);

// Nobody needs the page soon. It is deactivated, of 32 times 28 at the head of the queue, so that a
// clean one is the next to go, and 3 at the tail; once it is left alone, so that large objects do
// not blow away the queues. One that is inactive or cached already ages instead.
void DontNeedPage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock);

}  // namespace vm

#endif  // VM_PAGE_RELEASE_H_
