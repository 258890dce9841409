#include "vm/object_clean.h"

#include <algorithm>
#include <array>
#include <span>

#include "vm/object_ranges.h"
#include "vm/page_busy.h"
#include "vm/page_queues.h"
#include "vm/pager/pager.h"
#include "vm/system.h"
#include "vm/vnode.h"

namespace vm {
namespace {

// One call of CleanPages.
class Cleaning {
 public:
  Cleaning(System& system, Pindex first, Pindex last, CleanOptions options)
      : system_(system), first_(first), last_(last), options_(options) {}

  Result Run(Object& object) LOCKING_REQUIRES(object.lock) {
    all_clean_ = first_ == 0 && last_ >= object.size;
    while (!Scan(object)) ++rescans_;
    if (all_clean_) object.might_be_dirty = false;
    return result_;
  }

 private:
  // Goes through the range; false: what has become dirty meanwhile is to be written too.
  bool Scan(Object& object) LOCKING_REQUIRES(object.lock) {
    const std::uint32_t generation = object.dirty_generation;
    for (Pindex next = first_; Page* page = object.index.LookupAtOrAfter(next);) {
      const Pindex at = page->pindex;
      if (at >= last_) return true;
      next = at + 1;
      if (page->valid != system_.AllBlocks()) {
        all_clean_ = all_clean_ && page->valid == 0;
        continue;
      }
      if (page->busied()) {
        SleepWhileBusy(system_, object, *page, "vpcwai").AndRetry();
        object.lock.Lock();
        next = at;
      } else if (ToBeWritten(object, *page)) {
        next = at + FlushAround(object, *page);
      } else {
        continue;
      }
      if (object.dirty_generation == generation) continue;
      if (options_.mode == SyncMode::kSynchronous && rescans_ < kMaxCleanRescans) return false;
      all_clean_ = false;
    }
    return true;
  }

  // Takes the right to write away; whether the page is dirty by then.
  bool ToBeWritten(Object& object, Page& page) LOCKING_REQUIRES(object.lock) {
    object.lock.AssertHeld();
    if (options_.skip_nosync && page.nosync) {
      all_clean_ = false;
      return false;
    }
    Pmap::RemoveWrite(system_, page);
    return page.dirty.Load() != 0;
  }

  bool JoinsCluster(Object& object, Page* page) LOCKING_REQUIRES(object.lock) {
    return page != nullptr && !page->busied() && page->valid == system_.AllBlocks() &&
           ToBeWritten(object, *page);
  }

  // Writes the page and its dirty neighbours. Returns how many pages from it on are settled.
  Pindex FlushAround(Object& object, Page& page) LOCKING_REQUIRES(object.lock) {
    std::array<Page*, std::size_t{2} * kClusterPages> pages{};
    std::uint32_t begin = kClusterPages, end = kClusterPages + 1;
    const Pindex at = page.pindex;
    pages[begin] = &page;
    const auto full = [&] { return end - begin == kClusterPages; };
    for (; !full() && JoinsCluster(object, LookupPage(object, at + end - kClusterPages)); ++end)
      pages[end] = LookupPage(object, at + end - kClusterPages);
    for (; reach_back_ && at == first_ && !full() && at > kClusterPages - begin; --begin) {
      Page* before = LookupPage(object, at - (kClusterPages - begin) - 1);
      if (!JoinsCluster(object, before)) break;
      pages[begin - 1] = before;
    }
    reach_back_ = reach_back_ && at != first_;
    WriteOut write;
    PagerForWriting(system_, object).PageOut(object, {&pages[begin], end - begin}, &write);
    return Settled(write, kClusterPages - begin);
  }

  // What became of a write. `first`: of the page that it was made for. One that ended early is made
  // anew from where it did, or from that page on, if it did not come so far; a page that is the
  // first of its write and fails is given up.
  Pindex Settled(const WriteOut& write, std::uint32_t first) {
    for (std::uint32_t i = 0; i < write.page_count; ++i) {
      const PutState state = write.states[i];
      if (state != PutState::kFailed && state != PutState::kNoRoom) continue;
      if (i > first) return i - first;
      if (first != 0) return 0;
      GiveUp(*write.pages[i], write, i);
    }
    return write.page_count - first;
  }

  void GiveUp(Page& page, const WriteOut& write, std::uint32_t index) {
    all_clean_ = false;
    KeepFromDaemon(page);
    if (result_ != Result::kOk) return;
    result_ = Result::kNoSpace;  // there was no place to write it to
    for (std::uint32_t i = 0; i < write.segment_count; ++i) {
      const WriteOut::Segment& segment = write.segments[i];
      if (index - segment.first < segment.count) result_ = segment.result;
    }
  }

  // So that what cannot be written does not clog the inactive queue.
  void KeepFromDaemon(Page& page) {
    PageRoleGuard guard(system_.queues().PageLock(page));
    if (page.wire_count == 0) system_.queues().Activate(page);
  }

  System& system_;
  const Pindex first_;
  const Pindex last_;
  const CleanOptions options_;
  bool all_clean_ = false;  // as far as is known: nothing of the object is dirty
  Result result_ = Result::kOk;
  std::uint32_t rescans_ = 0;
  bool reach_back_ = true;  // the first write takes what is dirty before the range along
};

}  // namespace

Result CleanPages(System& system, Object& object, Pindex first, Pindex last, CleanOptions options) {
  if (!object.might_be_dirty || object.index.empty()) return Result::kOk;
  return Cleaning(system, first, last == 0 ? object.size : last, options).Run(object);
}

namespace {

Result SyncVnodeRange(System& system, Vnode& vnode, Pindex first, Pindex last, SyncMode mode,
                      Invalidate invalidate) {
  Result result = Result::kOk;
  Object* object;
  {
    locking::WriteGuard vnode_guard(vnode.lock);
    object = vnode.object;
    if (object == nullptr) return Result::kIoError;
    {
      ObjectGuard guard(object->lock);
      const bool again = mode == SyncMode::kSynchronous || invalidate == Invalidate::kYes;
      result = CleanPages(system, *object, first, last,
                          {.mode = again ? SyncMode::kSynchronous : SyncMode::kAsynchronous});
    }
    if (mode == SyncMode::kSynchronous) {
      const Result synced = vnode.file.Sync();
      if (result == Result::kOk) result = synced;
    }
  }
  // Without the vnode's lock: who reads a page in has it, and the page busy.
  if (invalidate == Invalidate::kYes) {
    ObjectGuard guard(object->lock);
    RemovePages(system, *object, first, last, {.clean_only = true, .not_wired = true});
  }
  return result;
}

// The vnode at the end of the chain, held once for the caller, and which part of its object is seen
// at [*first, *last) of `object`. nullptr: there is none.
Vnode* HoldVnodeBehind(Object* object, Pindex* first, Pindex* last) LOCKING_NO_ANALYSIS {
  object->lock.Lock();
  while (Object* next = object->backing) {
    next->lock.Lock();
    *first += object->backing_offset;
    *last += object->backing_offset;
    object->lock.Unlock();
    object = next;
    *last = std::min(*last, object->size);
  }
  Vnode* vnode = object->vnode;
  if (vnode != nullptr) HoldVnode(*vnode);
  object->lock.Unlock();
  return vnode;
}

}  // namespace

Result SyncObject(System& system, Object* object, Pindex first, Pindex last, SyncMode mode,
                  Invalidate invalidate) {
  if (object == nullptr) return Result::kOk;
  Vnode* vnode = HoldVnodeBehind(object, &first, &last);
  if (vnode == nullptr) return Result::kOk;
  const Result result = SyncVnodeRange(system, *vnode, first, last, mode, invalidate);
  DropVnode(system, vnode);
  return result;
}

}  // namespace vm
