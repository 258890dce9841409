// The paging queues and the page role: who is active, inactive or cached, who is wired or held.
//
//   active     used; scanned for references, ages by its act count
//   inactive   to be reclaimed from the head; dirty pages are laundered first
//   cache      clean and unmapped, still in their object; freed on demand. A list for each colour
//
// Two roles: the page role, of each page by itself (wire, hold and act count), and inside it the
// page queue mutex, for what links pages. The dialect says what plays the page role: the page queue
// mutex, which is recursive, so that taking it again is a counted no-op; or one of a hashed pool of
// locks (per-page).
//
// A page leaves its queue at once when it is wired, freed or renamed.
//
// Follows vm_page.c:990 (activate) … :1429 (dontneed), vm_pageq.c.
#ifndef VM_PAGE_QUEUES_H_
#define VM_PAGE_QUEUES_H_

#include <cstdint>
#include <vector>

#include "locking/annotations.h"
#include "locking/relaxed.h"
#include "vm/counters.h"
#include "vm/dialect.h"
#include "vm/free_queue.h"
#include "vm/lock_roles.h"
#include "vm/page.h"
#include "vm/page_batch.h"
#include "vm/page_colors.h"

namespace vm {

class PageQueues {
 public:
  // `batch_pages`: see Thresholds.
  PageQueues(std::uint32_t batch_pages, Counters& counters, LockDialect dialect,
             locking::Giant* giant);

  // The page queue mutex.
  mutable PageRole lock;
  // What the analysis calls the page role, of any page.
  struct LOCKING_CAPABILITY("page role") AnyPage {
  } page_role;
  // The lock that plays the page role for `page`. Nobody takes it of two pages at once.
  PageRole& PageLock(const Page& page) const LOCKING_RETURN_CAPABILITY(page_role) {
    return page_locks_.empty() ? lock : page_locks_[page.frame % kPageLocks].lock;
  }

  // For a loop over the page roles of many pages, one after the other: where the page queue mutex
  // plays them all, it is taken once for the loop. Held on entry: nothing from the page role on.
  class OneHold {
   public:
    explicit OneHold(const PageQueues& queues,
                     locking::Site site = locking::Site::current()) LOCKING_NO_ANALYSIS
        : lock_(queues.page_locks_.empty() ? &queues.lock : nullptr) {
      if (lock_ != nullptr) lock_->Lock(site);
    }
    ~OneHold() LOCKING_NO_ANALYSIS {
      if (lock_ != nullptr) lock_->Unlock();
    }
    OneHold(const OneHold&) = delete;

   private:
    PageRole* const lock_;
  };

  // Activates a page that was just taken and that is on no queue: it joins the calling thread's
  // batch, which joins the active queue once it is full.
  //   locked on entry and return: the owner, exclusively. Takes lock for every batch_pages-th page.
  void ActivateNew(Page& page) LOCKING_EXCLUDES(page_role, lock);

  // All of these: locked on entry and return: the page role, or lock, as annotated. The former take
  // lock inside. None sleeps.

  // Pages that leave the cache queue by these two were wanted after all: kReactivated.
  // To the active queue if it may be queued; its act count is at least kActInit.
  void Activate(Page& page) LOCKING_REQUIRES(page_role);
  enum class Where : std::uint8_t { kTail, kHead };
  // To the inactive queue; at the head as if it were cached.
  void Deactivate(Page& page, Where where = Where::kTail) LOCKING_REQUIRES(page_role);
  // To the cache queue. The caller made sure: clean, unmapped, unbusy, unheld, unwired, managed
  // (INV-23). The caller tells the free queue afterwards (FreeQueue::NoteCached).
  void Cache(Page& page) LOCKING_REQUIRES(page_role);
  // Puts the pages of all batches on the active queue, for whoever looks at all of it.
  void FlushBatches() LOCKING_REQUIRES(lock);
  // Off its queue, if it is on one.
  void Dequeue(Page& page) LOCKING_REQUIRES(page_role);
  // Active page, to the tail: it was looked at.
  void RequeueActive(Page& page) LOCKING_REQUIRES(page_role);
  void RequeueInactive(Page& page) LOCKING_REQUIRES(page_role);

  // One more call that a page is not needed (vm_page.c:1431). Returns how many there were.
  std::uint32_t CountDontNeed() LOCKING_EXCLUDES(lock);

  // A fictitious page has its one wiring for good, which no call changes.
  // One more reason to stay; the first takes it off its queue (vm_page.c:1205).
  void Wire(Page& page) LOCKING_REQUIRES(page_role);
  // Wires a page that was just taken from the free queue and that nobody else knows.
  void WireNew(Page& page);
  enum class Then : std::uint8_t { kActivate, kDeactivate };
  // One reason less; the last puts it back on a queue, if it has an owner. INV-27 if not wired.
  // Returns whether it was the last.
  bool Unwire(Page& page, Then then) LOCKING_REQUIRES(page_role);
  // From now on nobody looks for the page's mappings, so it is on no paging queue (vm_page.c:1180).
  // It is not mapped now; freeing it ends this.
  //   locked on entry and return: the owner too, exclusively.
  void Unmanage(Page& page) LOCKING_REQUIRES(page_role);
  void Hold(Page& page) LOCKING_REQUIRES(page_role);
  // For UnholdPage alone: returns whether a page of the hold list must be freed now.
  [[nodiscard]] bool Unhold(Page& page) LOCKING_REQUIRES(page_role);

  // A scan keeps its place with a marker: a page that is none, is not counted, and never leaves the
  // queue by anybody else's hand. The scan removes it before it ends (INV-24).
  //   at the head of `queue` (active or inactive)
  void PlaceMarker(Page& marker, PageQueue queue) LOCKING_REQUIRES(lock);
  // The first page behind the marker, which steps behind it; nullptr at the end of the queue.
  Page* StepMarker(Page& marker) LOCKING_REQUIRES(lock);
  // The same if the page is of that object; else nullptr, and the marker stays.
  Page* StepMarkerWithin(Page& marker, const Object& object) LOCKING_REQUIRES(lock);
  void RemoveMarker(Page& marker) LOCKING_REQUIRES(lock);

  // Active and inactive hold markers too.
  PageList& active() LOCKING_REQUIRES(lock) { return active_; }
  PageList& inactive() LOCKING_REQUIRES(lock) { return inactive_; }
  ColoredPages& cache() LOCKING_REQUIRES(lock) { return cache_; }

  // May be read at any time.
  std::uint32_t active_count() const { return active_count_; }
  std::uint32_t inactive_count() const { return inactive_count_; }
  std::uint32_t wired_count() const { return wired_count_; }
  const locking::Relaxed<std::uint32_t>& cache_count() const { return cache_count_; }

 private:
  // Locks on cache lines of their own.
  static constexpr std::uint32_t kPageLocks = 64;
  struct alignas(64) PooledLock {
    explicit PooledLock(std::uint32_t number);
    PageRole lock;
  };

  void NoteReactivated(const Page& page) LOCKING_REQUIRES(page_role);
  // Off its queue, and to another one, unless that is kNone.
  void Move(Page& page, PageQueue to, Where where) LOCKING_REQUIRES(page_role);
  void Link(Page& page, PageQueue queue, Where where) LOCKING_REQUIRES(page_role, lock);
  void Unlink(Page& page) LOCKING_REQUIRES(page_role, lock);
  void Flush(PageBatch& batch) LOCKING_REQUIRES(lock);
  Page* BehindMarker(Page& marker) LOCKING_REQUIRES(lock);
  PageList& ListOf(PageQueue queue, const Page& page) LOCKING_REQUIRES(lock);
  locking::Relaxed<std::uint32_t>& CountOf(PageQueue queue);

  Counters& counters_;
  mutable std::vector<PooledLock> page_locks_;  // in the dialect per-page
  std::uint32_t dont_need_count_ LOCKING_GUARDED_BY(lock) = 0;
  PageList active_ LOCKING_GUARDED_BY(lock);
  PageList inactive_ LOCKING_GUARDED_BY(lock);
  ColoredPages cache_ LOCKING_GUARDED_BY(lock);
  const std::uint32_t batch_pages_;
  PageBatches batches_;
  // Written under lock, read by anyone. Markers are not counted.
  locking::Relaxed<std::uint32_t> active_count_;
  locking::Relaxed<std::uint32_t> inactive_count_;
  locking::Relaxed<std::uint32_t> cache_count_;
  locking::Relaxed<std::uint32_t> wired_count_;
};

}  // namespace vm

#endif  // VM_PAGE_QUEUES_H_
