#include "vm/object.h"

#include "vm/lock_classes.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/require.h"
#include "vm/system.h"
#include "vm/vnode.h"

namespace vm {

ObjectLock::ObjectLock(const Object& object, std::uint32_t id, locking::Giant* giant)
    : RwRole(kObjectLock, id, giant), object_(object) {}

bool ObjectLock::ShadowBeforeBacker(const locking::LockBase& held,
                                    const locking::LockBase& taken) LOCKING_NO_ANALYSIS {
  const Object& backer = static_cast<const ObjectLock&>(taken).object_;
  return static_cast<const ObjectLock&>(held).object_.backing == &backer;
}

Object::Object(const System& system, std::uint32_t object_id)
    : lock(*this, object_id, system.giant()), id(object_id), index(system.config().index) {}
Object::~Object() { delete swap; }  // of a machine that was given up

Object* AllocateObject(System& system, ObjectType type, Pindex size) {
  Object* object = system.TakeObject();
  ObjectGuard guard(object->lock);
  Require(object->ref_count == 0 && object->index.empty() && object->shadow_count == 0 &&
              object->paging_in_progress == 0 && object->reservations.empty(),
          "INV-36", "an object is taken from the pool that is in use");
  object->type = type;
  object->pager = nullptr;
  object->size = size;
  object->ref_count = 1;
  object->paging_wanted = false;
  object->dead = false;
  object->one_mapping = type == ObjectType::kDefault;
  object->color = system.NextColor(size);
  object->generation = 1;
  object->resident_faults = 0;
  object->backing = nullptr;
  object->backing_offset = 0;
  object->credential = nullptr;
  object->charge = 0;
  object->memory_attribute = MemoryAttribute::kDefault;
  object->might_be_dirty = false;
  return object;
}

void ReferenceObject(Object* object) {
  if (object == nullptr) return;
  ObjectGuard guard(object->lock);
  ReferenceObjectLocked(*object);
}

void ReferenceObjectLocked(Object& object) {
  Require(!object.dead, "INV-36", "a dead object is referenced");
  ++object.ref_count;
  if (object.vnode != nullptr) UseVnode(*object.vnode);
}

bool SetMemoryAttribute(Object& object, MemoryAttribute attribute) {
  if (object.dead || object.type == ObjectType::kDead || !object.index.empty()) return false;
  object.memory_attribute = attribute;
  return true;
}

void DestroyObject(System& system, Object& object) {
  system.free_queue().BreakReservations(object);
  if (object.credential != nullptr) {
    Require(object.anonymous(), "INV-51", "an object is charged that does not swap");
    system.charges().Release(*object.credential, object.charge);
    object.credential = nullptr;
    object.charge = 0;
  }
  object.type = ObjectType::kDead;
  object.lock.Unlock();
  system.ReturnObject(&object);
}

void PagingBegin(Object& object) {
  ++object.paging_in_progress;
  TakeOverPaging(object);
}

void TakeOverPaging(const Object& object) LOCKING_NO_ANALYSIS {
  locking::HoldResource(&object.paging_in_progress, kPagingInProgress, object.id,
                        locking::LockMode::kShared);
}

void GiveAwayPaging(const Object& object) LOCKING_NO_ANALYSIS {
  locking::DropResource(&object.paging_in_progress);
}

void PagingEnd(System& system, Object& object) {
  Require(object.paging_in_progress > 0, "INV-37", "paging ends that never began");
  GiveAwayPaging(object);
  if (--object.paging_in_progress != 0 || !object.paging_wanted) return;
  object.paging_wanted = false;
  system.sleep_queue().WakeAll(&object.paging_in_progress);
}

void WaitForPagingDrop(System& system, Object& object, const char* message) {
  object.paging_wanted = true;
  system.sleep_queue()
      .SleepDrop(&object.paging_in_progress, object.lock,
                 {.resource_class = &kPagingInProgress, .instance = object.id, .message = message})
      .AndRetry();
}

void WaitForPaging(System& system, Object& object, const char* message) {
  while (object.paging_in_progress != 0) {
    WaitForPagingDrop(system, object, message);
    object.lock.Lock();
  }
}

void InsertPage(System& system, Object& object, Pindex pindex, Page& page) {
  Require(page.object == nullptr, "INV-07", "a page is inserted that has an owner");
  Require(pindex < object.size, "INV-06", "a page is inserted beyond the end of its object");
  object.index.Insert(pindex, &page, system.index_nodes());
  page.object = &object;
  page.pindex = pindex;
  ++object.resident_page_count;
  ++object.generation;
}

void RemovePage(System& system, Object& object, Page& page) {
  Require(page.object == &object, "INV-07", "a page is removed under another object's lock");
  const Page* removed = object.index.Remove(page.pindex, system.index_nodes());
  Require(removed == &page, "INV-03", "the index leads to another page");
  page.object = nullptr;
  if (page.exclusively_busy()) locking::DropResource(&page);
  page.busy_owner = locking::kNobody;
  FlashPage(system, page);
  --object.resident_page_count;
  ++object.generation;
}

Page* LookupPage(Object& object, Pindex pindex) {
  if (object.index.lookup_moves() && object.lock.HeldByCaller()) [[unlikely]]
    return object.index.Lookup(pindex);
  return object.index.Peek(pindex);
}

void RenamePage(System& system, Object& from, Page& page, Object& to, Pindex pindex) {
  Require(!page.busied(), "INV-18", "a busy page is renamed");
  const Pindex distance = page.pindex - pindex;
  RemovePage(system, from, page);
  InsertPage(system, to, pindex, page);
  system.free_queue().RenameReservation(page, from, to, distance);
  {
    PageRoleGuard guard(system.queues().PageLock(page));
    if (page.queue == PageQueue::kCache) system.queues().Deactivate(page);
  }
  DirtyPage(system, page);
}

void BackOff(System& system, ObjectLock& held, locking::Site site) {
  held.Unlock(site);
  system.counters().Add(Event::kBackOff);
  locking::Yield(site);
}

namespace {

// Frees what `object` still has; wired pages lose their owner and are freed by their last unwire.
void FreeAllPages(System& system, Object& object) LOCKING_REQUIRES(object.lock) {
  Pindex next = 0;
  while (Page* page = object.index.LookupAtOrAfter(next)) {
    next = page->pindex + 1;
    Require(!page->busied(), "INV-36", "a page is busy as its object ends");
    if (page->fictitious()) {
      FreePage(system, object, *page);
      system.fictitious_pages().Return(*page);
      continue;
    }
    PageRoleGuard guard(system.queues().PageLock(*page));
    if (page->wire_count == 0) {
      if (object.vnode != nullptr && page->dirty.Load() != 0)
        system.counters().Add(Event::kFilePagesLost);
      FreePage(system, object, *page);
      system.counters().Add(Event::kFreeByExit);
    } else {
      ChangeIdentity(*page, PageIdentity::kDetached);
      RemovePage(system, object, *page);
    }
  }
}

}  // namespace

Result TerminateObject(System& system, Object& object) {
  object.dead = true;
  WaitForPaging(system, object, "objtrm");
  Result result = Result::kOk;
  if (Vnode* vnode = object.vnode; vnode != nullptr) {
    object.lock.Unlock();
    vnode->lock.AssertHeld();
    result = CleanVnode(system, *vnode);
    object.lock.Lock();
  }
  Require(object.ref_count == 0 && object.shadow_count == 0, "INV-36",
          "an object ends that is still referred to");
  FreeAllPages(system, object);
  if (object.pager != nullptr) object.pager->Deallocate(object);
  object.pager = nullptr;
  DestroyObject(system, object);
  return result;
}

namespace {

// Waits until neither `shadow` nor what backs it has paging in progress, or until `backer` no
// longer backs it (vm_object.c:597–619). The caller holds a reference to `shadow`.
//   locked on entry: both; locked on return: shadow.
void WaitForChainPaging(System& system, Object& shadow, Object& backer)
    LOCKING_REQUIRES(shadow.lock) LOCKING_RELEASE(backer.lock) {
  for (;;) {
    if (shadow.paging_in_progress != 0) {
      backer.lock.Unlock();
      WaitForPaging(system, shadow, "objde1");
    } else if (backer.paging_in_progress != 0) {
      shadow.lock.Unlock();
      WaitForPagingDrop(system, backer, "objde2");
      shadow.lock.Lock();
    } else {
      backer.lock.Unlock();
      return;
    }
    if (shadow.backing != &backer) return;
    backer.lock.Lock();
  }
}

// `object` lost all references but that of its only shadow: merges it into the shadow, now that no
// fork needs it (vm_object.c:557–631). Returns what the caller holds a reference to now, to be
// released in turn: the shadow, or the object again, where the shadow's lock was contended.
//   locked on entry: object; not locked on return.
Object* CollapseIntoShadow(System& system, Object& object) LOCKING_RELEASE(object.lock) {
  Object& front = object.shadows.front();
  if (!front.lock.TryLock()) {
    ++object.ref_count;
    BackOff(system, object.lock);
    return &object;
  }
  Require(!front.dead, "INV-36", "a dead object shadows another");
  ++front.ref_count;
  WaitForChainPaging(system, front, object);
  if (front.ref_count > 1) CollapseObject(system, front);
  front.lock.Unlock();
  return &front;
}

// Cuts the object off what backs it. Returns the backer, whose reference is the caller's now.
Object* DetachFromBacker(Object& object) LOCKING_REQUIRES(object.lock) {
  Object* backer = object.backing;
  if (backer == nullptr) return nullptr;
  ObjectGuard guard(backer->lock);
  backer->shadows.erase(backer->shadows.iterator_to(object));
  --backer->shadow_count;
  object.backing = nullptr;
  object.backing_offset = 0;
  return backer;
}

}  // namespace

void DeallocateObject(System& system, Object* object) {
  while (object != nullptr) {
    object->lock.Lock();
    if (object->vnode != nullptr) {
      DeallocateVnodeObject(system, *object);
      return;
    }
    Require(object->ref_count != 0, "INV-32", "an object is released more often than referenced");
    Require(!object->dead, "INV-36", "a dead object is released");
    --object->ref_count;
    if (object->ref_count > 1) {
      object->lock.Unlock();
      return;
    }
    if (object->ref_count == 1) {
      if (object->shadow_count == 0) object->one_mapping = true;
      if (object->shadow_count != 1 || !object->anonymous()) {
        object->lock.Unlock();
        return;
      }
      object = CollapseIntoShadow(system, *object);
      continue;
    }
    Object* backer = DetachFromBacker(*object);
    TerminateObject(system, *object);
    object = backer;
  }
}

}  // namespace vm
