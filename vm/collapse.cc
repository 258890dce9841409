// Collapse: keeping shadow chains short. See object.h for the contract.
//
// A page is only ever busy while its object has paging in progress, and a collapse that waits for
// nothing needs none in progress on either object. So a full collapse meets no busy page and never
// drops a lock: nobody sees the backer half empty.
#include <algorithm>

#include "vm/object.h"
#include "vm/page_alloc.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

enum class Scan : std::uint8_t {
  kQuick,  // paging is in progress: leave alone what is busy or not yet valid
  kFull,   // everything; the backer is dead
};

// The page is not wanted any more. A wired one loses its owner; its last unwire frees it.
void DiscardPage(System& system, Object& backer, Page& page) LOCKING_REQUIRES(backer.lock) {
  PageRoleGuard guard(system.queues().PageLock(page));
  if (page.wire_count == 0) {
    FreePage(system, backer, page);
  } else {
    ChangeIdentity(page, PageIdentity::kDetached);
    RemovePage(system, backer, page);
  }
}

// Moves the backer's page to the object, or discards it where the object hides it.
void TakePage(System& system, Object& object, Object& backer, Page& page, Scan scan)
    LOCKING_REQUIRES(object.lock, backer.lock) {
  const Pindex backer_index = page.pindex;
  const bool in_range =
      backer_index >= object.backing_offset && backer_index - object.backing_offset < object.size;
  if (!in_range) {
    system.swap().FreeSpace(backer, backer_index, 1);
    DiscardPage(system, backer, page);
    return;
  }
  const Pindex index = backer_index - object.backing_offset;
  const Page* hiding = LookupPage(object, index);
  if (hiding != nullptr && hiding->valid == 0) {
    // It is on its way in and may turn out not to come: the backer's copies stay, both of them.
    Require(scan == Scan::kQuick, "INV-37", "a page is on its way in with no paging in progress");
    return;
  }
  system.swap().FreeSpace(backer, backer_index, 1);
  if (hiding != nullptr || system.swap().HasPage(object, index))
    DiscardPage(system, backer, page);
  else
    RenamePage(system, backer, page, object, index);
}

// vm_object.c:1419, in the modes that move pages.
void TakePages(System& system, Object& object, Object& backer, Scan scan)
    LOCKING_REQUIRES(object.lock, backer.lock) {
  Pindex next = 0;
  while (Page* page = backer.index.LookupAtOrAfter(next)) {
    next = page->pindex + 1;
    if (page->busied() || page->valid == 0) {
      Require(scan == Scan::kQuick, "INV-37", "a page is busy with no paging in progress");
      continue;
    }
    TakePage(system, object, backer, *page, scan);
  }
}

// The first page of the backer in [first, last) that can be seen through the object, or nullptr.
const Page* FirstVisible(System& system, Object& object, Object& backer, Pindex first, Pindex last)
    LOCKING_REQUIRES(object.lock, backer.lock) {
  for (Pindex next = first; next < last;) {
    const Page* page = backer.index.LookupAtOrAfter(next);
    if (page == nullptr || page->pindex >= last) return nullptr;
    next = page->pindex + 1;
    const Pindex index = page->pindex - object.backing_offset;
    const Page* hiding = LookupPage(object, index);
    if ((hiding == nullptr || hiding->valid == 0) && !system.swap().HasPage(object, index))
      return page;
  }
  return nullptr;
}

// Whether the object hides every page of the backer that it could see. A backer with copies in swap
// is taken for one it does not hide. The search starts where the last one ended: each copy-on-write
// fault asks, and pages are mostly hidden in order.
bool HidesBacker(System& system, Object& object, Object& backer)
    LOCKING_REQUIRES(object.lock, backer.lock) {
  if (object.resident_page_count == object.size) return true;
  if (backer.type != ObjectType::kDefault) return false;
  const Pindex begin = object.backing_offset;
  const Pindex end = begin + object.size;
  const Pindex hint = std::clamp(object.visible_hint, begin, end);
  const Page* visible = FirstVisible(system, object, backer, hint, end);
  if (visible == nullptr) visible = FirstVisible(system, object, backer, begin, hint);
  if (visible == nullptr) return true;
  object.visible_hint = visible->pindex;
  return false;
}

// The backer has no other reference: takes all it has and ends it (vm_object.c:1726–1801).
void TakeOver(System& system, Object& object, Object& backer) LOCKING_REQUIRES(object.lock)
    LOCKING_RELEASE(backer.lock) {
  Require(backer.ref_count == 1 && backer.shadow_count == 1, "INV-35",
          "a backer is collapsed that somebody else refers to");
  backer.dead = true;
  TakePages(system, object, backer, Scan::kFull);
  system.swap().MoveAll(backer, object, object.backing_offset);
  backer.shadows.erase(backer.shadows.iterator_to(object));
  --backer.shadow_count;
  Object* next = backer.backing;
  if (next != nullptr) {
    // The reference to the next object moves along.
    ObjectGuard guard(next->lock);
    next->shadows.erase(next->shadows.iterator_to(backer));
    next->shadows.push_front(object);
  }
  object.backing = next;
  object.backing_offset = next == nullptr ? 0 : object.backing_offset + backer.backing_offset;
  backer.backing = nullptr;
  backer.backing_offset = 0;
  Require(backer.ref_count == 1 && backer.index.empty(), "INV-35",
          "a backer was referenced again while it was collapsed");
  backer.ref_count = 0;
  backer.pager = nullptr;
  DestroyObject(system, backer);
  system.counters().Add(Event::kCollapse);
}

// The object hides the backer: it shadows the next object instead (vm_object.c:1803–1845).
void Bypass(System& system, Object& object, Object& backer) LOCKING_REQUIRES(object.lock)
    LOCKING_RELEASE(backer.lock) {
  backer.shadows.erase(backer.shadows.iterator_to(object));
  --backer.shadow_count;
  Object* next = backer.backing;
  if (next != nullptr) {
    ObjectGuard guard(next->lock);
    next->shadows.push_front(object);
    ++next->shadow_count;
    ReferenceObjectLocked(*next);
    next->one_mapping = false;
  }
  object.backing = next;
  object.backing_offset = next == nullptr ? 0 : object.backing_offset + backer.backing_offset;
  Require(backer.ref_count >= 2, "INV-32", "a bypassed backer loses its last reference");
  --backer.ref_count;
  backer.lock.Unlock();
  system.counters().Add(Event::kBypass);
}

}  // namespace

void CollapseObject(System& system, Object& object) {
  Require(object.ref_count != 0, "INV-36", "an object is collapsed that nobody refers to");
  for (;;) {
    Object* backer = object.backing;
    if (backer == nullptr || object.dead || !object.anonymous()) return;
    backer->lock.Lock();
    if (backer->dead || !backer->anonymous()) {
      backer->lock.Unlock();
      return;
    }
    if (object.paging_in_progress != 0 || backer->paging_in_progress != 0) {
      if (backer->ref_count == 1) TakePages(system, object, *backer, Scan::kQuick);
      backer->lock.Unlock();
      return;
    }
    if (backer->ref_count == 1) {
      TakeOver(system, object, *backer);
    } else if (HidesBacker(system, object, *backer)) {
      Bypass(system, object, *backer);
    } else {
      backer->lock.Unlock();
      return;
    }
  }
}

}  // namespace vm
