#include "locking/sleep_queue.h"

#include <sched.h>

#include "locking/futex.h"
#include "locking/interrupt_state.h"
#include "locking/witness.h"

namespace locking {
namespace {

// A bucket's own lock is below everything: it is no scheduling point and no witness sees it.
class BucketGuard {
 public:
  explicit BucketGuard(std::atomic<bool>& locked) : locked_(locked) {
    for (int spins = 0; locked_.exchange(true, std::memory_order_acquire); ++spins) {
      if (spins > kMaxSpinPauses)
        sched_yield();
      else
        CpuPause();
    }
  }
  ~BucketGuard() { locked_.store(false, std::memory_order_release); }
  BucketGuard(const BucketGuard&) = delete;

 private:
  std::atomic<bool>& locked_;
};

// Native: sleeps until the token says unparked, and takes it.
bool ParkNative(ThreadState& self, std::uint64_t deadline_ns) {
  for (;;) {
    const std::uint32_t token = self.park_token.exchange(0, std::memory_order_acquire);
    if ((token & kParkUnparked) != 0) return true;
    if (token != 0) {
      if (Watched(kWatchInterrupts))
        interrupts::AtPoint(self, self.waiting.site.load(std::memory_order_relaxed));
      continue;
    }
    if (!FutexWait(self.park_token, 0, deadline_ns))
      return (self.park_token.exchange(0, std::memory_order_acquire) & kParkUnparked) != 0;
  }
}

void Unpark(ThreadState& thread) {
  if (thread.executor != nullptr) {
    thread.executor->Unpark(thread);
    return;
  }
  thread.park_token.store(kParkUnparked, std::memory_order_release);
  FutexWake(thread.park_token, 1);
}

}  // namespace

SleepQueue::~SleepQueue() {
  for (Bucket& bucket : buckets_) {
    if (bucket.head == nullptr) continue;
    ThreadState& self = Self();
    if (self.executor != nullptr && self.executor->abandoned()) return;
    FailInvariant("LK10",
                  "a sleep queue is destroyed while " + bucket.head->name + " sleeps on it");
  }
}

SleepQueue::Bucket& SleepQueue::BucketOf(const void* channel) const {
  const std::uint64_t hash = reinterpret_cast<std::uintptr_t>(channel) * 0x9E3779B97F4A7C15ull;
  return buckets_[(hash >> 40) % kBuckets];
}

void SleepQueue::Enqueue(ThreadState& self, const void* channel) {
  Bucket& bucket = BucketOf(channel);
  BucketGuard guard(bucket.locked);
  self.wait_channel = channel;
  self.wait_signalled = false;
  self.wait_next = nullptr;
  if (bucket.tail == nullptr)
    bucket.head = &self;
  else
    bucket.tail->wait_next = &self;
  bucket.tail = &self;
}

WakeReason SleepQueue::Wait(ThreadState& self, const void* channel, std::uint64_t deadline_ns) {
  Bucket& bucket = BucketOf(channel);
  for (;;) {
    const bool unparked =
        self.executor != nullptr ? self.executor->Park(deadline_ns) : ParkNative(self, deadline_ns);
    BucketGuard guard(bucket.locked);
    if (self.wait_signalled) return WakeReason::kWoken;
    if (unparked && !(self.executor != nullptr && self.executor->abandoned())) continue;
    Dequeue(bucket, self);
    return WakeReason::kTimedOut;
  }
}

void SleepQueue::Dequeue(Bucket& bucket, ThreadState& self) {
  ThreadState* previous = nullptr;
  for (ThreadState* t = bucket.head; t != nullptr; previous = t, t = t->wait_next) {
    if (t != &self) continue;
    (previous == nullptr ? bucket.head : previous->wait_next) = self.wait_next;
    if (bucket.tail == &self) bucket.tail = previous;
    return;
  }
}

std::uint32_t SleepQueue::Wake(const void* channel, std::uint32_t most, Site site) {
  if (t_word.watch != 0) watch::AtPoint(Self(), PointKind::kWakeup, channel, nullptr, site);
  Bucket& bucket = BucketOf(channel);
  ThreadState* woken_head = nullptr;
  ThreadState** woken_tail = &woken_head;
  std::uint32_t woken = 0;
  {
    BucketGuard guard(bucket.locked);
    ThreadState** link = &bucket.head;
    ThreadState* last = nullptr;
    while (*link != nullptr) {
      ThreadState* thread = *link;
      if (thread->wait_channel != channel || woken == most) {
        last = thread;
        link = &thread->wait_next;
        continue;
      }
      *link = thread->wait_next;
      thread->wait_next = nullptr;
      *woken_tail = thread;
      woken_tail = &thread->wait_next;
      ++woken;
    }
    bucket.tail = last;
    // A thread may leave as soon as it is unparked, and its descriptor with it: still under the
    // bucket's lock, which it takes before it leaves.
    for (ThreadState* thread = woken_head; thread != nullptr;) {
      ThreadState* next = thread->wait_next;
      thread->wait_signalled = true;
      thread->waiting.woken.store(true, std::memory_order_relaxed);
      Unpark(*thread);
      thread = next;
    }
  }
  return woken;
}

std::uint32_t SleepQueue::WakeOne(const void* channel, Site site) { return Wake(channel, 1, site); }
std::uint32_t SleepQueue::WakeAll(const void* channel, Site site) {
  return Wake(channel, ~0u, site);
}

bool SleepQueue::HasSleepers(const void* channel) const {
  const Bucket& bucket = BucketOf(channel);
  BucketGuard guard(bucket.locked);
  for (const ThreadState* t = bucket.head; t != nullptr; t = t->wait_next)
    if (t->wait_channel == channel) return true;
  return false;
}

template <typename Release>
LookUpAgain SleepQueue::SleepWith(const void* channel, const LockBase& interlock,
                                  const Resource& resource, std::uint64_t deadline_ns, Site site,
                                  Release release) {
  ThreadState& self = Self();
  if (Watched(kWatchInterrupts))
    interrupts::BeforeSleep(self, *resource.resource_class, resource.instance, site);
  if (self.run.witness != nullptr)
    self.run.witness->BeforeSleep(self, &interlock, resource, deadline_ns, site);
  WaitScope waiting(self, channel, resource, deadline_ns, site);
  Enqueue(self, channel);
  release();
  waiting.Settle();
  const WakeReason reason = Wait(self, channel, deadline_ns);
  if (self.executor != nullptr) self.executor->UnwindIfAbandoned();
  return LookUpAgain{reason};
}

LookUpAgain SleepQueue::SleepUnless(const void* channel, const std::function<bool()>& ready,
                                    const Resource& resource, Site site) {
  ThreadState& self = Self();
  WaitScope waiting(self, channel, resource, kNoDeadline, site);
  Enqueue(self, channel);
  if (ready()) {
    Bucket& bucket = BucketOf(channel);
    BucketGuard guard(bucket.locked);
    Dequeue(bucket, self);
    return LookUpAgain{WakeReason::kWoken};
  }
  waiting.Settle();
  const WakeReason reason = Wait(self, channel, kNoDeadline);
  if (self.executor != nullptr) self.executor->UnwindIfAbandoned();
  return LookUpAgain{reason};
}

LookUpAgain SleepQueue::SleepDrop(const void* channel, Mutex& interlock, const Resource& resource,
                                  std::uint64_t deadline_ns, Site site) LOCKING_NO_ANALYSIS {
  interlock.AssertHeld(site);
  return SleepWith(channel, interlock, resource, deadline_ns, site,
                   [&]() LOCKING_NO_ANALYSIS { interlock.Unlock(site); });
}
LookUpAgain SleepQueue::SleepDrop(const void* channel, SpinMutex& interlock,
                                  const Resource& resource, std::uint64_t deadline_ns,
                                  Site site) LOCKING_NO_ANALYSIS {
  interlock.AssertHeld(site);
  return SleepWith(channel, interlock, resource, deadline_ns, site,
                   [&]() LOCKING_NO_ANALYSIS { interlock.Unlock(site); });
}
LookUpAgain SleepQueue::SleepDrop(const void* channel, RwMutex& interlock, const Resource& resource,
                                  std::uint64_t deadline_ns, Site site) LOCKING_NO_ANALYSIS {
  interlock.AssertHeld(site);
  return SleepWith(channel, interlock, resource, deadline_ns, site,
                   [&]() LOCKING_NO_ANALYSIS { interlock.Unlock(site); });
}
LookUpAgain SleepQueue::SleepDropShared(const void* channel, RwMutex& interlock,
                                        const Resource& resource, std::uint64_t deadline_ns,
                                        Site site) LOCKING_NO_ANALYSIS {
  interlock.AssertHeldShared(site);
  return SleepWith(channel, interlock, resource, deadline_ns, site,
                   [&]() LOCKING_NO_ANALYSIS { interlock.UnlockShared(site); });
}

LookUpAgain SleepQueue::SleepKeep(const void* channel, Mutex& interlock, const Resource& resource,
                                  std::uint64_t deadline_ns, Site site) LOCKING_NO_ANALYSIS {
  const LookUpAgain slept = SleepDrop(channel, interlock, resource, deadline_ns, site);
  interlock.Lock(site);
  return slept;
}
LookUpAgain SleepQueue::SleepKeep(const void* channel, SpinMutex& interlock,
                                  const Resource& resource, std::uint64_t deadline_ns,
                                  Site site) LOCKING_NO_ANALYSIS {
  const LookUpAgain slept = SleepDrop(channel, interlock, resource, deadline_ns, site);
  interlock.Lock(site);
  return slept;
}
LookUpAgain SleepQueue::SleepKeep(const void* channel, RwMutex& interlock, const Resource& resource,
                                  std::uint64_t deadline_ns, Site site) LOCKING_NO_ANALYSIS {
  const LookUpAgain slept = SleepDrop(channel, interlock, resource, deadline_ns, site);
  interlock.Lock(site);
  return slept;
}

}  // namespace locking
