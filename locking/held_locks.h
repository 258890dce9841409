// The locks and resources that a thread holds, and the resources whose waits it has promised to
// end, in order, with the hash of the chain that they form for the witness: a push adds to it, the
// release of the newest goes back to the former one, any other release computes the tail again.
//
// An interrupt handler is a context of its own: its entry stands behind the locks of the thread
// that it interrupts, the chain begins anew there, and nothing before it is the handler's own.
//
// Thread safety: changed by the thread itself; size() and at() by anyone at any time, so the fields
// that reports need are relaxed atomics, and no array of entries is freed while the thread lives.
#ifndef LOCKING_HELD_LOCKS_H_
#define LOCKING_HELD_LOCKS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "locking/hash.h"
#include "locking/lock_class.h"
#include "locking/site.h"

namespace locking {

enum class LockMode : std::uint8_t { kExclusive, kShared };

// How an entry came to be.
enum class Attempt : std::uint8_t {
  kBlocking,
  kTry,      // never waits, so it adds no order
  kPromise,  // nothing is held: the thread is one of those that end the waits for a resource
  kUpgrade,  // waits for the other readers of a lock that is held shared
};
constexpr bool Waits(Attempt attempt) {
  return attempt == Attempt::kBlocking || attempt == Attempt::kUpgrade;
}

// Few and whole words: each is a store between the two atomic operations of a lock and its unlock.
struct HeldLock {
  std::atomic<const void*> lock;
  std::atomic<const LockClass*> lock_class;
  std::atomic<Site> site;
  // From its lowest bit: the creator's number (32), shared (1), try (1), promise (1), has outlived
  // others (1), a hash of the numbers of all entries through this one (28).
  std::atomic<std::uint64_t> packed;
  // When it was taken, in a run that limits holds; else, and while the other fields change, 0.
  std::atomic<std::uint64_t> since_ns;
  std::uint64_t chain;  // (the thread) HeldLocks::chain() through this lock

  std::uint32_t instance() const {
    return static_cast<std::uint32_t>(packed.load(std::memory_order_relaxed));
  }
  LockMode mode() const {
    return (packed.load(std::memory_order_relaxed) & kShared) != 0 ? LockMode::kShared
                                                                   : LockMode::kExclusive;
  }
  Attempt attempt() const {
    const std::uint64_t bits = packed.load(std::memory_order_relaxed);
    if ((bits & kPromise) != 0) return Attempt::kPromise;
    return (bits & kTry) != 0 ? Attempt::kTry : Attempt::kBlocking;
  }

  bool outlives() const { return (packed.load(std::memory_order_relaxed) & kOutlives) != 0; }

  static constexpr std::uint64_t kShared = 1ull << 32;
  static constexpr std::uint64_t kTry = 1ull << 33;
  static constexpr std::uint64_t kPromise = 1ull << 34;
  static constexpr std::uint64_t kOutlives = 1ull << 35;
  static constexpr int kInstancesShift = 36;
};

// Locks that were held when another was taken and released before it: where releases are not
// nested. The first few of them; of locks alone, for resources go from hand to hand.
struct OutlivedLocks {
  struct Lock {
    const LockClass* lock_class;
    std::uint32_t instance;
    LockMode mode;
  };
  static constexpr std::uint32_t kMost = 4;

  void Add(const Lock& lock) {
    if (count < kMost) locks[count++] = lock;
  }
  std::span<const Lock> all() const { return {locks, count}; }
  // What they add to the keys of the lock that outlives them: equal for equal sets of classes and
  // modes, and for equal sums of instances.
  std::uint64_t ChainKey() const;
  std::uint32_t Instances() const;

  std::uint32_t count = 0;
  Lock locks[kMost] = {};
};

class HeldLocks {
 public:
  HeldLocks();
  ~HeldLocks();
  HeldLocks(const HeldLocks&) = delete;

  std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  HeldLock& at(std::uint32_t i) const { return entries_.load(std::memory_order_acquire)[i]; }

  // An entry behind the newest, which nobody sees before it is pushed.
  struct Prepared {
    HeldLock* entry;
    std::uint32_t size;  // with the entry
  };
  Prepared Prepare(const void* lock, const LockClass& lock_class, std::uint32_t instance,
                   LockMode mode, Attempt attempt, Site site) {
    const std::uint32_t n = size_.load(std::memory_order_relaxed);
    HeldLock& entry = entries_.load(std::memory_order_relaxed)[n];
    entry.lock.store(lock, std::memory_order_relaxed);
    entry.lock_class.store(&lock_class, std::memory_order_relaxed);
    entry.site.store(site, std::memory_order_relaxed);
    Fill(entry, *(&entry - 1), lock_class.id(), instance, mode, attempt);
    return {&entry, n + 1};
  }
  // Nothing was pushed or removed since, and another entry has room behind it.
  bool MayPush(const Prepared& prepared) const { return prepared.size != capacity_; }
  void Push(const Prepared& prepared) { size_.store(prepared.size, std::memory_order_release); }
  void Push(const void* lock, const LockClass& lock_class, std::uint32_t instance, LockMode mode,
            Attempt attempt, Site site) {
    Unstamp(AtEnd());
    const Prepared prepared = Prepare(lock, lock_class, instance, mode, attempt, site);
    Push(prepared);
    if (!MayPush(prepared)) [[unlikely]]
      Grow();
  }
  // The same for a resource: one that is like the newest, a page of the same cluster, belongs to
  // its chain.
  void PushResource(const void* identity, const LockClass& resource_class, std::uint32_t instance,
                    LockMode mode, Attempt attempt, Site site);
  // The newest lock was taken at this time.
  void Stamp(std::uint64_t now_ns) {
    at(size() - 1).since_ns.store(now_ns, std::memory_order_release);
  }
  // Removes the newest entry of `lock`; false: it is not held.
  bool Remove(const void* lock) { return RemoveNewest(lock) || RemoveInner(lock); }
  // The same if that is the newest of all.
  bool RemoveNewest(const void* lock) {
    const std::uint32_t n = size_.load(std::memory_order_relaxed);
    const HeldLock& newest = Newest();
    if (newest.lock.load(std::memory_order_relaxed) != lock) [[unlikely]]
      return false;
    size_.store(n - 1, std::memory_order_release);
    return true;
  }
  // A handler begins; `interrupt` is its first entry. No other one does before it ends, and what it
  // leaves held is forgotten then.
  void BeginInterrupt(const void* interrupt, const LockClass& lock_class, std::uint32_t instance,
                      Site site);
  void EndInterrupt();
  // The newest entry of `lock`, or nullptr.
  HeldLock* Find(const void* lock) const;
  // Another mode or site for the newest entry of `lock`; false: it is not held.
  bool Change(const void* lock, LockMode mode, Site site);
  void Clear() {
    size_.store(0, std::memory_order_release);
    own_ = 0;
  }

  // For the thread itself, from here on.
  // nullptr: none.
  const OutlivedLocks* OutlivedBy(std::uint32_t i) const {
    return at(i).outlives() ? &outlived_[i] : nullptr;
  }
  // Whether the entry belongs to the chain of the one before it.
  bool Repeats(std::uint32_t i) const { return i > own_ && at(i).chain == at(i - 1).chain; }
  // The entries of the context that runs: in a handler the interrupt itself and what the handler
  // holds.
  std::uint32_t own_size() const { return size() - own_; }
  HeldLock& own(std::uint32_t i) const { return at(own_ + i); }
  // Of the thread that the handler interrupts; 0 outside of one.
  std::uint32_t interrupted_size() const { return own_; }
  // The chain of all locks held with this one at the end; never 0.
  std::uint64_t ChainWith(const LockClass& lock_class, LockMode mode, Attempt attempt) const {
    return Chain(Newest().chain, lock_class.id(), mode, attempt);
  }
  // The same without `released`, which is given up meanwhile.
  std::uint64_t ChainWithout(const void* released, const LockClass& lock_class) const;
  // A hash of the creators' numbers of all locks held and one more; never 0.
  std::uint32_t InstancesWith(std::uint32_t instance) const {
    return Instances(Instances(Newest()), instance);
  }
  static std::uint32_t InstancesThrough(const Prepared& prepared) {
    return Instances(*prepared.entry);
  }

 private:
  static constexpr std::uint32_t kInlineEntries = 16;
  static constexpr std::uint32_t kNoInstances = 1;

  static std::uint32_t Instances(const HeldLock& entry) {
    return static_cast<std::uint32_t>(entry.packed.load(std::memory_order_relaxed) >>
                                      HeldLock::kInstancesShift);
  }
  static std::uint32_t Instances(std::uint32_t outer, std::uint32_t instance) {
    return ((outer + instance) * 0x9E3779B1u) >> 4 | 1;
  }
  static std::uint64_t Chain(std::uint64_t outer, std::uint32_t class_id, LockMode mode,
                             Attempt attempt) {
    return Chain(outer, class_id * 8ull + static_cast<std::uint64_t>(attempt) * 2 +
                            (mode == LockMode::kShared ? 1 : 0));
  }
  static std::uint64_t Chain(std::uint64_t outer, std::uint64_t key) {
    std::uint64_t hash = (outer + key) * kHashMultiplier;
    hash ^= hash >> 29;
    return hash | 1ull << 63;
  }
  // All fields that follow from `outer`, the entry before, and what the lock outlives.
  [[gnu::always_inline]] static void Fill(HeldLock& entry, const HeldLock& outer,
                                          std::uint32_t class_id, std::uint32_t instance,
                                          LockMode mode, Attempt attempt,
                                          const OutlivedLocks* outlived = nullptr) {
    const std::uint32_t own = outlived == nullptr ? instance : instance + outlived->Instances();
    const std::uint64_t instances = Instances(Instances(outer), own);
    entry.packed.store(instance | (mode == LockMode::kShared ? HeldLock::kShared : 0) |
                           (attempt == Attempt::kTry ? HeldLock::kTry : 0) |
                           (attempt == Attempt::kPromise ? HeldLock::kPromise : 0) |
                           (outlived != nullptr ? HeldLock::kOutlives : 0) |
                           instances << HeldLock::kInstancesShift,
                       std::memory_order_relaxed);
    entry.chain = Chain(outer.chain, class_id, mode, attempt);
    if (outlived != nullptr) entry.chain = Chain(entry.chain, outlived->ChainKey());
  }
  // With nothing held, an entry before the first one, which stands for that.
  const HeldLock& Newest() const {
    return *(entries_.load(std::memory_order_relaxed) + size_.load(std::memory_order_relaxed) - 1);
  }
  // Before the other fields change.
  static void Unstamp(HeldLock& entry) {
    entry.since_ns.store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  HeldLock& AtEnd() {
    return entries_.load(std::memory_order_relaxed)[size_.load(std::memory_order_relaxed)];
  }
  void Grow();
  // Fill of the entry at `i`, which is in place, where another one before it may have changed.
  void Refill(std::uint32_t i, LockMode mode);
  // Whether the entry is a resource as the one before it is.
  static bool IsLikeOuter(const HeldLock& entry, LockMode mode);
  // The entry belongs to the chain of the one before it.
  static void JoinOuter(HeldLock& entry);
  bool RemoveInner(const void* lock);
  // The entry behind `to` takes its place; what stood there was `removed`.
  void MoveDown(HeldLock* entries, std::uint32_t to, const OutlivedLocks::Lock& removed);

  std::atomic<std::uint32_t> size_{0};
  std::uint32_t capacity_ = kInlineEntries;  // more than size_
  std::atomic<HeldLock*> entries_;
  HeldLock inline_entries_[1 + kInlineEntries];
  std::vector<std::unique_ptr<HeldLock[]>> grown_;  // the newest is in use; older ones may be read
  std::vector<OutlivedLocks> outlived_;  // (the thread) by entry, of those that outlive others
  std::uint32_t own_ = 0;                // where the context that runs begins
};

}  // namespace locking

#endif  // LOCKING_HELD_LOCKS_H_
