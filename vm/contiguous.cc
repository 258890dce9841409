#include "vm/contiguous.h"

#include <algorithm>
#include <bit>

#include "locking/thread.h"
#include "vm/object_clean.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/page_release.h"
#include "vm/pager/pager.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

// What a run may consist of.
enum class Effort : std::uint8_t { kFreeAndCached, kReserved, kInactive, kActive };
constexpr Effort kEfforts[] = {Effort::kFreeAndCached, Effort::kReserved, Effort::kInactive,
                               Effort::kActive};

// Attempts to lock the object of one page, which another thread may have for long.
constexpr std::uint32_t kLockAttempts = 4;

// A hint: the page may change at any time.
bool MayGo(const Page& page, Effort effort) {
  const PageQueue queue = page.queue;
  switch (queue) {
    case PageQueue::kFree:
    case PageQueue::kFreeBatch:
    case PageQueue::kCache:
      return true;
    case PageQueue::kReserved:
      return effort >= Effort::kReserved;
    case PageQueue::kInactive:
      return effort >= Effort::kInactive;
    case PageQueue::kActive:
      return effort >= Effort::kActive;
    case PageQueue::kNone:
    case PageQueue::kHold:
      return false;
  }
  return false;
}

// Locks the object that the page is of, whose lock comes before that of the queues: it is tried,
// and looked up again after each wait (D15). nullptr: it has none, or somebody else has it for
// long.
Object* LockOwner(System& system, const Page& page) LOCKING_NO_ANALYSIS {
  for (std::uint32_t attempt = 0; attempt < kLockAttempts; ++attempt) {
    Object* object = page.object;  // a hint
    if (object == nullptr) return nullptr;
    if (object->lock.TryLock()) {
      if (page.object == object) return object;
      object->lock.Unlock();
    }
    system.counters().Add(Event::kBackOff);
    locking::Yield();
  }
  return nullptr;
}

// Waits for the end of the page's transition. Paging in progress keeps the object meanwhile.
void WaitWhileBusy(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock) {
  PagingBegin(object);
  (void)SleepIfBusy(system, object, page, Busy::kAny, "vpctw0");
  PagingEnd(system, object);
}

// Drops and retakes the object's lock: the page may be gone then. A file is locked before its
// object, whose storage is type-stable: at worst somebody else's page is written.
void WriteOutPage(System& system, Object& object, Page& page) LOCKING_REQUIRES(object.lock) {
  if (object.vnode == nullptr) {
    Page* const pages[] = {&page};
    PagerForWriting(system, object).PageOut(object, pages);
    return;
  }
  const Pindex pindex = page.pindex;
  object.lock.Unlock();
  SyncObject(system, &object, pindex, pindex + 1, SyncMode::kAsynchronous, Invalidate::kNo);
  object.lock.Lock();
}

// Tries to free one page that belongs to an object.
void Evict(System& system, Page& page) LOCKING_NO_ANALYSIS {
  Object* object = LockOwner(system, page);
  if (object == nullptr) return;
  if (page.busied()) {
    WaitWhileBusy(system, *object, page);
  } else if (!object->dead && object->pageable()) {
    if (page.wire_count == 0 && page.hold_count == 0 && page.valid == system.AllBlocks() &&
        TestDirty(system, *object, page))
      WriteOutPage(system, *object, page);
    if (page.object == object && TryToFreePage(system, *object, page))
      system.counters().Add(Event::kContiguousEvicted);
  }
  object->lock.Unlock();
}

class Search {
 public:
  Search(System& system, const ContiguousRequest& request)
      : system_(system),
        request_(request),
        end_(std::min<std::uint64_t>(request.high, system.pages().size())) {}

  bool Find(std::span<Page>* run) {
    for (const Effort effort : kEfforts) {
      if (effort == Effort::kReserved && !system_.free_queue().reserves()) continue;
      for (std::uint64_t at = Fitting(request_.low); at + request_.count <= end_;) {
        *run = system_.pages().subspan(at, request_.count);
        const std::uint32_t found = Take(*run, effort);
        if (found == request_.count) return true;
        at = Fitting(at + found + 1);  // a run has to begin behind what is missing
      }
    }
    return false;
  }

 private:
  // The first frame from `at` on where a run may begin.
  std::uint64_t Fitting(std::uint64_t at) const {
    at = RoundUp(at, request_.alignment);
    const std::uint64_t boundary = request_.boundary;
    if (boundary == 0 || at / boundary == (at + request_.count - 1) / boundary) return at;
    return RoundUp(at, std::max<std::uint64_t>(boundary, request_.alignment));
  }
  static std::uint64_t RoundUp(std::uint64_t at, std::uint64_t power) {
    return (at + power - 1) & ~(power - 1);
  }

  // Takes the run, or returns how many of its pages stand before one that cannot be had.
  std::uint32_t Take(std::span<Page> run, Effort effort) {
    const auto stuck = std::find_if(run.begin(), run.end(),
                                    [&](const Page& page) { return !MayGo(page, effort); });
    if (stuck != run.end()) return static_cast<std::uint32_t>(stuck - run.begin());
    for (Page& page : run)
      if (!IsFree(page.queue)) Evict(system_, page);
    // What was freed just now stands on a batch, perhaps.
    system_.free_queue().DrainBatches();
    const FreeQueue::RunTaken taken = system_.free_queue().TryTakeRun(run);
    if (!taken.shortage) return taken.pages;
    system_.free_queue().NoteDeficit();
    system_.free_queue().WakeDaemon();
    return taken.pages - 1;
  }

  System& system_;
  const ContiguousRequest& request_;
  const std::uint64_t end_;
};

bool Valid(const System& system, const ContiguousRequest& request) {
  const auto power = [](std::uint32_t n) { return std::has_single_bit(n); };
  return request.count != 0 && request.count < system.config().pages && power(request.alignment) &&
         (request.boundary == 0 ||
          (power(request.boundary) && request.count <= request.boundary)) &&
         request.low < request.high && request.count <= request.high - request.low;
}

}  // namespace

Result AllocateContiguous(System& system, const ContiguousRequest& request, std::span<Page>* run) {
  if (!Valid(system, request)) return Result::kInvalidArgument;
  if (!Search(system, request).Find(run)) return Result::kNoSpace;
  for (Page& page : *run) {
    if (request.zeroed && !page.zeroed) ZeroPage(system, page);
    page.valid = system.AllBlocks();
  }
  if (system.free_queue().PagingNeeded()) system.free_queue().WakeDaemon();
  system.counters().Add(Event::kContiguousRun);
  return Result::kOk;
}

void FreeContiguous(System& system, std::span<Page> run) {
  for (Page& page : run) {
    Require(page.identity == PageIdentity::kContiguous, "INV-10",
            "a page is given back as part of a run that is none");
    FreeUnownedPage(system, page);
  }
}

}  // namespace vm
