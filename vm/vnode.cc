#include "vm/vnode.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "vm/lock_classes.h"
#include "vm/object_clean.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/page_cow.h"
#include "vm/pager/pager.h"
#include "vm/reclaim.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {

Vnode::Vnode(std::uint32_t vnode_id, BackingFile& backing_file)
    : lock(kVnodeLock, vnode_id), id(vnode_id), file(backing_file) {}

namespace {

void BeginFile(System& system, Vnode& vnode) LOCKING_REQUIRES(vnode.lock) {
  vnode.size = vnode.file.size();
  vnode.object = AllocateObject(system, ObjectType::kVnode,
                                system.BytesToPages(vnode.size + system.PageMask()));
  vnode.state = VnodeState::kOpen;
  ObjectGuard guard(vnode.object->lock);
  vnode.object->vnode = &vnode;
  vnode.object->pager = &system.vnode_pager();
  --vnode.object->ref_count;  // a vnode has its object, and does not refer to it
}

// False: nobody can, any more.
bool TryOpen(System& system, Vnode& vnode) {
  locking::WriteGuard guard(vnode.lock);
  if (vnode.state == VnodeState::kNew) BeginFile(system, vnode);
  if (vnode.state != VnodeState::kOpen) return false;
  UseVnode(vnode);
  return true;
}

}  // namespace

Vnode* OpenVnode(System& system, BackingFile& file) {
  for (;;) {
    Vnode* vnode = system.HoldVnodeOf(file);
    const bool open = TryOpen(system, *vnode);
    DropVnode(system, vnode);  // a use holds it
    if (open) return vnode;
  }
}

void UseVnode(Vnode& vnode) { vnode.uses.FetchAdd(1, std::memory_order_relaxed); }

namespace {

// Nobody uses it any more, unless it was opened again meanwhile: kOk.
Result EndVnode(System& system, Vnode* vnode) {
  Result result = Result::kOk;
  {
    locking::WriteGuard guard(vnode->lock);
    if (vnode->uses.Peek() != 0 || vnode->state == VnodeState::kEnded) return Result::kOk;
    if (Object* object = vnode->object; object != nullptr) {
      object->lock.Lock();
      result = TerminateObject(system, *object);
      vnode->object = nullptr;
    }
    if (const Result synced = vnode->file.Sync(); result == Result::kOk) result = synced;
    vnode->state = VnodeState::kEnded;
    system.HideVnode(*vnode);
  }
  DropVnode(system, vnode);
  return result;
}

}  // namespace

Result ReleaseVnode(System& system, Vnode* vnode) {
  HoldVnode(*vnode);  // beyond the last use, which another thread may end
  const std::uint32_t before = vnode->uses.FetchSub(1, std::memory_order_acq_rel);
  Require(before != 0, "INV-32", "a vnode is released more often than used");
  const Result result = before == 1 ? EndVnode(system, vnode) : Result::kOk;
  DropVnode(system, vnode);
  return result;
}

void HoldVnode(Vnode& vnode) { vnode.holds.FetchAdd(1, std::memory_order_relaxed); }

void DropVnode(System& system, Vnode* vnode) {
  if (vnode->holds.FetchSub(1, std::memory_order_acq_rel) == 1) system.ForgetVnode(vnode);
}

namespace {

// Frees the pages from `end` on. A wired one cannot go: nobody sees it any more.
void RemovePagesFrom(System& system, Object& object, Pindex end) LOCKING_REQUIRES(object.lock) {
  Pindex next = end;
  while (Page* page = object.index.LookupAtOrAfter(next)) {
    next = page->pindex + 1;
    Pmap::RemoveAll(system, *page);
    PageRoleGuard guard(system.queues().PageLock(*page));
    if (page->wire_count == 0) {
      FreePage(system, object, *page);
      continue;
    }
    if (page->wire_count == page->cow)
      DetachLentPage(system, object, *page);
    else
      SetInvalid(system, object, *page, 0, system.config().page_size);
  }
}

// The page that byte `end` stands in the midst of, if it is in memory.
Page* PageAcross(const System& system, Object& object, std::uint64_t end)
    LOCKING_REQUIRES(object.lock) {
  if ((end & system.PageMask()) == 0) return nullptr;
  Page* page = LookupPage(object, system.BytesToPages(end));
  return page == nullptr || page->valid == 0 ? nullptr : page;
}

// Makes the page that byte `end` stands in the midst of busy, if it is in memory: nobody borrows it
// meanwhile, and who borrowed it before keeps it as it is, with a copy in its place. kShortage:
// there is no page for the copy.
Result BusyPageAcross(System& system, Object& object, std::uint64_t end, Page** busy)
    LOCKING_REQUIRES(object.lock) {
  Page* page = PageAcross(system, object, end);
  while (page != nullptr && SleepIfBusy(system, object, *page, Busy::kAny, "vtrunc"))
    page = PageAcross(system, object, end);
  if (page == nullptr) return Result::kOk;
  if (page->cow != 0) page = ReplaceLentPage(system, object, *page);
  if (page == nullptr) return Result::kShortage;
  {
    PageRoleGuard guard(system.queues().PageLock(*page));
    if (page->queue == PageQueue::kCache || page->queue == PageQueue::kNone)
      system.queues().Deactivate(*page);
  }
  PagingBegin(object);
  BusyPage(object, *page);
  *busy = page;
  return Result::kOk;
}

// What stands behind byte `end` of the page reads as zero from now on.
void ZeroBehindEnd(System& system, Page& page, std::uint64_t end) {
  // Nobody may write there, or see it half done.
  Pmap::RemoveAll(system, page);
  const std::uint64_t in_page = end & system.PageMask();
  const std::span<std::byte> bytes = system.FrameBytes(page);
  std::memset(bytes.data() + in_page, 0, bytes.size() - in_page);
  // The block that is cut keeps its dirt: the file has a part of it.
  const auto behind =
      static_cast<std::uint32_t>((in_page + kBlockBytes - 1) & ~Address{kBlockBytes - 1});
  ClearBlocksDirty(system, page, behind, system.config().page_size - behind);
}

// kShortage: wait for pages and try again.
Result TryTruncate(System& system, Vnode& vnode, std::uint64_t size) LOCKING_REQUIRES(vnode.lock) {
  if (vnode.object == nullptr) return Result::kIoError;
  Object& object = *vnode.object;
  const std::uint64_t cut = std::min(size, vnode.size);
  Page* across = nullptr;
  ObjectGuard guard(object.lock);
  if (BusyPageAcross(system, object, cut, &across) != Result::kOk) return Result::kShortage;
  object.lock.Unlock();
  const Result result = vnode.file.Truncate(size);
  object.lock.Lock();
  if (across != nullptr) {
    if (result == Result::kOk) ZeroBehindEnd(system, *across, cut);
    UnbusyPage(system, object, *across);
    PagingEnd(system, object);
  }
  if (result != Result::kOk) return result;
  const Pindex pages = system.BytesToPages(size + system.PageMask());
  if (pages < object.size) RemovePagesFrom(system, object, pages);
  object.size = pages;
  ++object.generation;
  vnode.size = size;
  return Result::kOk;
}

}  // namespace

Result TruncateVnode(System& system, Vnode& vnode, std::uint64_t size) {
  for (;;) {
    Result result = Result::kOk;
    {
      locking::WriteGuard vnode_guard(vnode.lock);
      result = TryTruncate(system, vnode, size);
    }
    if (result != Result::kShortage) return result;
    result = WaitForPages(system, FreeQueue::Waiter::kSystem);
    if (result != Result::kOk) return result;
  }
}

Result CleanVnode(System& system, Vnode& vnode) {
  if (vnode.object == nullptr) return Result::kOk;
  ObjectGuard guard(vnode.object->lock);
  return CleanPages(system, *vnode.object, 0, 0, {.mode = SyncMode::kSynchronous});
}

Result SyncVnode(System& system, Vnode& vnode) {
  locking::WriteGuard guard(vnode.lock);
  const Result cleaned = CleanVnode(system, vnode);
  const Result synced = vnode.file.Sync();
  return cleaned != Result::kOk ? cleaned : synced;
}

Result FlushVnode(System& system, Vnode& vnode) {
  locking::WriteGuard guard(vnode.lock);
  if (vnode.object == nullptr) return Result::kOk;
  ObjectGuard object_guard(vnode.object->lock);
  return CleanPages(system, *vnode.object, 0, 0, {.skip_nosync = true});
}

namespace {

Result PageInLocked(System& system, Vnode& vnode, Pindex pindex, Page** held)
    LOCKING_REQUIRES_SHARED(vnode.lock) {
  if (vnode.object == nullptr) return Result::kIoError;
  Object& object = *vnode.object;
  ObjectGuard guard(object.lock);
  Page* page = LookupPage(object, pindex);
  const bool settled = page != nullptr && (page->busied() || page->valid != 0);
  if (settled || !object.pager->HasPage(object, pindex)) return Result::kOk;
  const Result result = PageIn(system, object, pindex, &page);
  if (result != Result::kOk) return result;
  PageRoleGuard page_guard(system.queues().PageLock(*page));
  system.queues().Hold(*page);
  *held = page;
  return Result::kOk;
}

}  // namespace

Result PageInVnode(System& system, Vnode* vnode, Pindex pindex, Page** held) {
  *held = nullptr;
  Result result = Result::kOk;
  {
    locking::ReadGuard guard(vnode->lock);
    result = PageInLocked(system, *vnode, pindex, held);
  }
  DropVnode(system, vnode);
  return result;
}

void DeallocateVnodeObject(System& system, Object& object) {
  Require(object.ref_count != 0, "INV-32", "an object is released more often than referenced");
  Vnode* vnode = object.vnode;
  if (object.ref_count > 1) {
    --object.ref_count;
    object.lock.Unlock();
    ReleaseVnode(system, vnode);
    return;
  }
  HoldVnode(*vnode);
  object.lock.Unlock();
  vnode->lock.Lock();
  object.lock.Lock();
  const bool revoked = object.vnode == nullptr;
  if (revoked) {
    vnode->lock.Unlock();
    object.lock.Unlock();
    DeallocateObject(system, &object);
  } else {
    --object.ref_count;
    object.lock.Unlock();
    vnode->lock.Unlock();
    ReleaseVnode(system, vnode);
  }
  DropVnode(system, vnode);
}

void RevokeVnode(System& system, Vnode& vnode) {
  locking::WriteGuard guard(vnode.lock);
  if (vnode.object == nullptr) return;
  CleanVnode(system, vnode);
  vnode.state = VnodeState::kRevoked;
  system.HideVnode(vnode);
  Object& object = *std::exchange(vnode.object, nullptr);
  object.lock.Lock();
  if (object.ref_count == 0) {
    TerminateObject(system, object);
    return;
  }
  WaitForPaging(system, object, "vnpdea");
  const std::uint32_t references = object.ref_count;
  object.pager->Deallocate(object);
  object.pager = &system.dead_pager();
  object.type = ObjectType::kDead;
  object.lock.Unlock();
  vnode.uses.FetchSub(references, std::memory_order_acq_rel);
}

}  // namespace vm
