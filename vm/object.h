// A VM object: a range of pages with one backing store, and its place in a chain of shadows.
//
//   front ──backing──▶ middle ──backing──▶ back        a read looks from left to right
//     ▲──shadow list──────┘▲──shadow list────┘         each knows who shadows it
//
// Lock key, one letter a field:
//   (o) the object's lock, exclusively to change
//   (b) the lock of the object's backer (the shadow list belongs to the backer)
//   (f) the free queue's lock
//   (c) constant while the object lives
// Storage is type-stable: a pointer to an object that is gone may be locked, and then tells that it
// is dead.
//
// Order inside the class: shadow before backer. The reverse only by try (see LockBackOff).
//
// Follows vm_object.c.
#ifndef VM_OBJECT_H_
#define VM_OBJECT_H_

#include <boost/intrusive/list.hpp>
#include <cstdint>

#include "locking/relaxed.h"
#include "locking/role.h"
#include "vm/page_index.h"
#include "vm/reservation.h"
#include "vm/types.h"

namespace vm {

class Credential;
class Object;
class Pager;
class System;
class SwapMap;
class Vnode;

// The object role.
class ObjectLock : public locking::RwRole {
 public:
  ObjectLock(const Object& object, std::uint32_t id, locking::Giant* giant);
  // The order inside the class: whether `taken` is of the backer of the object of `held`, which the
  // caller holds.
  static bool ShadowBeforeBacker(const locking::LockBase& held, const locking::LockBase& taken);

 private:
  const Object& object_;
};
using ObjectGuard = locking::Guard<ObjectLock>;
using ObjectReadGuard = locking::SharedGuard<ObjectLock>;

// On cache lines of its own: else threads that share nothing would, by chance.
class alignas(64) Object {
 public:
  Object(const System& system, std::uint32_t id);
  ~Object();
  Object(const Object&) = delete;

  mutable ObjectLock lock;

  const std::uint32_t id;  // (c) of the storage: what reports call it
  ObjectType type LOCKING_GUARDED_BY(lock) = ObjectType::kDead;
  Pindex size LOCKING_GUARDED_BY(lock) = 0;  // in pages
  std::uint32_t ref_count LOCKING_GUARDED_BY(lock) = 0;
  std::uint32_t paging_in_progress LOCKING_GUARDED_BY(lock) = 0;
  bool paging_wanted LOCKING_GUARDED_BY(lock) = false;  // OBJ_PIPWNT
  bool dead LOCKING_GUARDED_BY(lock) = false;           // OBJ_DEAD
  // OBJ_ONEMAPPING: each page is in one map entry at most, and nobody shadows the object. False: it
  // may be so all the same.
  bool one_mapping LOCKING_GUARDED_BY(lock) = false;
  std::uint32_t color LOCKING_GUARDED_BY(lock) = 0;  // of its page 0 (page_colors.h)
  // Some page may be dirty, or be written to; and how often that was said (object_clean.h), which
  // is added to with the lock shared, too.
  bool might_be_dirty LOCKING_GUARDED_BY(lock) = false;  // OBJ_MIGHTBEDIRTY
  locking::Relaxed<std::uint32_t> dirty_generation = 0;
  MemoryAttribute memory_attribute LOCKING_GUARDED_BY(lock) = MemoryAttribute::kDefault;
  std::uint32_t generation LOCKING_GUARDED_BY(lock) = 0;  // changes with every insert and remove
  // Faults in a row that found their page here. Only how the next one will go about it.
  locking::Relaxed<std::uint32_t> resident_faults = 0;

  PageIndex index LOCKING_GUARDED_BY(lock);
  std::uint32_t resident_page_count LOCKING_GUARDED_BY(lock) = 0;
  // Who keeps what is not resident; nullptr: nobody (see pager/pager.h).
  Pager* pager LOCKING_GUARDED_BY(lock) = nullptr;
  // What it is charged for the pages that it may come to need in swap (see swap_charge.h); nullptr:
  // nothing.
  Credential* credential LOCKING_GUARDED_BY(lock) = nullptr;
  Pindex charge LOCKING_GUARDED_BY(lock) = 0;  // in pages
  // Which pages have a copy in swap; nullptr until the first (see pager/swap.h).
  SwapMap* swap LOCKING_GUARDED_BY(lock) = nullptr;
  Vnode* vnode LOCKING_GUARDED_BY(lock) = nullptr;  // of an object of type vnode
  Frame device_frame LOCKING_GUARDED_BY(lock) = 0;  // of an object of type device: of its page 0

  Object* backing LOCKING_GUARDED_BY(lock) = nullptr;
  Pindex backing_offset LOCKING_GUARDED_BY(lock) = 0;  // in pages, into the backer
  // Where the backer was last seen not to be hidden: only where the next search starts.
  Pindex visible_hint LOCKING_GUARDED_BY(lock) = 0;
  boost::intrusive::list_member_hook<> shadow_link;  // (b) on the backer's shadow list
  using ShadowList = boost::intrusive::list<
      Object, boost::intrusive::member_hook<Object, boost::intrusive::list_member_hook<>,
                                            &Object::shadow_link>>;
  ShadowList shadows LOCKING_GUARDED_BY(lock);  // who shadows this one
  std::uint32_t shadow_count LOCKING_GUARDED_BY(lock) = 0;
  ReservationSet reservations;  // (f) runs of frames that are reserved for it

  // Whether the page daemon may take its pages.
  bool pageable() const LOCKING_REQUIRES_SHARED(lock) { return anonymous() || vnode != nullptr; }
  bool anonymous() const LOCKING_REQUIRES_SHARED(lock) {
    return type == ObjectType::kDefault || type == ObjectType::kSwap;
  }
};

// All functions below follow one contract unless they say otherwise: objects they are given are
// locked exclusively on entry and on return, and they do not sleep.

// vm_object.c:406. A new object of `size` pages with one reference; not locked.
Object* AllocateObject(System& system, ObjectType type, Pindex size);
// vm_object.c:423. One more reference. Not locked on entry; locked inside.
void ReferenceObject(Object* object);
// vm_object.c:440. The same for an object that is locked.
void ReferenceObjectLocked(Object& object) LOCKING_REQUIRES(object.lock);
// vm_object.c:507. One reference less; terminates what nobody refers to any more, and collapses a
// chain that lost its fork. No object locked on entry or return. Sleeps. Constant stack.
void DeallocateObject(System& system, Object* object);
// vm_object.c:701. Nobody refers to the object and nothing backs it any more: writes what is dirty
// of a file, whose vnode the caller has locked exclusively, frees all pages and ends the object.
// kIoError, kNoSpace: some pages of the file were lost. Sleeps.
Result TerminateObject(System& system, Object& object) LOCKING_RELEASE(object.lock);

// vm_object.c:323. How the object's pages will be accessed. False, and nothing changed: it has
// pages already, which are, or it is dead.
bool SetMemoryAttribute(Object& object, MemoryAttribute attribute) LOCKING_REQUIRES(object.lock);
// vm_object.c:663. The object has ended, and nobody knows it any more: breaks its reservations,
// gives up its charge, and the object to the pool.
void DestroyObject(System& system, Object& object) LOCKING_RELEASE(object.lock);

// vm_object.c:349–398: paging in progress keeps an object from being destroyed and its chain from
// changing while its lock is dropped for I/O.
void PagingBegin(Object& object) LOCKING_REQUIRES(object.lock);
// Wakes who waits for the count to reach 0.
void PagingEnd(System& system, Object& object) LOCKING_REQUIRES(object.lock);
// What was begun goes on in another thread: the one that began it gives it away first, then the
// other takes it over. No lock is needed.
void GiveAwayPaging(const Object& object);
void TakeOverPaging(const Object& object);
// Drops and retakes the lock until nothing is in progress: look everything up again.
void WaitForPaging(System& system, Object& object, const char* message)
    LOCKING_REQUIRES(object.lock);
// The same, once and without retaking the lock.
void WaitForPagingDrop(System& system, Object& object, const char* message)
    LOCKING_RELEASE(object.lock);

// vm_page.c:553, :619, :674, :710.
void InsertPage(System& system, Object& object, Pindex pindex, Page& page)
    LOCKING_REQUIRES(object.lock);
// The page keeps its contents, and no owner. Wakes who sleeps for its busy.
void RemovePage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock);
Page* LookupPage(Object& object, Pindex pindex) LOCKING_REQUIRES_SHARED(object.lock);
// Moves the page; it becomes dirty and leaves the cache queue, and its wirings go along. So does a
// reservation of the first object that its frame is of.
void RenamePage(System& system, Object& from, Page& page, Object& to, Pindex pindex)
    LOCKING_REQUIRES(from.lock, to.lock);

// vm_object.c:1202, in shadow.cc. Replaces *object by a new object of `size` pages that shadows it
// from *offset on, unless the caller's is the only reference. *object's reference moves to the
// shadow's backing. Not locked.
void ShadowObject(System& system, Object** object, Pindex* offset, Pindex size);

// vm_object.c:1676, in collapse.cc. Merges `object` with what backs it for as long as that is
// possible: takes over the pages of a backer that only it refers to, or bypasses one that it hides.
// locked on entry and return: object. Takes backers inside.
void CollapseObject(System& system, Object& object) LOCKING_REQUIRES(object.lock);

// The one way out of a wrong order: the caller holds `held`, tried the lock that should have come
// first, and failed. Releases `held` and lets somebody else run; look everything up again.
//
//   if (!outer.lock.TryLock()) {
//     BackOff(system, inner.lock);
//     continue;  // look everything up again
//   }
void BackOff(System& system, ObjectLock& held, locking::Site site = locking::Site::current())
    LOCKING_RELEASE(held);

}  // namespace vm

#endif  // VM_OBJECT_H_
