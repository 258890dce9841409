#include "locking/statistics.h"

#include <algorithm>
#include <mutex>

#include "locking/lock_class.h"
#include "locking/thread_state.h"

namespace locking {
namespace {

// The thread is the only writer of its entries.
void Add(std::atomic<std::uint64_t>& value, std::uint64_t n) {
  value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

struct Retired {
  std::mutex mutex;
  std::vector<LockStatistics> totals;
};
Retired& TheRetired() {
  static Retired* retired = new Retired;
  return *retired;
}

StatisticsBlock& BlockOf(ThreadState& self) {
  StatisticsBlock* block = self.statistics.load(std::memory_order_relaxed);
  if (block == nullptr) [[unlikely]] {
    block = new StatisticsBlock;
    self.statistics.store(block, std::memory_order_release);
  }
  return *block;
}

}  // namespace

StatisticsBlock::~StatisticsBlock() {
  for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
}

StatisticsBlock::Entry& StatisticsBlock::At(std::uint32_t class_id) {
  const std::uint32_t id = std::min(class_id, kChunk * kChunks - 1);
  std::atomic<Entry*>& chunk = chunks_[id / kChunk];
  Entry* entries = chunk.load(std::memory_order_relaxed);
  if (entries == nullptr) {
    entries = new Entry[kChunk];
    chunk.store(entries, std::memory_order_release);
  }
  return entries[id % kChunk];
}

void StatisticsBlock::AddTo(std::vector<LockStatistics>* totals) const {
  for (std::uint32_t c = 0; c < kChunks; ++c) {
    const Entry* entries = chunks_[c].load(std::memory_order_acquire);
    if (entries == nullptr) continue;
    if (totals->size() < (c + 1) * kChunk) totals->resize((c + 1) * kChunk);
    for (std::uint32_t i = 0; i < kChunk; ++i) {
      LockStatistics& total = (*totals)[c * kChunk + i];
      total.acquisitions += entries[i].acquisitions.load(std::memory_order_relaxed);
      total.contended += entries[i].contended.load(std::memory_order_relaxed);
      total.wait_ns += entries[i].wait_ns.load(std::memory_order_relaxed);
      total.hold_ns_max =
          std::max(total.hold_ns_max, entries[i].hold_ns_max.load(std::memory_order_relaxed));
    }
  }
}

void StatisticsBlock::Reset() {
  for (auto& chunk : chunks_) {
    Entry* entries = chunk.load(std::memory_order_acquire);
    if (entries == nullptr) continue;
    for (std::uint32_t i = 0; i < kChunk; ++i) {
      entries[i].acquisitions.store(0, std::memory_order_relaxed);
      entries[i].contended.store(0, std::memory_order_relaxed);
      entries[i].wait_ns.store(0, std::memory_order_relaxed);
      entries[i].hold_ns_max.store(0, std::memory_order_relaxed);
    }
  }
}

void CountAcquisition(ThreadState& self, std::uint32_t class_id, bool contended,
                      std::uint64_t wait_ns) {
  StatisticsBlock::Entry& entry = BlockOf(self).At(class_id);
  Add(entry.acquisitions, 1);
  if (!contended) return;
  Add(entry.contended, 1);
  Add(entry.wait_ns, wait_ns);
}

void CountHold(ThreadState& self, std::uint32_t class_id, std::uint64_t hold_ns) {
  StatisticsBlock::Entry& entry = BlockOf(self).At(class_id);
  if (hold_ns > entry.hold_ns_max.load(std::memory_order_relaxed))
    entry.hold_ns_max.store(hold_ns, std::memory_order_relaxed);
}

namespace {

class Collector : public ThreadVisitor {
 public:
  explicit Collector(std::vector<LockStatistics>* totals) : totals_(totals) {}
  void Visit(ThreadState& thread) override {
    if (const StatisticsBlock* block = thread.statistics.load(std::memory_order_acquire))
      block->AddTo(totals_);
  }

 private:
  std::vector<LockStatistics>* totals_;
};

class Resetter : public ThreadVisitor {
 public:
  void Visit(ThreadState& thread) override {
    if (StatisticsBlock* block = thread.statistics.load(std::memory_order_acquire)) block->Reset();
  }
};

}  // namespace

std::vector<LockStatistics> CollectStatistics() {
  std::vector<LockStatistics> totals;
  {
    Retired& retired = TheRetired();
    std::lock_guard lock(retired.mutex);
    totals = retired.totals;
  }
  Collector collector(&totals);
  VisitNativeThreads(collector);
  std::vector<LockStatistics> result;
  for (std::uint32_t id = 0; id < totals.size(); ++id) {
    if (totals[id].acquisitions == 0) continue;
    totals[id].name = LockClassName(id);
    result.push_back(totals[id]);
  }
  std::sort(result.begin(), result.end(),
            [](const LockStatistics& a, const LockStatistics& b) { return a.name < b.name; });
  return result;
}

void ResetStatistics() {
  {
    Retired& retired = TheRetired();
    std::lock_guard lock(retired.mutex);
    retired.totals.clear();
  }
  Resetter resetter;
  VisitNativeThreads(resetter);
}

void RetireStatistics(const ThreadState& thread) {
  const StatisticsBlock* block = thread.statistics.load(std::memory_order_acquire);
  if (block == nullptr) return;
  Retired& retired = TheRetired();
  std::lock_guard lock(retired.mutex);
  block->AddTo(&retired.totals);
}

}  // namespace locking
