// Semaphore: a number of units, of which threads take one each. Used in one of two ways:
//
//   Acquire and Release   a unit is held, and given back by the thread that took it
//   Take and Give         a unit is taken for good, and new ones come from whoever makes them; who
//                         has promised to is a Signaller (resource.h) of the semaphore's address
//
// Not fair: a thread that comes may take a unit before one that was woken.
//
// Thread safety: that is its purpose. Must outlive the last call of each.
#ifndef LOCKING_SEMAPHORE_H_
#define LOCKING_SEMAPHORE_H_

#include <atomic>
#include <cstdint>

#include "locking/atomic.h"
#include "locking/resource.h"
#include "locking/sleep_queue.h"

namespace locking {

class Semaphore {
 public:
  // `resource_class` is of kind kResource.
  Semaphore(const LockClass& resource_class, std::uint32_t units, std::uint32_t instance = 0)
      : class_(resource_class), instance_(instance), capacity_(units), units_(units) {}
  Semaphore(const Semaphore&) = delete;

  // Both wait for a unit.
  //   locked on entry and return: sleepable locks. Sleep.
  void Acquire(Site site = Site::current());
  void Take(Site site = Site::current());
  // Never waits. False: there is no unit.
  bool TryAcquire(Site site = Site::current());
  // LK01 when the caller is watched and holds none.
  void Release(Site site = Site::current());
  void Give(Site site = Site::current());

 private:
  bool TryTake(Site site);
  void Hold(Site site);

  const LockClass& class_;
  const std::uint32_t instance_;
  const std::uint32_t capacity_;
  Atomic<std::uint32_t> units_;
  // Who holds the only unit; kNobody where there are more.
  std::atomic<std::uint32_t> holder_{kNobody};
  SleepQueue sleepers_;
};

}  // namespace locking

#endif  // LOCKING_SEMAPHORE_H_
