// Which live lock goes by which number: the witness tells locks apart by the numbers of their
// creators, and must know when two live locks of one class share a number.
//
// Thread safety: none, guarded by the mutex of LockOrderWitness; MayKnow by anyone.
#ifndef LOCKING_WITNESS_INSTANCE_TABLE_H_
#define LOCKING_WITNESS_INSTANCE_TABLE_H_

#include <atomic>
#include <cstdint>
#include <unordered_map>

namespace locking {

class InstanceTable {
 public:
  // `lock` is number `instance` of class node `node`. False: another live lock is, too.
  bool Add(const void* lock, std::uint32_t node, std::uint32_t instance) {
    const std::uint64_t number = static_cast<std::uint64_t>(node) << 32 | instance;
    const auto [it, added] = lock_of_number_.emplace(number, lock);
    if (!added) return it->second == lock;
    const auto [own, first] = number_of_lock_.emplace(lock, number);
    if (!first) {  // it had another number before
      lock_of_number_.erase(own->second);
      own->second = number;
    }
    std::atomic<std::uint64_t>& word = filter_[WordOf(lock)];
    word.store(word.load(std::memory_order_relaxed) | BitOf(lock), std::memory_order_relaxed);
    return true;
  }
  // Whether the lock may be in the table; mostly exact for a lock that is not.
  bool MayKnow(const void* lock) const {
    return (filter_[WordOf(lock)].load(std::memory_order_relaxed) & BitOf(lock)) != 0;
  }
  // The lock is destroyed.
  void Remove(const void* lock) {
    const auto it = number_of_lock_.find(lock);
    if (it == number_of_lock_.end()) return;
    lock_of_number_.erase(it->second);
    number_of_lock_.erase(it);
  }

 private:
  static constexpr std::uint64_t kWords = 64;
  static std::uint64_t Hash(const void* lock) {
    return reinterpret_cast<std::uintptr_t>(lock) * 0x9E3779B97F4A7C15ull >> 40;
  }
  static std::uint64_t WordOf(const void* lock) { return Hash(lock) / 64 % kWords; }
  static std::uint64_t BitOf(const void* lock) { return 1ull << (Hash(lock) % 64); }

  std::atomic<std::uint64_t> filter_[kWords] = {};
  std::unordered_map<const void*, std::uint64_t> number_of_lock_;
  std::unordered_map<std::uint64_t, const void*> lock_of_number_;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_INSTANCE_TABLE_H_
