// Giving up pages of an object: see object_ranges.h.
#include <vector>

#include "vm/object_ranges.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/page_cow.h"
#include "vm/page_grab.h"
#include "vm/page_release.h"
#include "vm/pager/pager.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

enum class Removed : std::uint8_t { kDone, kBusy };

// Wired by somebody for another reason than a mapping: it is not ours to free.
void InvalidatePage(System& system, Page& page, RemoveOptions options) {
  if (options.not_wired || options.clean_only) return;
  if (!options.not_mapped) {
    const std::uint32_t wirings = Pmap::WiredMappings(system, page);
    Pmap::RemoveAll(system, page);
    PageRoleGuard guard(system.queues().PageLock(page));
    for (std::uint32_t i = 0; i < wirings; ++i)
      system.queues().Unwire(page, PageQueues::Then::kActivate);
  }
  page.valid = 0;
  UndirtyPage(page);
}

// Takes the rights of the mappings away. Whether the page may go after that.
bool TakeMappings(System& system, Object& object, Page& page, std::uint32_t wirings,
                  RemoveOptions options) LOCKING_REQUIRES(object.lock) {
  if (options.clean_only && page.valid != 0) {
    if (!options.not_mapped) Pmap::RemoveWrite(system, page);
    if (TestDirty(system, object, page)) return false;
  }
  if (options.not_mapped) return true;
  if (options.not_wired && wirings != 0) return false;
  Pmap::RemoveAll(system, page);
  PageRoleGuard guard(system.queues().PageLock(page));
  for (std::uint32_t i = 0; i < wirings; ++i)
    system.queues().Unwire(page, PageQueues::Then::kActivate);
  return true;
}

Removed RemoveOne(System& system, Object& object, Page& page, RemoveOptions options)
    LOCKING_REQUIRES(object.lock) {
  if (page.exclusively_busy()) return Removed::kBusy;
  std::uint32_t wirings = 0;
  if (page.wire_count != 0) {
    wirings = Pmap::WiredMappings(system, page);
    const bool lent = page.cow != 0 && page.wire_count == wirings + page.cow;
    if (lent && !options.not_wired && !options.clean_only) {
      if (page.busied()) return Removed::kBusy;
      (void)TakeMappings(system, object, page, wirings, options);
      DetachLentPage(system, object, page);
      return Removed::kDone;
    }
    if (wirings != page.wire_count) {
      InvalidatePage(system, page, options);
      return Removed::kDone;
    }
  }
  if (page.busied()) return Removed::kBusy;
  if (TakeMappings(system, object, page, wirings, options)) FreePage(system, object, page);
  return Removed::kDone;
}

}  // namespace

Page* FirstBusyPage(Object& object, Pindex first, Pindex last) {
  while (Page* page = object.index.LookupAtOrAfter(first)) {
    if (page->pindex >= last) return nullptr;
    if (page->busied()) return page;
    first = page->pindex + 1;
  }
  return nullptr;
}

void RemovePages(System& system, Object& object, Pindex first, Pindex last, RemoveOptions options) {
  if (object.index.empty()) return;
  PagingBegin(object);
  for (Pindex next = first; Page* page = object.index.LookupAtOrAfter(next);) {
    if (page->pindex >= last) break;
    next = page->pindex + 1;
    if (RemoveOne(system, object, *page, options) == Removed::kDone) continue;
    SleepWhileBusy(system, object, *page, "vmopar").AndRetry();
    object.lock.Lock();
    next = first;
  }
  PagingEnd(system, object);
}

void CachePages(System& system, Object& object, Pindex first, Pindex last) {
  for (Pindex next = first; Page* page = object.index.LookupAtOrAfter(next);) {
    if (page->pindex >= last) return;
    next = page->pindex + 1;
    TryToCachePage(system, object, *page);
  }
}

namespace {

// The page is busy by the caller. False: it could not be read.
bool FillPage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock) {
  if (page.valid == system.AllBlocks()) return true;
  if (object.pager == nullptr || !object.pager->HasPage(object, page.pindex)) {
    ZeroInvalid(system, page, ZeroedBlocks::kBecomeValid);
    return true;
  }
  Page* const pages[] = {&page};
  return object.pager->GetPages(object, pages, 0) == Result::kOk;
}

// The page stays where it is while the next ones are waited for. Not by its busy: the page daemon
// would wait for whoever waits for it. What nobody takes away needs no hold.
void KeepFilled(System& system, Object& object, Page& page, std::vector<Page*>& held)
    LOCKING_REQUIRES(object.lock) {
  UnbusyPage(system, object, page);
  if (page.unmanaged) return;
  PageRoleGuard guard(system.queues().PageLock(page));
  system.queues().Activate(page);
  system.queues().Hold(page);
  held.push_back(&page);
}

}  // namespace

bool PopulateObject(System& system, Object& object, Pindex first, Pindex last) {
  PagingBegin(object);
  std::vector<Page*> held;
  Pindex next = first;
  for (; next < last; ++next) {
    Page* page = GrabPage(system, object, next, {});
    if (page == nullptr) break;
    if (!FillPage(system, object, *page)) {
      FreePage(system, object, *page);
      break;
    }
    KeepFilled(system, object, *page, held);
  }
  for (Page* page : held) UnholdPage(system, *page);
  PagingEnd(system, object);
  return next == last;
}

namespace {

// What is left of the object ends where the range began.
void ShortenObject(System& system, Object& object, Pindex size) LOCKING_REQUIRES(object.lock) {
  if (object.credential != nullptr) {
    const Pindex pages = object.size - size;
    Require(object.charge >= pages, "INV-51", "an object is charged for less than it has");
    object.charge -= pages;
    system.charges().Release(*object.credential, pages);
  }
  object.size = size;
}

}  // namespace

void ReleaseRange(System& system, Object& object, Pindex first, Pindex last) {
  {
    ObjectGuard guard(object.lock);
    // The last reference ends the object, with all it has.
    if (object.anonymous() && object.one_mapping && object.ref_count != 1) {
      CollapseObject(system, object);
      RemovePages(system, object, first, last, {.not_mapped = true});
      system.swap().FreeSpace(object, first, last - first);
      if (last >= object.size && first < object.size) ShortenObject(system, object, first);
    }
  }
  DeallocateObject(system, &object);
}

}  // namespace vm
