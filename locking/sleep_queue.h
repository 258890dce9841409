// SleepQueue: sleep on a channel (an address) until somebody wakes it, with a lock as the interlock
// under which the condition was tested. The interlock is released only once the caller is queued,
// so a wakeup made under the interlock cannot be missed.
//
// A sleep never says "ok": its result says that whatever was looked up before must be looked up
// again.
//
// Thread safety: all functions may be called by any thread.
#ifndef LOCKING_SLEEP_QUEUE_H_
#define LOCKING_SLEEP_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "locking/annotations.h"
#include "locking/executor.h"
#include "locking/mutex.h"
#include "locking/resource.h"
#include "locking/role.h"
#include "locking/rw_mutex.h"
#include "locking/spin_mutex.h"
#include "locking/thread_state.h"

namespace locking {

enum class WakeReason : std::uint8_t { kWoken, kTimedOut };

// What a sleep returns: nothing that was looked up before it may be used.
struct [[nodiscard]] LookUpAgain {
  WakeReason reason;
  // For callers whose loop looks everything up again anyway.
  void AndRetry() const {}
};

class SleepQueue {
 public:
  SleepQueue() = default;
  ~SleepQueue();
  SleepQueue(const SleepQueue&) = delete;

  // The interlock is held on return.
  //   locked on entry: interlock (and sleepable locks); locked on return: the same. Sleeps.
  // `deadline_ns` is a time of Clock::NowNs.
  LookUpAgain SleepKeep(const void* channel, Mutex& interlock, const Resource& resource,
                        std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_REQUIRES(interlock);
  LookUpAgain SleepKeep(const void* channel, SpinMutex& interlock, const Resource& resource,
                        std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_REQUIRES(interlock);
  LookUpAgain SleepKeep(const void* channel, RwMutex& interlock, const Resource& resource,
                        std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_REQUIRES(interlock);

  // The interlock is released and stays so.
  //   locked on entry: interlock (and sleepable locks); locked on return: sleepable ones. Sleeps.
  LookUpAgain SleepDrop(const void* channel, Mutex& interlock, const Resource& resource,
                        std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_RELEASE(interlock);
  LookUpAgain SleepDrop(const void* channel, SpinMutex& interlock, const Resource& resource,
                        std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_RELEASE(interlock);
  LookUpAgain SleepDrop(const void* channel, RwMutex& interlock, const Resource& resource,
                        std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_RELEASE(interlock);
  LookUpAgain SleepDropShared(const void* channel, RwMutex& interlock, const Resource& resource,
                              std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_RELEASE_SHARED(interlock);
  // The same with a role.
  template <typename Own>
  LookUpAgain SleepDrop(const void* channel, Role<Own>& interlock, const Resource& resource,
                        std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_RELEASE(interlock) LOCKING_NO_ANALYSIS {
    if (interlock.giant_ == nullptr)
      return SleepDrop(channel, static_cast<Own&>(interlock), resource, deadline_ns, site);
    Mutex& mutex = interlock.giant_->LeaveToSleep(interlock.Taken(), site);
    return SleepDrop(channel, mutex, resource, deadline_ns, site);
  }
  template <typename Own>
  LookUpAgain SleepKeep(const void* channel, Role<Own>& interlock, const Resource& resource,
                        std::uint64_t deadline_ns = kNoDeadline, Site site = Site::current())
      LOCKING_REQUIRES(interlock) LOCKING_NO_ANALYSIS {
    const LookUpAgain slept = SleepDrop(channel, interlock, resource, deadline_ns, site);
    interlock.Lock(site);
    return slept;
  }

  // Without an interlock, unless `ready` says that there is nothing to wait for. It is asked once
  // the caller is queued, so a wakeup made after what makes it true cannot be missed; it only
  // reads.
  //   locked on entry and return: sleepable locks. Sleeps. The caller has called BeforeWait.
  LookUpAgain SleepUnless(const void* channel, const std::function<bool()>& ready,
                          const Resource& resource, Site site = Site::current());

  // Wakes the thread that has slept longest on `channel`, or all of them. Returns how many.
  std::uint32_t WakeOne(const void* channel, Site site = Site::current());
  std::uint32_t WakeAll(const void* channel, Site site = Site::current());
  // Whether somebody sleeps on `channel` now; for checks.
  bool HasSleepers(const void* channel) const;

 private:
  struct Bucket {
    mutable std::atomic<bool> locked{false};
    ThreadState* head = nullptr;  // in order of arrival, all channels of the bucket
    ThreadState* tail = nullptr;
  };
  static constexpr std::uint32_t kBuckets = 32;

  Bucket& BucketOf(const void* channel) const;
  void Enqueue(ThreadState& self, const void* channel);
  // Under the lock of the bucket.
  static void Dequeue(Bucket& bucket, ThreadState& self);
  // Waits until signalled or timed out; removes itself in the latter case.
  WakeReason Wait(ThreadState& self, const void* channel, std::uint64_t deadline_ns);
  std::uint32_t Wake(const void* channel, std::uint32_t most, Site site);
  template <typename Release>
  LookUpAgain SleepWith(const void* channel, const LockBase& interlock, const Resource& resource,
                        std::uint64_t deadline_ns, Site site, Release release);

  mutable Bucket buckets_[kBuckets];
};

}  // namespace locking

#endif  // LOCKING_SLEEP_QUEUE_H_
