// Operations on a range of an object's pages: giving them up, moving them to the cache queue,
// dividing an object in two, making one longer.
//
// Ranges are of page indices, [first, last).
//
// Follows vm_object.c:1276 (split), :1881 (page_remove), :1988 (page_cache), :2035 (populate),
// :2094 (coalesce).
#ifndef VM_OBJECT_RANGES_H_
#define VM_OBJECT_RANGES_H_

#include "vm/object.h"
#include "vm/types.h"

namespace vm {

struct RemoveOptions {
  bool clean_only = false;  // dirty pages stay
  bool not_wired = false;   // pages that mappings have wired stay, and what else is wired as it is
  bool not_mapped = false;  // nobody maps the pages: no mapping is looked for
};

// Unmaps the pages of the range and frees them. What is wired otherwise than by mappings stays, and
// loses its contents unless one of the first two options is given. Copies in swap stay.
//   locked on entry and return: object; dropped and retaken while a page is busy, with paging in
//   progress. When it returns, none of the range was busy since the lock was last taken. Sleeps.
void RemovePages(System& system, Object& object, Pindex first, Pindex last, RemoveOptions options)
    LOCKING_REQUIRES(object.lock);

// Moves the clean pages of the range that nobody needs to the cache queue, unmapped.
//   locked on entry and return: object. Does not sleep.
void CachePages(System& system, Object& object, Pindex first, Pindex last)
    LOCKING_REQUIRES(object.lock);

// Makes all pages of the range resident and valid: from the pager, or zero. False: one could not be
// read, or there is no memory; those before it are there.
//   locked on entry and return: object, which has no vnode; dropped and retaken, with paging in
//   progress. The caller has a reference. What was made so may be gone again by the return. Sleeps.
bool PopulateObject(System& system, Object& object, Pindex first, Pindex last)
    LOCKING_REQUIRES(object.lock);

// The first page of the range that is busy, or nullptr.
Page* FirstBusyPage(Object& object, Pindex first, Pindex last) LOCKING_REQUIRES(object.lock);

// Moves the pages [offset, offset + size) of an anonymous object, resident or in swap, to a new
// one, which shadows what `object` shadows, and is charged for them in its place. Each page of the
// object is in one map entry at most (Object::one_mapping), and these are in the caller's. Its
// mappings stay. Returns the new object, with one reference, which replaces one of the object's.
// All of it or, with nullptr, nothing: a page is busy, or the object is not what it was.
//   not locked on entry and return; the caller holds the map of the entry exclusively. Does not
//   sleep.
Object* SplitObject(System& system, Object& object, Pindex offset, Pindex size);

enum class Reserved : std::uint8_t { kNo, kYes };
// Makes an object that is mapped for `size` pages from `offset` on good for `more` pages behind
// them, which read as zero: it is anonymous, has nothing behind it, and nobody else uses what comes
// there. If it is charged to a credential it is for these pages too; kYes: the caller has reserved
// them. False, and nothing was done: it cannot be, a page that is in the way is busy, or the
// credential may not. No object (nullptr) is good for anything.
//   not locked on entry and return. Does not sleep.
bool CoalesceObject(System& system, Object* object, Pindex offset, Pindex size, Pindex more,
                    Reserved reserved);

// Ends the use of [first, last) by a map entry that is gone, and its reference to the object. What
// no other entry can have in use is freed at once; at the object's end, it becomes shorter.
//   not locked on entry and return. Sleeps.
void ReleaseRange(System& system, Object& object, Pindex first, Pindex last);

}  // namespace vm

#endif  // VM_OBJECT_RANGES_H_
