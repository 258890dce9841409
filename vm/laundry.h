// The laundry: clusters of dirty pages on their way to swap or to their files, and the threads that
// write them for the page daemon. At most kMaxWrites at a time.
//
// Without its threads, a cluster is written by the caller at once.
//
// Thread safety: all functions may be called by any thread, Start and Stop by one. The lock is a
// leaf, and not held over a write.
//
// Follows the asynchronous writes of swap_pager.c (nsw_wcount_async).
#ifndef VM_LAUNDRY_H_
#define VM_LAUNDRY_H_

#include <array>
#include <cstdint>
#include <deque>
#include <memory>

#include "locking/annotations.h"
#include "locking/relaxed.h"
#include "locking/sleep_queue.h"
#include "locking/thread.h"
#include "vm/object.h"
#include "vm/reclaim.h"

namespace vm {

inline constexpr std::uint32_t kMaxWrites = 4;       // clusters under way
inline constexpr std::uint32_t kLaundryThreads = 2;  // that write them

class Laundry {
 public:
  explicit Laundry(System& system);
  ~Laundry();
  Laundry(const Laundry&) = delete;

  void Start() LOCKING_EXCLUDES(lock_);
  // Returns once everything under way is written.
  void Stop() LOCKING_EXCLUDES(lock_);

  // Writes `page` with its neighbours (BeginLaundering), and then gives back at most `wanted`. A
  // page of a file may turn out not to need it by the time that the file is locked.
  //   locked on entry and return: object; dropped and retaken: look everything up again. Sleeps
  //   when there are no threads.
  void Launder(Object& object, Page& page, std::uint32_t wanted) LOCKING_REQUIRES(object.lock)
      LOCKING_EXCLUDES(lock_);
  // What has been written since the last call.
  Laundered TakeLaundered() LOCKING_EXCLUDES(lock_);

  // Sleep until there is room for one more; until nothing is under way. False: not at
  // `deadline_ns`.
  //   locked on entry and return: nothing. Sleep.
  bool WaitForRoom(std::uint64_t deadline_ns) LOCKING_EXCLUDES(lock_);
  bool WaitForWrites(std::uint64_t deadline_ns) LOCKING_EXCLUDES(lock_);

  // May be read at any time.
  std::uint32_t pages_under_way() const { return pages_under_way_; }

 private:
  struct Load {
    Object* object = nullptr;  // has paging in progress
    std::uint32_t wanted = 0;
    WriteOut write;
    // Of a file instead: it is held, and only its lock makes it possible to begin.
    Vnode* vnode = nullptr;
    Pindex pindex = 0;

    std::uint32_t pages() const { return vnode != nullptr ? 1 : write.page_count; }
  };

  void Work() LOCKING_EXCLUDES(lock_);
  Laundered Finish(Load& load) LOCKING_EXCLUDES(lock_);
  // Gives `load` to the threads. False: there are none, and it is still the caller's.
  bool HandOver(std::unique_ptr<Load>* load) LOCKING_EXCLUDES(lock_);
  std::unique_ptr<Load> NextLoad() LOCKING_EXCLUDES(lock_);
  void NoteEnd(const Laundered& laundered) LOCKING_REQUIRES(lock_);
  bool WaitUntilBelow(std::uint32_t writes, std::uint64_t deadline_ns) LOCKING_EXCLUDES(lock_);

  System& system_;
  MutexRole lock_;
  std::deque<std::unique_ptr<Load>> queue_ LOCKING_GUARDED_BY(lock_);
  bool running_ LOCKING_GUARDED_BY(lock_) = false;
  Laundered laundered_ LOCKING_GUARDED_BY(lock_);  // and not taken yet
  // Written under lock_, read by anyone.
  locking::Relaxed<std::uint32_t> writes_under_way_;
  locking::Relaxed<std::uint32_t> pages_under_way_;
  locking::Relaxed<bool> ended_;  // laundered_ holds something
  std::array<locking::Thread, kLaundryThreads> threads_;
  // Wait channels.
  char work_channel_ = 0;
  char done_channel_ = 0;
};

}  // namespace vm

#endif  // VM_LAUNDRY_H_
