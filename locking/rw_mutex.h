// RwMutex: many readers or one writer. Fair: a waiting writer or upgrader blocks new readers,
// unless the class is recursive-read. Sleepable, mutex or spin kind, by its class; whoever waits
// gives its processor away, whatever the kind.
//
// A lock that has been read many times without a write between becomes biased: its readers no
// longer write to it, each says so in a slot of its own thread (reader_slots.h). The next writer
// takes that back, which costs it two microseconds. While it looks for readers no new ones enter,
// so locks of a recursive-read class are never biased.
#ifndef LOCKING_RW_MUTEX_H_
#define LOCKING_RW_MUTEX_H_

#include <atomic>
#include <cstdint>

#include "locking/annotations.h"
#include "locking/asymmetric_barrier.h"
#include "locking/mutex.h"
#include "locking/reader_slots.h"
#include "locking/watch.h"

namespace locking {

class LOCKING_CAPABILITY("rw_mutex") RwMutex : public LockBase {
 public:
  explicit RwMutex(const LockClass& lock_class, std::uint32_t instance = 0)
      : LockBase(lock_class, instance) {}
  ~RwMutex() {
    const bool held = (state_.load(std::memory_order_relaxed) & (kReaders | kWriter)) != 0;
    if (held || Watched(kWatchWitness)) [[unlikely]]
      watch::Destroyed(*this, held ? watch::Usage::kInUse : watch::Usage::kFree);
  }

  // Exclusive. May block; LK01 when the caller holds it exclusively already.
  void Lock(Site site = Site::current()) LOCKING_ACQUIRE() {
    ClassCount* count = watch::CountOf(*this);
    if (t_word.watch != 0 || !TakeUnused()) [[unlikely]] {
      LockSlow(site);
      return;
    }
    watch::Count(*this, count);
    SetOwner(t_word.id);
  }
  bool TryLock(Site site = Site::current()) LOCKING_TRY_ACQUIRE(true);
  void Unlock(Site site = Site::current()) LOCKING_RELEASE() {
    if (t_word.watch != 0 || !OwnedByCaller()) [[unlikely]] {
      UnlockSlow(site);
      return;
    }
    ReleaseExclusive();
  }

  // Shared. May block. Recursion only in a recursive-read class.
  void LockShared(Site site = Site::current()) LOCKING_ACQUIRE_SHARED() {
    ClassCount* count = watch::CountOf(*this);
    if (t_word.watch != 0 || !TryEnterShared()) [[unlikely]] {
      LockSharedSlow(site);
      return;
    }
    watch::Count(*this, count);
  }
  bool TryLockShared(Site site = Site::current()) LOCKING_TRY_ACQUIRE_SHARED(true);
  void UnlockShared(Site site = Site::current()) LOCKING_RELEASE_SHARED() {
    if (t_word.watch != 0) [[unlikely]] {
      UnlockSharedSlow(site);
      return;
    }
    ReleaseShared(site);
  }

  // Exclusive to shared, without a moment in which nobody holds it.
  void Downgrade(Site site = Site::current()) LOCKING_NO_ANALYSIS;
  // Shared to exclusive, without a moment in which nobody holds it: waits for the other readers.
  // False: somebody else waits so already, and each would wait for the other for ever: the caller
  // still holds it shared, and has to let go for the other to come on. May block.
  [[nodiscard]] bool Upgrade(Site site = Site::current()) LOCKING_NO_ANALYSIS;

  bool HeldByCaller() const { return OwnedByCaller(); }
  // Whether its readers say so in slots of their own. Changes at any time, for what it costs alone.
  bool biased() const { return (state_.load(std::memory_order_relaxed) & kBiased) != 0; }
  void AssertHeld(Site site = Site::current()) const LOCKING_ASSERT(this) {
    if (!OwnedByCaller()) [[unlikely]]
      watch::NotHeld(*this, "asserted to be held", site);
  }
  // Exact for watched threads and writers; else only that somebody reads.
  void AssertHeldShared(Site site = Site::current()) const LOCKING_ASSERT_SHARED(this);
  void AssertNotHeld(Site site = Site::current()) const {
    if (OwnedByCaller()) [[unlikely]]
      watch::Recursion(*this, site);
  }

 private:
  static constexpr std::uint32_t kReaders = (1u << 27) - 1;  // count of readers without a slot
  // Readers may be in slots. Who writes to such a lock looks for them, with kWriter set, and clears
  // the bit when there are none.
  static constexpr std::uint32_t kBiased = 1u << 27;
  static constexpr std::uint32_t kUpgrader = 1u << 28;  // one of the readers waits for the others
  static constexpr std::uint32_t kWriter = 1u << 29;
  static constexpr std::uint32_t kReadersWaiting = 1u << 30;
  static constexpr std::uint32_t kWritersWaiting = 1u << 31;
  static constexpr std::uint32_t kWaiting = kReadersWaiting | kWritersWaiting;
  // A reader has the lock to itself and its like only where none of these is set.
  static constexpr std::uint32_t kNotForReaders = kUpgrader | kWriter | kWaiting;
  // Reads without a write between after which a lock becomes biased: at a write after each, taking
  // the bias back would cost a hundredth of what the reads did.
  static constexpr std::uint32_t kReadsToBias = 4096;

  bool ReadersMayEnter(std::uint32_t state) const;
  // Without its owner. False also where it is free but waited for, or biased.
  bool TakeUnused() {
    std::uint32_t unused = 0;
    return state_.compare_exchange_weak(unused, kWriter, std::memory_order_acquire,
                                        std::memory_order_relaxed);
  }
  // For an OS thread. False: it may be free all the same.
  bool TryEnterShared() {
    if ((state_.load(std::memory_order_relaxed) & kBiased) != 0) return TryTakeSlot();
    return TryAddReader();
  }
  bool TryTakeSlot() {
    ReaderSlots* slots = t_word.self->reader_slots;
    if (slots == nullptr || !slots->Take(this)) return TryAddReader();
    LightBarrier();
    const std::uint32_t state = state_.load(std::memory_order_acquire);
    if ((state & (kBiased | kNotForReaders)) == kBiased) [[likely]]
      return true;
    LeaveSlot();
    return false;
  }
  // False: the caller does not read the lock by a slot.
  bool LeaveSlot() {
    ReaderSlots* slots = t_word.self->reader_slots;
    if (slots == nullptr || !slots->Leave(this)) return false;
    LightBarrier();
    if ((state_.load(std::memory_order_relaxed) & kWriter) != 0) [[unlikely]]
      WakeSleepingWriter();  // it may be looking for this reader
    return true;
  }
  // Adds first and looks then: whoever was not alone with readers takes it back, and wakes those
  // that it may have kept out meanwhile.
  bool TryAddReader() {
    const std::uint32_t former = state_.fetch_add(1, std::memory_order_acquire);
    if ((former & kNotForReaders) == 0) [[likely]] {
      CountRead(former);
      return true;
    }
    TakeReaderBack();
    return false;
  }
  // Two readers may count as one.
  void CountRead(std::uint32_t former) {
    const std::uint32_t reads = reads_.load(std::memory_order_relaxed);
    reads_.store(reads + 1, std::memory_order_relaxed);
    if (reads % kReadsToBias == kReadsToBias - 1 && (former & kBiased) == 0) [[unlikely]]
      BecomeBiased();
  }
  struct ExclusiveSteps;
  struct SharedSteps;

  void TakeReaderBack();
  void BecomeBiased();
  bool TryTakeBias();
  void WaitForSlots();
  bool ReadByCaller() const;
  bool SomebodyReads() const;
  bool CountInsteadOfSlot();
  void WakeSleepingWriter();
  bool TryAcquireShared();
  bool TryAcquireExclusive();
  bool TryUpgrade();
  void LockSlow(Site site);
  void LockSharedSlow(Site site);
  void UnlockSlow(Site site);
  void UnlockCold(Site site);
  void UnlockSharedSlow(Site site);
  void UnlockSharedCold(Site site);
  void WaitExclusive(ThreadState& self, Site site);
  void WaitShared(ThreadState& self, Site site);
  void WaitUpgrade(ThreadState& self, Site site);
  void ReleaseExclusive() {
    ClearOwner();
    reads_.store(0, std::memory_order_relaxed);
    const std::uint32_t former = state_.fetch_and(~kWriter, std::memory_order_release);
    if ((former & kWaiting) != 0) [[unlikely]]
      WakeWaiters();
  }
  void ReleaseShared(Site site) {
    if (LeaveSlot()) return;
    const std::uint32_t former = state_.fetch_sub(1, std::memory_order_release);
    if ((former & kReaders) == 0) [[unlikely]]
      watch::NotHeld(*this, "unlocked (shared)", site);
    if ((former & kNotForReaders) != 0 && LastBeforeWriter(former)) [[unlikely]]
      WakeWaiters();
  }
  // Whether the reader that left, from this state, makes room for who waits to write.
  static bool LastBeforeWriter(std::uint32_t former) {
    if ((former & kUpgrader) != 0) return (former & kReaders) == 2;
    return (former & kReaders) == 1 && (former & kWritersWaiting) != 0;
  }
  void WakeWaiters();

  std::atomic<std::uint32_t> state_{0};
  std::atomic<std::uint32_t> writer_wakeups_{0};  // futex of waiting writers and the upgrader
  std::atomic<std::uint32_t> reads_{0};           // since the last write, by readers without a slot
};

using WriteGuard = Guard<RwMutex>;

// Holds any lock with LockShared and UnlockShared for its lifetime.
template <typename Lockable>
class LOCKING_SCOPED_CAPABILITY SharedGuard {
 public:
  explicit SharedGuard(Lockable& lock, Site site = Site::current()) LOCKING_ACQUIRE_SHARED(lock)
      : lock_(lock), site_(site) {
    lock_.LockShared(site);
  }
  ~SharedGuard() LOCKING_RELEASE() { lock_.UnlockShared(site_); }
  SharedGuard(const SharedGuard&) = delete;
  SharedGuard& operator=(const SharedGuard&) = delete;

 private:
  Lockable& lock_;
  Site site_;
};

using ReadGuard = SharedGuard<RwMutex>;

}  // namespace locking

#endif  // LOCKING_RW_MUTEX_H_
