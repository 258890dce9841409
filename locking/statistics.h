// Acquisitions, waits and holds by lock class: each thread writes its own numbers,
// CollectStatistics adds them up. Reading the clock costs more than the lock itself: a hold is
// timed when its acquisition had to wait, and else every kTimedHolds-th time of its class, or of
// its chain of locks where a witness counts those; one at a time in a thread.
//
// Thread safety: Count* by the thread itself, which counts its acquisitions in its thread word; the
// rest by anyone at any time.
#ifndef LOCKING_STATISTICS_H_
#define LOCKING_STATISTICS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "locking/thread_state.h"

namespace locking {

inline constexpr std::uint32_t kTimedHolds = 64;
inline constexpr std::uint32_t kCountedClasses = 1024;

struct LockStatistics {
  std::string name;
  std::uint64_t acquisitions = 0;
  std::uint64_t contended = 0;
  std::uint64_t wait_ns = 0;
  std::uint64_t hold_ns_max = 0;  // of the holds that were timed
};

// A thread's acquisitions of one class, counted on the fast path.
struct ClassCount {
  std::atomic<std::uint64_t> acquisitions{0};
  std::uint32_t until_timed = 0;  // the thread's own: those before the next whose hold is timed
};

// Of one thread, by class id; classes beyond the last share the last, so nothing is lost from the
// totals. On cache lines of its own.
class alignas(64) StatisticsBlock {
 public:
  struct Waits {
    std::atomic<std::uint64_t> contended{0};
    std::atomic<std::uint64_t> wait_ns{0};
    std::atomic<std::uint64_t> hold_ns_max{0};
  };
  StatisticsBlock() = default;
  StatisticsBlock(const StatisticsBlock&) = delete;

  ClassCount* counts() { return counts_; }
  Waits& WaitsOf(std::uint32_t class_id) { return waits_[std::min(class_id, kCountedClasses - 1)]; }
  void AddTo(std::vector<LockStatistics>* totals) const;
  void Reset();

 private:
  ClassCount counts_[kCountedClasses];
  Waits waits_[kCountedClasses];
};

// An acquisition that had to wait.
void CountWait(ThreadState& self, std::uint32_t class_id, std::uint64_t wait_ns);
void CountHold(ThreadState& self, std::uint32_t class_id, std::uint64_t hold_ns);

// Of all OS threads since the last ResetStatistics, ended ones included: the classes that were
// acquired, in order of name.
std::vector<LockStatistics> CollectStatistics();
void ResetStatistics();
// A thread that ends leaves its numbers behind.
void RetireStatistics(const ThreadState& thread);

}  // namespace locking

#endif  // LOCKING_STATISTICS_H_
