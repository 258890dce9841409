// The page daemon: keeps free and cached pages above their targets. It ages active pages by their
// references, deactivates what is not used, launders dirty inactive pages in clusters, and moves
// clean ones to the cache queue or frees them.
//
// Runs in a thread of its own with no lock held between pages. Object locks are only tried while
// page queues is held (wrong order): a page whose object is busy elsewhere is passed over. A marker
// page keeps its place in the queue while the lock is dropped.
//
// Follows vm_pageout.c of the seeds' era.
#ifndef VM_PAGEOUT_H_
#define VM_PAGEOUT_H_

#include <cstdint>

#include "locking/thread.h"
#include "vm/page.h"
#include "vm/types.h"

namespace vm {

class System;

class PageDaemon {
 public:
  explicit PageDaemon(System& system);
  ~PageDaemon();

  // Starts and ends the thread. Stop waits for its end.
  void Start();
  void Stop();

  // One pass, by the calling thread: `pass` 0 first, higher ones launder more. Returns how many
  // pages were freed or cached. For the thread, and for tests.
  //   locked on entry and return: nothing. Sleeps.
  std::uint32_t Scan(std::uint32_t pass);

  // Whether the calling thread is the daemon: its allocations are system-class (vm_page.c:815).
  bool CallerIsDaemon() const;

 private:
  void Run();
  std::uint32_t ScanInactive(std::uint32_t target, std::uint32_t pass);
  void ScanActive(std::uint32_t target);

  System& system_;
  locking::Thread thread_;
  std::atomic<std::uint32_t> thread_id_{0};
  std::uint32_t failed_passes_ = 0;
};

}  // namespace vm

#endif  // VM_PAGEOUT_H_
