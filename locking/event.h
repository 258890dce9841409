// Event: happens once. One thread has promised to set it; those that wait go on from then on.
//
// What comes after the wait comes after all that was done before the event was set, in every
// schedule: the witness orders by it as it does by spawn and join.
//
// Thread safety: that is its purpose. Must outlive the last call of Set or Wait.
#ifndef LOCKING_EVENT_H_
#define LOCKING_EVENT_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "locking/atomic.h"
#include "locking/moment.h"
#include "locking/resource.h"
#include "locking/sleep_queue.h"

namespace locking {

class Event {
 public:
  // `resource_class` is of kind kResource.
  explicit Event(const LockClass& resource_class, std::uint32_t instance = 0)
      : class_(resource_class), instance_(instance) {}
  Event(const Event&) = delete;

  // The caller is the one that will set it. LK01 when there is one already.
  void Promise(Site site = Site::current());
  // LK01 when the caller did not promise it, or has set it already.
  void Set(Site site = Site::current());
  // Returns once it is set.
  //   locked on entry and return: sleepable locks. Sleeps.
  void Wait(Site site = Site::current());
  // Orders nothing: who looks may find either.
  bool IsSet(Site site = Site::current()) const {
    return set_.Load(std::memory_order_acquire, site);
  }

 private:
  void Misused(const char* how, Site site) const;

  const LockClass& class_;
  const std::uint32_t instance_;
  SleepQueue sleepers_;
  Atomic<bool> set_{false};
  std::atomic<std::uint32_t> signaller_{kNobody};
  // Written before set_.
  Witness* witness_ = nullptr;
  std::shared_ptr<const Moment> moment_;
};

}  // namespace locking

#endif  // LOCKING_EVENT_H_
