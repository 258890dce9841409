// SafePoint: stops all workers between two operations, so that the whole machine can be checked.
//
// Thread safety: AtOperationEnd and Leave by the workers; the rest by the one thread that controls
// the run.
#ifndef STRESS_RUN_SAFE_POINT_H_
#define STRESS_RUN_SAFE_POINT_H_

#include <cstdint>

#include "locking/atomic.h"
#include "locking/mutex.h"
#include "locking/sleep_queue.h"

namespace stress {

class SafePoint {
 public:
  explicit SafePoint(std::uint32_t workers);

  // Parks the worker while a stop is asked for; costs one relaxed load otherwise.
  void AtOperationEnd() {
    if (asked_.Peek()) [[unlikely]]
      Park();
  }
  // The worker has ended.
  void Leave() LOCKING_EXCLUDES(lock_);

  // Asks all workers to park, and waits for it until `deadline_ns`. False: some did not come; they
  // all go on then.
  bool StopAll(std::uint64_t deadline_ns) LOCKING_EXCLUDES(lock_);
  void Resume() LOCKING_EXCLUDES(lock_);
  // Waits until all workers have left; false: some have not at `deadline_ns`.
  bool WaitForEnd(std::uint64_t deadline_ns) LOCKING_EXCLUDES(lock_);
  std::uint32_t active() const LOCKING_EXCLUDES(lock_);

 private:
  void Park() LOCKING_EXCLUDES(lock_);
  void ResumeLocked() LOCKING_REQUIRES(lock_);

  locking::Atomic<bool> asked_{false};  // written under lock_
  mutable locking::Mutex lock_;
  locking::SleepQueue sleepers_;
  std::uint32_t active_ LOCKING_GUARDED_BY(lock_);
  std::uint32_t parked_ LOCKING_GUARDED_BY(lock_) = 0;
};

}  // namespace stress

#endif  // STRESS_RUN_SAFE_POINT_H_
