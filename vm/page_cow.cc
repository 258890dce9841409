#include "vm/page_cow.h"

#include <limits>

#include "vm/fault.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {

bool LendPage(System& system, Object& owner, Page& page) {
  owner.lock.AssertHeld();
  Require(page.object == &owner && !page.exclusively_busy(), "INV-18",
          "a page is lent that is busy or under another object's lock");
  if (page.unmanaged || page.cow == std::numeric_limits<decltype(page.cow)>::max()) return false;
  {
    PageRoleGuard guard(system.queues().PageLock(page));
    system.queues().Wire(page);
    ++page.cow;
  }
  Pmap::RemoveWrite(system, page);
  return true;
}

namespace {

// Takes one loan of the page back, which is of an object whose lock is held, or of none.
void EndLoan(System& system, Page& page) LOCKING_REQUIRES(system.queues().page_role) {
  Require(page.cow > 0, "INV-27", "a page is returned that is not lent");
  --page.cow;
  const bool last = system.queues().Unwire(page, PageQueues::Then::kDeactivate);
  if (last && page.identity == PageIdentity::kDetached) FreeUnownedPage(system, page);
}

// False: the page changed its owner meanwhile.
bool TryReturn(System& system, Page& page) LOCKING_NO_ANALYSIS {
  Object* owner = page.object;  // a hint
  if (owner != nullptr) owner->lock.Lock();
  bool ended = false;
  {
    PageRoleGuard guard(system.queues().PageLock(page));
    // Without an object for good, or on its way from one to the next.
    ended = owner == nullptr ? page.identity == PageIdentity::kDetached : page.object == owner;
    if (ended) EndLoan(system, page);
  }
  if (owner != nullptr) owner->lock.Unlock();
  return ended;
}

}  // namespace

void ReturnPage(System& system, Page& page) {
  while (!TryReturn(system, page)) locking::Yield();
}

void DetachLentPage(System& system, Object& owner, Page& page) {
  PageRoleGuard guard(system.queues().PageLock(page));
  Require(page.wire_count == page.cow && page.cow > 0, "INV-30",
          "a page is left to its borrowers that others have wired");
  RemovePage(system, owner, page);
  ChangeIdentity(page, PageIdentity::kDetached);
  UndirtyPage(page);
}

Page* ReplaceLentPage(System& system, Object& owner, Page& page) {
  owner.lock.AssertHeld();
  Require(page.object == &owner && !page.busied() && page.cow > 0, "INV-18",
          "a page is replaced that is busy, not lent, or under another object's lock");
  Page* copy = AllocateUnownedPage(system, {}, page.frame, &owner);
  if (copy == nullptr) return nullptr;
  Pmap::RemoveAll(system, page);
  CopyPage(system, page, *copy);
  const Pindex pindex = page.pindex;
  std::uint32_t wirings = 0;
  {
    PageRoleGuard guard(system.queues().PageLock(page));
    for (; page.wire_count > page.cow; ++wirings)
      system.queues().Unwire(page, PageQueues::Then::kDeactivate);
  }
  {
    PageRoleGuard guard(system.queues().PageLock(*copy));
    for (; wirings > 0; --wirings) system.queues().Wire(*copy);
  }
  DetachLentPage(system, owner, page);
  ChangeIdentity(*copy, PageIdentity::kObject);
  InsertPage(system, owner, pindex, *copy);
  DirtyPage(system, *copy);
  system.counters().Add(Event::kLoanCopy);
  return copy;
}

namespace {

// The resident page that the chain shows at `index`, with its object locked; nullptr, and nothing
// locked: there is none, or it is busy. `object` is locked.
Page* FindAndLock(System& system, Object* object, Pindex index,
                  Object** owner) LOCKING_NO_ANALYSIS {
  for (;;) {
    Page* page = LookupPage(*object, index);
    if (page != nullptr && !page->busied() && page->valid == system.AllBlocks()) {
      *owner = object;
      return page;
    }
    Object* next = object->backing;
    const bool here = page != nullptr || next == nullptr;
    if (!here) {
      next->lock.Lock();
      index += object->backing_offset;
    }
    object->lock.Unlock();
    if (here) return nullptr;
    object = next;
  }
}

}  // namespace

Result LendMappedPage(System& system, Map& map, Pmap& pmap, Address va,
                      Page** page) LOCKING_NO_ANALYSIS {
  for (;;) {
    const Result result =
        ResolveFault(system, map, pmap, va, Protection::kRead, FaultKind::kAccess);
    if (result != Result::kOk) return result;
    locking::ReadGuard guard(map.lock);
    const MapEntry* entry = map.Lookup(va);
    if (entry == nullptr || entry->object == nullptr) continue;  // changed meanwhile
    entry->object->lock.Lock();
    Object* owner = nullptr;
    *page = FindAndLock(system, entry->object,
                        entry->offset + system.BytesToPages(va - entry->start), &owner);
    if (*page == nullptr) continue;
    const bool lent = LendPage(system, *owner, **page);
    owner->lock.Unlock();
    return lent ? Result::kOk : Result::kNoSpace;
  }
}

}  // namespace vm
