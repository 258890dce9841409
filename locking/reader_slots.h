// Reader slots: where an OS thread says which locks it reads that readers have to themselves
// (RwMutex, kBiased), instead of counting itself in them: many threads then read one lock without
// writing to a cache line in common. A writer looks through the slots of all threads. Internal to
// locking/.
//
//   reader:  own slot = lock; LightBarrier(); look for a writer
//   writer:  say so; HeavyBarrier(); look through the slots
//
// Lock key: (t) the thread itself; (a) atomic, written by the thread, read by writers.
#ifndef LOCKING_READER_SLOTS_H_
#define LOCKING_READER_SLOTS_H_

#include <array>
#include <atomic>
#include <cstdint>

namespace locking {

// Two cache lines apart, for processors fetch lines in pairs.
class alignas(128) ReaderSlots {
 public:
  // Those of the OS thread with this ordinal, by one thread at a time; nullptr: there are not so
  // many, and the thread counts itself in each lock. What a thread still holds when it ends,
  // whoever gets its slots holds.
  static ReaderSlots* OfThread(std::uint32_t ordinal);
  // Whether some thread's slot holds `lock`.
  static bool AnyHolds(const void* lock);

  // Says that the thread reads `lock`. False: all slots are taken.
  bool Take(const void* lock) {
    for (std::atomic<const void*>& slot : held_) {
      if (slot.load(std::memory_order_relaxed) != nullptr) continue;
      slot.store(lock, std::memory_order_release);
      ++used_;
      return true;
    }
    return false;
  }
  // Takes it back. False: the thread did not say so.
  bool Leave(const void* lock) {
    if (used_ == 0) return false;
    for (std::atomic<const void*>& slot : held_) {
      if (slot.load(std::memory_order_relaxed) != lock) continue;
      slot.store(nullptr, std::memory_order_release);
      --used_;
      return true;
    }
    return false;
  }
  bool Holds(const void* lock) const {
    for (const std::atomic<const void*>& slot : held_) {
      if (slot.load(std::memory_order_acquire) == lock) return true;
    }
    return false;
  }

 private:
  std::array<std::atomic<const void*>, 7> held_{};  // (a)
  std::uint32_t used_ = 0;                          // (t) of `held_`
};

}  // namespace locking

#endif  // LOCKING_READER_SLOTS_H_
