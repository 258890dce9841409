// Atomic: std::atomic whose operations are scheduling points of a controlled executor.
// Counter: a statistic with one writer; never a scheduling point, read at any time.
// LoadWord, StoreWord: a word of plain memory, as a simulated CPU touches it: relaxed, never a
// scheduling point. A plain access that nothing orders with them is a race that a detector sees.
#ifndef LOCKING_ATOMIC_H_
#define LOCKING_ATOMIC_H_

#include <atomic>
#include <cstdint>

#include "locking/watch.h"

namespace locking {

template <typename T>
class Atomic {
 public:
  constexpr Atomic(T value = T()) : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T Load(std::memory_order order = std::memory_order_seq_cst, Site site = Site::current()) const {
    AtPoint(PointKind::kLoad, site);
    return value_.load(order);
  }
  void Store(T value, std::memory_order order = std::memory_order_seq_cst,
             Site site = Site::current()) {
    AtPoint(PointKind::kStore, site);
    value_.store(value, order);
  }
  T Exchange(T value, std::memory_order order = std::memory_order_seq_cst,
             Site site = Site::current()) {
    AtPoint(PointKind::kReadModifyWrite, site);
    return value_.exchange(value, order);
  }
  // On failure `expected` holds what was found.
  bool CompareExchange(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                       Site site = Site::current()) {
    AtPoint(PointKind::kReadModifyWrite, site);
    return value_.compare_exchange_strong(
        expected, desired, order,
        order == std::memory_order_release || order == std::memory_order_relaxed
            ? std::memory_order_relaxed
            : std::memory_order_acquire);
  }
  T FetchAdd(T value, std::memory_order order = std::memory_order_seq_cst,
             Site site = Site::current()) {
    AtPoint(PointKind::kReadModifyWrite, site);
    return value_.fetch_add(value, order);
  }
  T FetchSub(T value, std::memory_order order = std::memory_order_seq_cst,
             Site site = Site::current()) {
    AtPoint(PointKind::kReadModifyWrite, site);
    return value_.fetch_sub(value, order);
  }
  T FetchOr(T value, std::memory_order order = std::memory_order_seq_cst,
            Site site = Site::current()) {
    AtPoint(PointKind::kReadModifyWrite, site);
    return value_.fetch_or(value, order);
  }
  T FetchAnd(T value, std::memory_order order = std::memory_order_seq_cst,
             Site site = Site::current()) {
    AtPoint(PointKind::kReadModifyWrite, site);
    return value_.fetch_and(value, order);
  }
  // For wait records, which name their holder by such a word. Not a scheduling point.
  const std::atomic<T>& word() const { return value_; }
  // A value for statistics and reports: relaxed, not a scheduling point.
  T Peek() const { return value_.load(std::memory_order_relaxed); }

 private:
  void AtPoint(PointKind kind, Site site) const {
    if (Watched(kWatchExecutor)) [[unlikely]]
      watch::AtPoint(Self(), kind, this, nullptr, site);
  }
  std::atomic<T> value_;
};

class Counter {
 public:
  // By the one thread that owns the counter.
  void Add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

inline std::uint64_t LoadWord(std::uint64_t& word) {
  return std::atomic_ref<std::uint64_t>(word).load(std::memory_order_relaxed);
}
inline void StoreWord(std::uint64_t& word, std::uint64_t value) {
  std::atomic_ref<std::uint64_t>(word).store(value, std::memory_order_relaxed);
}

}  // namespace locking

#endif  // LOCKING_ATOMIC_H_
