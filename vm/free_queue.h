// The free frames of the machine, the pages freed while held, and the two channels on which threads
// wait for free pages. Where frames are reserved for objects (reservation.h), those that are kept
// for one are free too, and counted, but on no list.
//
//   colour 0   [plain] [plain] ... [zeroed] [zeroed]
//   colour 1   [plain] ... [zeroed]                     a list for each (page_colors.h)
//   ...         head          tail                      zeroed frames are handed out from the tail
//
// While there are plenty, plain pages come and go in batches (page_batch.h): a page on a batch is
// free and not counted. One is filled with the colours that follow the wanted one, and then hands
// out what it has. The page daemon begins each pass by putting them back.
//
// The zeroing thread (page_zeroing.h) takes plain pages while there are more free ones than the
// page daemon aims at, and puts them back zeroed; it is woken below kZeroedLow and rests from
// kZeroedHigh on.
//
// Thread safety: guarded by one spin lock, a leaf; it is the interlock of the free-page sleeps.
// Counts may be read at any time.
//
// Follows vm_page.c:787 (allocation), :938 (vm_wait), :1024 (wakeups), :1057 (free).
#ifndef VM_FREE_QUEUE_H_
#define VM_FREE_QUEUE_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "locking/annotations.h"
#include "locking/relaxed.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "vm/free_frames.h"
#include "vm/page.h"
#include "vm/page_batch.h"
#include "vm/thresholds.h"

namespace vm {

enum class AllocClass : std::uint8_t {
  kNormal,     // leaves free_reserved pages alone
  kSystem,     // digs deeper, while the cache queue is empty
  kInterrupt,  // takes the last page
};

// Parts of the free pages that are kept zeroed (vm_zeroidle.c).
constexpr std::uint32_t ZeroedLow(std::uint32_t free) { return free * 2 / 3; }
constexpr std::uint32_t ZeroedHigh(std::uint32_t free) { return free * 4 / 5; }

class FreeQueue {
 public:
  // `cached`: pages on the cache queue, which count as available.
  // Runs of `reservation_pages` of the machine's `pages` can be reserved; 0: none.
  FreeQueue(const Thresholds& thresholds, const locking::Relaxed<std::uint32_t>& cached,
            locking::SleepQueue& sleep_queue, std::span<Page> pages,
            std::uint32_t reservation_pages, Counters& counters);

  // Machine start: these frames are free too. They are handed out behind those of earlier calls,
  // the lowest first. Nobody else runs yet.
  void Fill(std::span<Page> pages) LOCKING_NO_ANALYSIS;

  // What TryTake found.
  enum class Verdict : std::uint8_t { kTaken, kReclaimCache, kGiveUp };
  struct Taken {
    Verdict verdict;
    Page* page;  // off the list, when kTaken
  };
  // One attempt under the rules of `alloc_class`, for the page that is reserved for the place, or
  // one of `color` if there is one (page_colors.h). kReclaimCache: the caller frees a cache page
  // and tries again; kGiveUp: there is none to be had.
  Taken TryTake(AllocClass alloc_class, bool prefer_zeroed, std::uint64_t color = 0,
                const ReservationPlace& place = {}) LOCKING_EXCLUDES(lock_);
  // Puts the pages of all batches back, and wakes whoever waits for as many.
  void DrainBatches() LOCKING_EXCLUDES(lock_);
  // An allocation failed: the page daemon must free one more than it meant to.
  void NoteDeficit() LOCKING_EXCLUDES(lock_);
  // Returns the deficit so far and starts it again at 0.
  std::uint32_t TakeDeficit() LOCKING_EXCLUDES(lock_);

  // All of `run` at once, if each is on the free queue or kept by a reservation, which is broken,
  // and enough are left for AllocClass::kNormal.
  struct RunTaken {
    std::uint32_t
        pages;      // of the run that were there: all, or how many stand before the first missing
    bool shortage;  // all were there, and too few would be left
  };
  RunTaken TryTakeRun(std::span<Page> run) LOCKING_EXCLUDES(lock_);
  // `page` has no owner, queue, mapping, wiring or waiter (INV-01). Held pages go to the hold list,
  // those of a run that is reserved to the reservation. Wakes whoever waits for free pages when
  // there are enough.
  void Put(Page& page) LOCKING_EXCLUDES(lock_);
  // The last hold of a page on the hold list is gone.
  void PutUnheld(Page& page) LOCKING_EXCLUDES(lock_);
  // A page went to the cache queue: whoever waits may go on.
  void NoteCached() LOCKING_EXCLUDES(lock_);

  // Whether runs are reserved for objects.
  bool reserves() const LOCKING_NO_ANALYSIS { return frames_.reserves(); }
  // The object ends: none of its reservations is left. It is locked exclusively.
  void BreakReservations(Object& object) LOCKING_EXCLUDES(lock_);
  // The page was moved, to an offset that is `distance` less: a reservation of the first object
  // that it is of goes along. Both are locked exclusively.
  void RenameReservation(const Page& page, const Object& from, Object& to, Pindex distance)
      LOCKING_EXCLUDES(lock_);

  // Wakes the page daemon if it sleeps for work.
  void WakeDaemon() LOCKING_EXCLUDES(lock_);

  enum class Waiter : std::uint8_t {
    kDaemon,  // vm_wait by the page daemon: its own channel, woken at pageout_free_min
    kSystem,  // vm_wait
    kFault,   // vm_waitpfault: woken after all kSystem waiters
  };
  // Sleeps until pages were freed, unless there are enough already. May return early.
  //   kOk: try again. kOutOfMemory: the page daemon decided meanwhile that there are none to be
  //   had, or it has stopped and there are too few: give up. locked on entry and return: nothing
  //   but sleepable locks. Sleeps.
  [[nodiscard]] Result WaitForPages(Waiter waiter, const char* message) LOCKING_EXCLUDES(lock_);
  // Page daemon: nothing can be freed. Whoever waits now fails with kOutOfMemory, unless there are
  // enough pages after all; whoever waits later wakes the daemon, which tries anew. Returns whether
  // it was so.
  bool DeclareOutOfMemory() LOCKING_EXCLUDES(lock_);
  // Page daemon: wakes waiting threads if it may, then sleeps until it is needed again, or until
  // Stop. Returns false when stopped.
  bool WaitForWork() LOCKING_EXCLUDES(lock_);
  // Keeps the page daemon in WaitForWork until Resume, and returns once it is there; nothing when
  // there is none. Nobody may wait for pages meanwhile. Sleeps.
  void Pause() LOCKING_EXCLUDES(lock_);
  void Resume() LOCKING_EXCLUDES(lock_);
  // There is a page daemon (again).
  void Start() LOCKING_EXCLUDES(lock_);
  // The page daemon's WaitForWork returns false from now on; waiters are woken with nothing.
  void Stop() LOCKING_EXCLUDES(lock_);
  bool stopped() LOCKING_EXCLUDES(lock_);

  // For the zeroing thread: sleeps until there are pages worth zeroing, and takes one, which stays
  // free in all but its list; nullptr once StopZeroing was called.
  Page* TakeToZero() LOCKING_EXCLUDES(lock_);
  // The page reads as zero now.
  void PutZeroed(Page& page) LOCKING_EXCLUDES(lock_);
  void StartZeroing() LOCKING_EXCLUDES(lock_);
  void StopZeroing() LOCKING_EXCLUDES(lock_);
  // None is out to be zeroed on return, nor until ResumeZeroing. Sleeps.
  void PauseZeroing() LOCKING_EXCLUDES(lock_);
  void ResumeZeroing() LOCKING_EXCLUDES(lock_);

  std::uint32_t free_count() const LOCKING_NO_ANALYSIS { return frames_.count(); }
  // Of the free ones: those that read as zero, kept ones aside; those that reservations keep.
  std::uint32_t zeroed_count() const LOCKING_NO_ANALYSIS { return frames_.zeroed_count(); }
  std::uint32_t kept_count() const LOCKING_NO_ANALYSIS { return frames_.kept_count(); }
  std::uint32_t held_count() const { return held_count_; }
  const Thresholds& thresholds() const { return thresholds_; }
  // vm_paging_needed: free and cached pages are below what the daemon is woken at.
  bool PagingNeeded() const {
    return free_count() + cached() < thresholds_.free_reserved + thresholds_.cache_min;
  }
  // vm_page_count_min: too few for waiting threads to go on.
  bool BelowMin() const { return free_count() + cached() < thresholds_.free_min; }
  // vm_paging_target: so many more should be freed; may be negative.
  std::int64_t PagingTarget() const {
    return std::int64_t{thresholds_.free_target} + thresholds_.cache_min - free_count() - cached();
  }

  // For sweeps: visits every free, then every held page, with the list it is on.
  template <typename Visit>
  void ForEach(Visit visit) LOCKING_EXCLUDES(lock_) {
    locking::SpinGuard guard(lock_);
    frames_.ForEach(visit);
    for (Page& page : held_) visit(page, PageQueue::kHold);
  }
  // The same: shows them all, reservations included.
  template <typename Look>
  void LookAtFrames(Look look) LOCKING_EXCLUDES(lock_) {
    locking::SpinGuard guard(lock_);
    look(std::as_const(frames_));
  }

  // The page that the caller's thread is likely to get next, or nullptr. A guess.
  const Page* Upcoming() const { return batches_[OwnBatch()].upcoming; }

 private:
  struct Wakeups {
    bool daemon = false;
    bool waiters = false;
    bool zeroing = false;
  };
  Taken TakeLocked(AllocClass alloc_class, bool prefer_zeroed, std::uint64_t color)
      LOCKING_REQUIRES(lock_);
  bool MayTake(AllocClass alloc_class) const;
  // Whether there are more free pages than are kept for others.
  bool Plenty() const { return free_count() > thresholds_.free_reserved; }
  Page* TakeReserved(AllocClass alloc_class, const ReservationPlace& place) LOCKING_EXCLUDES(lock_);
  void RequireReserve(AllocClass alloc_class) const;
  // How many free pages one of that class must leave (INV-26).
  std::uint32_t ReserveOf(AllocClass alloc_class) const;
  Page* TakeFromBatch();
  void FillBatch(std::uint64_t color) LOCKING_EXCLUDES(lock_);
  // Up to batch_pages plain pages, of as many colours as possible from `color` on.
  void GatherBatch(std::uint64_t color, PageList* pages) LOCKING_REQUIRES(lock_);
  void PutInBatch(Page& page) LOCKING_EXCLUDES(lock_);
  void PutAll(PageList& pages) LOCKING_EXCLUDES(lock_);
  // Free pages that no reservation keeps; without the lock the two counts may not be of one moment.
  std::uint32_t listed_count() const {
    const std::uint32_t free = free_count();
    return free - std::min(free, kept_count());
  }
  // Whether there are plenty, so that nobody waits for those on a batch.
  bool PlentyForBatches() const {
    return thresholds_.batch_pages > 1 && listed_count() > thresholds_.batch_floor;
  }
  void PutLocked(Page& page) LOCKING_REQUIRES(lock_);
  bool FitsBatch(const Page& page) const LOCKING_NO_ANALYSIS;
  std::uint32_t cached() const { return cached_; }
  Wakeups DueWakeups() LOCKING_REQUIRES(lock_);
  // vm_page_zero_check.
  bool WorthZeroing() LOCKING_REQUIRES(lock_);
  Page* NextToZero() LOCKING_REQUIRES(lock_);
  void Wake(const Wakeups& wakeups) LOCKING_EXCLUDES(lock_);

  const Thresholds thresholds_;
  const locking::Relaxed<std::uint32_t>& cached_;
  locking::SleepQueue& sleep_queue_;
  locking::SpinMutex lock_;
  FreeFrames frames_ LOCKING_GUARDED_BY(lock_);
  PageList held_ LOCKING_GUARDED_BY(lock_);
  PageBatches batches_;
  locking::Relaxed<std::uint32_t> held_count_;  // written under lock_, read by anyone
  std::uint32_t deficit_ LOCKING_GUARDED_BY(lock_) = 0;
  // Decisions so far: a waiter fails that finds another number after its sleep than before.
  std::uint32_t out_of_memory_count_ LOCKING_GUARDED_BY(lock_) = 0;
  bool stopped_ LOCKING_GUARDED_BY(lock_) = true;         // there is no daemon
  bool daemon_needed_ LOCKING_GUARDED_BY(lock_) = false;  // vm_pages_needed
  bool daemon_waits_ LOCKING_GUARDED_BY(lock_) = false;   // vm_pageout_pages_needed
  bool daemon_idle_ LOCKING_GUARDED_BY(lock_) = false;    // in WaitForWork
  bool paused_ LOCKING_GUARDED_BY(lock_) = false;
  enum class Zeroing : std::uint8_t {
    kStopped,
    kWaiting,  // for pages
    kAtWork,   // a page is out
  };
  Zeroing zeroing_ LOCKING_GUARDED_BY(lock_) = Zeroing::kStopped;
  bool zeroing_stops_ LOCKING_GUARDED_BY(lock_) = true;
  bool zeroing_paused_ LOCKING_GUARDED_BY(lock_) = false;
  bool zeroed_enough_ LOCKING_GUARDED_BY(lock_) = false;       // until ZeroedLow
  std::uint32_t zeroing_color_ LOCKING_GUARDED_BY(lock_) = 0;  // of the next one to zero
  // Wait channels.
  char daemon_work_channel_ = 0;
  char daemon_idle_channel_ = 0;
  char daemon_pages_channel_ = 0;
  char system_channel_ = 0;
  char fault_channel_ = 0;
  char zeroing_channel_ = 0;
  char zeroing_idle_channel_ = 0;
};

}  // namespace vm

#endif  // VM_FREE_QUEUE_H_
