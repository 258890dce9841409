// Acquisitions, waits and holds by lock class: each thread writes its own numbers,
// CollectStatistics adds them up.
//
// Thread safety: Count* by the thread itself; the rest by anyone at any time.
#ifndef LOCKING_STATISTICS_H_
#define LOCKING_STATISTICS_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace locking {

struct ThreadState;

struct LockStatistics {
  std::string name;
  std::uint64_t acquisitions = 0;
  std::uint64_t contended = 0;
  std::uint64_t wait_ns = 0;
  std::uint64_t hold_ns_max = 0;
};

// One thread's numbers, by class id, in chunks that are never moved.
class StatisticsBlock {
 public:
  struct Entry {
    std::atomic<std::uint64_t> acquisitions{0};
    std::atomic<std::uint64_t> contended{0};
    std::atomic<std::uint64_t> wait_ns{0};
    std::atomic<std::uint64_t> hold_ns_max{0};
  };
  StatisticsBlock() = default;
  ~StatisticsBlock();
  StatisticsBlock(const StatisticsBlock&) = delete;

  // Classes beyond the last chunk share the last entry; nothing is lost from the totals.
  Entry& At(std::uint32_t class_id);
  void AddTo(std::vector<LockStatistics>* totals) const;
  void Reset();

 private:
  static constexpr std::uint32_t kChunk = 64;
  static constexpr std::uint32_t kChunks = 64;
  std::atomic<Entry*> chunks_[kChunks] = {};
};

void CountAcquisition(ThreadState& self, std::uint32_t class_id, bool contended,
                      std::uint64_t wait_ns);
void CountHold(ThreadState& self, std::uint32_t class_id, std::uint64_t hold_ns);

// Of all OS threads since the last ResetStatistics, ended ones included: the classes that were
// acquired, in order of name.
std::vector<LockStatistics> CollectStatistics();
void ResetStatistics();
// A thread that ends leaves its numbers behind.
void RetireStatistics(const ThreadState& thread);

}  // namespace locking

#endif  // LOCKING_STATISTICS_H_
