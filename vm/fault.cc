#include "vm/fault.h"

#include "vm/map_ranges.h"
#include "vm/object_clean.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/page_cow.h"
#include "vm/pager/pager.h"
#include "vm/prefetch.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {
namespace {

// Faults in a row that found their page resident, after which the next one tries with the object's
// lock shared: a try in vain costs a lock pair.
constexpr std::uint32_t kResidentFaultsToShare = 4;
constexpr std::size_t kFetchedAtOnce = 512;  // bytes

// How one attempt at a fault ended. All locks are released.
enum class Outcome : std::uint8_t {
  kDone,
  kRetry,         // something changed or was waited for: start again
  kWaitForPages,  // there is no free page: wait, then start again
  kFailed,        // see Fault::failure
};

// One fault, over as many attempts as it takes.
//
// The locks of an attempt: the map (shared), the first object of the chain (shared, where its pages
// are resident as a rule), and the object of the chain that is looked at, which may be the first.
// Which of them are held depends on where the walk is, so the analysis is off in this class; the
// objects' run-time assertions cover it.
class Fault {
 public:
  Fault(System& system, Map& map, Pmap& pmap, Address va, Protection access, FaultKind kind)
      : system_(system),
        map_(map),
        pmap_(pmap),
        va_(va & ~system.PageMask()),
        access_(access),
        kind_(kind) {}

  Result Resolve() {
    const Result result = Attempts();
    Hold(nullptr);
    return result;
  }

 private:
  Result Attempts() {
    for (;;) {
      switch (Attempt()) {
        case Outcome::kDone:
          system_.counters().Add(kind_of_fault_);
          return Result::kOk;
        case Outcome::kRetry:
          continue;
        case Outcome::kWaitForPages:
          if (const Result result = WaitForPages(system_, FreeQueue::Waiter::kFault);
              result != Result::kOk)
            return result;
          continue;
        case Outcome::kFailed:
          return failure_;
      }
    }
  }

  Outcome Attempt() LOCKING_NO_ANALYSIS;
  bool MapResident() LOCKING_NO_ANALYSIS;
  Outcome WalkChain() LOCKING_NO_ANALYSIS;
  Outcome Found(Page& page) LOCKING_NO_ANALYSIS;
  Outcome FoundLent(Page& page) LOCKING_NO_ANALYSIS;
  Outcome ReadIn(Page* page) LOCKING_NO_ANALYSIS;
  Outcome ReadInFile(Vnode* vnode) LOCKING_NO_ANALYSIS;
  Outcome Missing() LOCKING_NO_ANALYSIS;
  Outcome ZeroFill() LOCKING_NO_ANALYSIS;
  Outcome CopyUp(Page& source) LOCKING_NO_ANALYSIS;
  void NoteWriteable(Page& page) LOCKING_NO_ANALYSIS;
  bool IsKnownWriteable(const Page& page) LOCKING_NO_ANALYSIS;
  Outcome MapIn(Page& page, Protection protection) LOCKING_NO_ANALYSIS;
  Outcome GiveUp(Outcome outcome) LOCKING_NO_ANALYSIS;
  Outcome Fail(Result failure) LOCKING_NO_ANALYSIS;
  Result PrepareEntry();
  void UnlockCurrent() LOCKING_NO_ANALYSIS;
  // What the next fault is likely to use is fetched in parts: half of the frame that a new page
  // will get, and the beginning of what follows the source of a copy.
  void BeginToFetchAhead() LOCKING_NO_ANALYSIS;
  void FetchAhead();
  void Keep(Page& page);
  void KeepNew(Page& page);
  void Hold(Page* page);

  System& system_;
  Map& map_;
  Pmap& pmap_;
  const Address va_;
  const Protection access_;
  const FaultKind kind_;
  Result failure_ = Result::kOk;
  std::span<const std::byte> next_frame_, next_source_;  // what is left to be fetched ahead
  Page* held_ = nullptr;  // of an earlier attempt: see the head comment of the header

  // Of the current attempt.
  bool write_ = false;  // copy-on-write is to be broken
  bool entry_wired_ = false;
  bool nosync_ = false;
  Event kind_of_fault_ = Event::kFaultResident;
  Protection protection_ = Protection::kNone;  // what the mapping may get
  Object* first_ = nullptr;                    // locked
  Pindex first_index_ = 0;
  Object* object_ = nullptr;  // locked: where the walk is
  Pindex index_ = 0;
};

// Gives the entry an object of its own for the coming write, or its first one. Under the exclusive
// map lock; the caller looks everything up again.
Result Fault::PrepareEntry() {
  locking::WriteGuard guard(map_.lock);
  MapEntry* entry = map_.Lookup(va_);
  return entry == nullptr ? Result::kInvalidAddress : PrepareObject(system_, map_, *entry);
}

Outcome Fault::Attempt() {
  map_.lock.LockShared();
  const MapEntry* entry = map_.Lookup(va_);
  Result failure = Result::kOk;
  if (entry == nullptr)
    failure = Result::kInvalidAddress;
  else if (!Allows(kind_ == FaultKind::kWire ? entry->max_protection : entry->protection, access_))
    failure = Result::kProtectionFailure;
  if (failure != Result::kOk) {
    map_.lock.UnlockShared();
    return Fail(failure);
  }
  // Wiring settles copy-on-write for good, so that the page stays where it is wired.
  write_ = Allows(access_, Protection::kWrite) ||
           (kind_ == FaultKind::kWire && Allows(entry->max_protection, Protection::kWrite));
  if (entry->object == nullptr || (write_ && entry->needs_copy)) {
    map_.lock.UnlockShared();
    const Result result = PrepareEntry();
    return result == Result::kOk ? Outcome::kRetry : Fail(result);
  }
  nosync_ = entry->nosync;
  protection_ = entry->needs_copy ? entry->protection & Protection::kRead : entry->protection;
  entry_wired_ = entry->wired_count != 0 && !entry->in_transition;
  first_ = object_ = entry->object;
  first_index_ = index_ = entry->offset + system_.BytesToPages(va_ - entry->start);
  if (kind_ == FaultKind::kAccess && first_->resident_faults >= kResidentFaultsToShare &&
      MapResident()) {
    map_.lock.UnlockShared();
    return Outcome::kDone;
  }
  first_->lock.Lock();
  return WalkChain();
}

// With the first object's lock shared: maps the page if it is resident there, and needs nothing but
// that. False: nothing was done.
bool Fault::MapResident() {
  ObjectReadGuard guard(first_->lock);
  Page* page = first_->index.Peek(first_index_);
  const bool ready = page != nullptr && !page->busied() && page->valid == system_.AllBlocks() &&
                     page->cow == 0 && IsKnownWriteable(*page);
  if (!ready) {
    first_->resident_faults = 0;
    return false;
  }
  if (pmap_.Enter(va_, *page, protection_, entry_wired_) != Result::kOk) return false;
  Keep(*page);
  kind_of_fault_ = Event::kFaultResident;
  return true;
}

// From the first object towards the back, hand over hand, until the page is found or known not to
// exist.
Outcome Fault::WalkChain() {
  for (;;) {
    Page* page = LookupPage(*object_, index_);
    if (page != nullptr && page->busied()) {
      if (object_ != first_) first_->lock.Unlock();
      map_.lock.UnlockShared();
      SleepWhileBusy(system_, *object_, *page, "vmpfw").AndRetry();
      return Outcome::kRetry;
    }
    if (page != nullptr && page->valid == system_.AllBlocks()) return Found(*page);
    if (object_->pager != nullptr) {
      if (object_->pager->HasPage(*object_, index_)) return ReadIn(page);
      if (!object_->anonymous()) return Missing();
    }
    Require(page == nullptr, "INV-52", "an invalid page is neither busy nor in a store");
    Object* next = object_->backing;
    if (next == nullptr) return ZeroFill();
    next->lock.Lock();
    index_ += object_->backing_offset;
    if (object_ != first_) object_->lock.Unlock();
    object_ = next;
  }
}

Outcome Fault::Found(Page& page) {
  if (object_ == first_) {
    if (page.cow != 0) [[unlikely]]
      return FoundLent(page);
    kind_of_fault_ = Event::kFaultResident;
    if (object_->resident_faults < kResidentFaultsToShare)
      object_->resident_faults = object_->resident_faults + 1;
    return MapIn(page, protection_);
  }
  if (write_) return CopyUp(page);
  kind_of_fault_ = Event::kFaultChain;
  return MapIn(page, protection_ & Protection::kRead);
}

// The object's pager has the page: reads it into its own object, and starts again.
Outcome Fault::ReadIn(Page* page) {
  if (object_ != first_) first_->lock.Unlock();
  map_.lock.UnlockShared();
  if (object_->vnode != nullptr) return ReadInFile(object_->vnode);
  const Result result = PageIn(system_, *object_, index_, &page);
  if (result == Result::kOk) Hold(page);
  object_->lock.Unlock();
  if (result == Result::kShortage) return Outcome::kWaitForPages;
  return result == Result::kOk ? Outcome::kRetry : Fail(result);
}

// The same of a file. Its vnode's lock comes before the object's: all locks are given up first.
Outcome Fault::ReadInFile(Vnode* vnode) {
  HoldVnode(*vnode);
  object_->lock.Unlock();
  Page* page = nullptr;
  const Result result = PageInVnode(system_, vnode, index_, &page);
  if (page != nullptr) {
    if (held_ != nullptr) UnholdPage(system_, *held_);
    held_ = page;
  }
  if (result == Result::kShortage) return Outcome::kWaitForPages;
  return result == Result::kOk ? Outcome::kRetry : Fail(result);
}

// The file ends before the page, or was taken away.
Outcome Fault::Missing() {
  failure_ = Result::kBeyondEnd;
  return GiveUp(Outcome::kFailed);
}

// The page is lent to a sender, and must not change.
Outcome Fault::FoundLent(Page& page) {
  if (!write_) return MapIn(page, protection_ & Protection::kRead);
  Page* copy = ReplaceLentPage(system_, *first_, page);
  if (copy == nullptr) return GiveUp(Outcome::kWaitForPages);
  kind_of_fault_ = Event::kCowCopy;
  if (copy->wire_count == 0) KeepNew(*copy);
  return MapIn(*copy, protection_);
}

// Nobody in the chain has the page: it reads as zero.
Outcome Fault::ZeroFill() {
  UnlockCurrent();
  Page* page = AllocatePage(system_, *first_, first_index_, {.zeroed = true});
  if (page == nullptr) return GiveUp(Outcome::kWaitForPages);
  kind_of_fault_ = Event::kZeroFill;
  KeepNew(*page);  // before the frame is written: its lines are on their way
  if (page->zeroed)
    system_.counters().Add(Event::kReadyZeroFill);
  else
    ZeroPage(system_, *page);
  BeginToFetchAhead();
  page->valid = system_.AllBlocks();
  // Dropping a clean page must not uncover what a backer that others write to got meanwhile.
  if (first_->backing != nullptr) DirtyPage(system_, *page);
  return MapIn(*page, protection_);
}

// Copy-on-write: the first object gets a page of its own.
Outcome Fault::CopyUp(Page& source) {
  const std::span<const std::byte> bytes = system_.FrameBytes(source);
  const std::size_t part = bytes.size() / 4;
  Prefetch(bytes.first(part));
  Page* page = AllocatePage(system_, *first_, first_index_, {});
  if (page == nullptr) return GiveUp(Outcome::kWaitForPages);
  kind_of_fault_ = Event::kCowCopy;
  Prefetch(bytes.subspan(part, part));
  KeepNew(*page);  // before the frame is written: its lines are on their way
  Prefetch(bytes.subspan(2 * part, part));
  // Whoever still writes to the source directly stops until it faults again: its owner is locked.
  if (source.writeable.Peek()) Pmap::RemoveWrite(system_, source);
  CopyPage(system_, source, *page);
  BeginToFetchAhead();
  DirtyPage(system_, *page);
  // Other maps that share the first object still map the source in its place (D44).
  if (first_->ref_count > 1) Pmap::RemoveAll(system_, source);
  UnlockCurrent();
  return MapIn(*page, protection_);
}

// Stores through this mapping are to be written now and then, unless it says that they may wait.
// What was dirty before may not.
void Fault::NoteWriteable(Page& page) {
  SetWriteableDirty(*object_);
  page.nosync =
      nosync_ && (page.nosync || (!Pmap::IsModified(system_, page) && page.dirty.Load() == 0));
}

// With the object's lock shared: whether NoteWriteable would have no more to say of the page than
// that of the object.
bool Fault::IsKnownWriteable(const Page& page) {
  if (first_->type != ObjectType::kVnode || !Allows(protection_, Protection::kWrite)) return true;
  return page.nosync == nosync_ && TrySetWriteableDirty(*first_);
}

// Maps the page, which is in object_. Ends the attempt.
Outcome Fault::MapIn(Page& page, Protection protection) {
  if (Allows(protection, Protection::kWrite) && object_->type == ObjectType::kVnode)
    NoteWriteable(page);
  const bool wire = kind_ == FaultKind::kWire;
  if (wire) {
    // Before the mapping, so that nobody reclaims the page in between.
    PageRoleGuard guard(system_.queues().PageLock(page));
    system_.queues().Wire(page);
  }
  const Result result = pmap_.Enter(va_, page, protection, wire || entry_wired_);
  if (result != Result::kOk) {
    Hold(&page);
    if (wire) {
      PageRoleGuard guard(system_.queues().PageLock(page));
      system_.queues().Unwire(page, PageQueues::Then::kActivate);
    }
    return GiveUp(Outcome::kWaitForPages);
  }
  FetchAhead();
  Keep(page);
  // A copy may have made the chain's next object superfluous.
  if (kind_of_fault_ == Event::kCowCopy) CollapseObject(system_, *first_);
  FetchAhead();
  return GiveUp(Outcome::kDone);
}

void Fault::BeginToFetchAhead() {
  if (const Page* next = system_.free_queue().Upcoming())
    next_frame_ = system_.FrameBytes(*next).first(system_.config().page_size / 2);
  if (object_ != first_) {
    if (const Page* next = object_->index.Peek(index_ + 1))
      next_source_ = system_.FrameBytes(*next).first(system_.config().page_size / 4);
  }
  FetchAhead();
}

void Fault::FetchAhead() {
  std::span<const std::byte>& from = next_frame_.empty() ? next_source_ : next_frame_;
  const std::size_t part = std::min(from.size(), kFetchedAtOnce);
  Prefetch(from.first(part));
  from = from.subspan(part);
}

// The page is used: on the active queue, and not the next to go. A wired one is on none.
void Fault::Keep(Page& page) {
  if (kind_ == FaultKind::kWire) return;
  if (!page.referenced.Peek()) page.referenced.Store(true, std::memory_order_relaxed);
  if (page.queue == PageQueue::kActive || page.unmanaged) return;
  PageRoleGuard guard(system_.queues().PageLock(page));
  if (page.wire_count == 0) system_.queues().Activate(page);
}

// The same for a page that this attempt took from the machine.
void Fault::KeepNew(Page& page) {
  if (kind_ == FaultKind::kWire) return;
  page.referenced.Store(true, std::memory_order_relaxed);
  system_.queues().ActivateNew(page);
}

// Holds `page`, if it is one, in the place of the page held so far. What nobody takes away needs no
// hold, and a device's page may have none when its object ends.
void Fault::Hold(Page* page) {
  if (page != nullptr && page->unmanaged) page = nullptr;
  if (page == held_) return;
  if (page != nullptr) {
    PageRoleGuard guard(system_.queues().PageLock(*page));
    system_.queues().Hold(*page);
  }
  if (held_ != nullptr) UnholdPage(system_, *held_);
  held_ = page;
}

// Leaves only the first object locked.
void Fault::UnlockCurrent() {
  if (object_ == first_) return;
  object_->lock.Unlock();
  object_ = first_;
  index_ = first_index_;
}

Outcome Fault::GiveUp(Outcome outcome) {
  UnlockCurrent();
  FetchAhead();
  first_->lock.Unlock();
  FetchAhead();
  map_.lock.UnlockShared();
  FetchAhead();
  return outcome;
}

Outcome Fault::Fail(Result failure) {
  failure_ = failure;
  return Outcome::kFailed;
}

}  // namespace

Result ResolveFault(System& system, Map& map, Pmap& pmap, Address va, Protection access,
                    FaultKind kind) {
  return Fault(system, map, pmap, va, access, kind).Resolve();
}

}  // namespace vm
