// The page daemon: keeps free and cached pages above their targets. It ages active pages by their
// references, deactivates what is not used, launders dirty inactive pages in clusters, and moves
// clean ones to the cache queue or frees them.
//
// Runs in a thread of its own with no lock held between pages. Object locks are only tried while
// page queues is held (wrong order): a page whose object is locked elsewhere is passed over. A
// marker page keeps its place in the queue while the lock is dropped.
//
// Dirty pages go to the laundry, which writes them in threads of its own: a slow store does not
// keep the daemon from what needs no write. It counts on the pages that are being written, until
// none has come back for kWritePatienceNs; from then on it looks for others, less and less choosy.
//
// A pass that did not free enough is followed by one of the next number, which is less choosy: from
// 1 on dirty pages get no second chance and laundering no limit, act counts decline faster and
// faster, and from kForcePass on references no longer protect a page. When even such passes come to
// nothing, the machine is out of memory: whoever waits for pages fails.
//
// Follows vm_pageout.c of the seeds' era.
#ifndef VM_PAGEOUT_H_
#define VM_PAGEOUT_H_

#include <cstdint>
#include <span>

#include "locking/relaxed.h"
#include "locking/thread.h"
#include "vm/laundry.h"
#include "vm/object.h"
#include "vm/page.h"
#include "vm/page_queues.h"
#include "vm/types.h"

namespace vm {

class System;

inline constexpr std::uint32_t kMaxLaunder = 32;          // clusters written by pass 0 at most
inline constexpr std::uint32_t kForcePass = 3;            // references no longer count
inline constexpr std::uint32_t kOutOfMemoryPasses = 6;    // so many in a row came to nothing
inline constexpr std::uint32_t kMaxDeclineDoublings = 6;  // of kActDecline, one a pass
inline constexpr std::uint32_t kNeighbours = 32;          // of one object, looked at together

// How long the daemon counts on writes that do not come to an end.
inline constexpr std::uint64_t kWritePatienceNs = 100'000'000;

class PageDaemon {
 public:
  explicit PageDaemon(System& system);
  ~PageDaemon();

  // Starts and ends the thread. Stop waits for its end.
  void Start();
  void Stop();
  // See System.
  void Pause();
  void Resume();

  // One pass, by the calling thread: `number` 0 first, higher ones are less choosy. Returns how
  // many pages were freed or cached. For the thread, and for tests.
  //   locked on entry and return: nothing. Sleeps.
  std::uint32_t Scan(std::uint32_t number);

  // Whether the calling thread is the daemon: its allocations are system-class (vm_page.c:815).
  bool CallerIsDaemon() const;

 private:
  // One pass: what it may do, and what it came to.
  struct Pass {
    std::uint32_t number = 0;
    std::uint32_t wanted = 0;       // pages to free
    std::uint32_t clusters = 0;     // that may still be written
    std::uint32_t to_inactive = 0;  // active pages to deactivate
    bool no_room = false;           // the laundry is full, and stays so
    std::uint32_t freed = 0;        // or cached
    std::uint32_t written = 0;
    std::uint32_t failed = 0;       // pages that could not be written
    std::uint32_t passed_over = 0;  // pages that were busy or whose object was locked elsewhere

    bool force() const { return number >= kForcePass; }
  };

  void Run();
  Pass RunPass(std::uint32_t number);
  void EmptyBatches();
  // Pages that the pass has yet to find, those aside that are expected from the laundry.
  std::uint32_t Missing(const Pass& pass) const;
  // Until when to wait for room in the laundry.
  std::uint64_t EndOfPatience() const;
  // Waits for the writes under way, as long as that is worth it, and counts what they came to.
  void WaitForWrites(Pass& pass);
  void TakeWritten(Pass& pass);
  void ScanInactive(Pass& pass);
  void ScanActive(Pass& pass);
  class ScanPlace;
  using Look = void (PageDaemon::*)(Object&, std::span<Page* const>, Pass&);
  // Goes on by one page, and over those of the same object that stand behind it, `most` in all;
  // calls `look` for those that are worth one, with their object locked. False at the end.
  bool Step(ScanPlace& place, std::uint32_t most, Pass& pass, Look look);
  // Whether a page is worth a look; the page queues are locked.
  bool Usable(const Object& object, const Page& page, Pass& pass) LOCKING_REQUIRES(object.lock);
  // At one page.
  void LookAtInactive(Object& object, std::span<Page* const> pages, Pass& pass)
      LOCKING_REQUIRES(object.lock);
  void LookAtDirty(Object& object, Page& page, Pass& pass) LOCKING_REQUIRES(object.lock);
  void LookAtActive(Object& object, std::span<Page* const> pages, Pass& pass)
      LOCKING_REQUIRES(object.lock);
  void Age(const Object& object, PageQueues& queues, Page& page, std::uint32_t references,
           Pass& pass) LOCKING_REQUIRES(object.lock, queues.page_role);

  System& system_;
  Laundry laundry_;
  // The writes under way are not counted on. Scans may run side by side; each believes the last.
  locking::Relaxed<bool> stalled_ = false;
  locking::Thread thread_;
  locking::Relaxed<std::uint32_t> thread_id_;
};

}  // namespace vm

#endif  // VM_PAGEOUT_H_
