// The lock chains of one thread that the witness has decided already. A chain is the classes and
// modes that the thread holds, in order, with the lock it takes at the end; its hash is kept up to
// date by HeldLocks. A hit costs one read of a line that only this thread writes.
//
// Thread safety: Hit by the thread itself. Everything else under the witness's own mutex, and what
// changes the table by the thread itself as well; `count` is read by anyone.
#ifndef LOCKING_CHAIN_CACHE_H_
#define LOCKING_CHAIN_CACHE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "locking/annotations.h"

namespace locking {

class ChainCache {
 public:
  struct Slot {
    // On cache lines of their own: the thread writes them with each lock that it takes.
    static void* operator new[](std::size_t size) {
      return ::operator new[](size, std::align_val_t{64});
    }
    static void operator delete[](void* slots) { ::operator delete[](slots, std::align_val_t{64}); }

    std::uint64_t hash = 0;                // 0: free
    std::uint32_t instances = 0;           // HeldLocks::InstancesWith when the witness decided
    std::uint32_t instances_matter = ~0u;  // 0: whatever the instances are
    std::uint32_t record = 0;              // the witness's own: what it knows of the chain
    std::atomic<std::uint64_t> count{0};   // acquisitions since the slot was filled
  };

  ChainCache() : slots_(std::make_unique<Slot[]>(kFirstSize)) {}
  ChainCache(const ChainCache&) = delete;

  // Whether the chain is decided for these instances; counts the acquisition if so.
  bool Hit(std::uint64_t hash, std::uint32_t instances) {
    if (HitAtOnce(hash, instances) != 0) return true;
    Slot* slot = Find(hash);
    return slot != nullptr && Count(*slot, instances) != 0;
  }
  // The same of a chain in the first slot that it may be in; the others are not looked at. Returns
  // the acquisitions since the slot was filled, with this one; 0: not decided, or not seen.
  std::uint64_t HitAtOnce(std::uint64_t hash, std::uint32_t instances) {
    Slot& slot = slots_[hash & mask_];
    return slot.hash == hash ? Count(slot, instances) : 0;
  }

  // nullptr: the chain is not there.
  Slot* Find(std::uint64_t hash) {
    for (std::uint64_t i = hash & mask_; slots_[i].hash != 0; i = (i + 1) & mask_)
      if (slots_[i].hash == hash) return &slots_[i];
    return nullptr;
  }
  // A fresh slot for a chain that is not there; may move all others.
  Slot* Insert(std::uint64_t hash);
  // Forgets every chain; the table keeps its size.
  void Clear();

  std::uint32_t used() const { return used_; }
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (std::uint64_t i = 0; i <= mask_; ++i)
      if (slots_[i].hash != 0) visit(slots_[i]);
  }

 private:
  static constexpr std::uint64_t kFirstSize = 64;  // a power of two, as every size is

  static std::uint64_t Count(Slot& slot, std::uint32_t instances) {
    if (((slot.instances ^ instances) & slot.instances_matter) != 0) [[unlikely]]
      return 0;
    const std::uint64_t count = slot.count.load(std::memory_order_relaxed) + 1;
    slot.count.store(count, std::memory_order_relaxed);
    return count;
  }

  std::unique_ptr<Slot[]> slots_;
  std::uint64_t mask_ = kFirstSize - 1;
  std::uint32_t used_ = 0;
};

}  // namespace locking

#endif  // LOCKING_CHAIN_CACHE_H_
