#include "locking/statistics.h"

#include <algorithm>
#include <mutex>

#include "locking/lock_class.h"

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
  if (block == nullptr) {
    block = new StatisticsBlock;
    self.statistics.store(block, std::memory_order_release);
  }
  return *block;
}

}  // namespace

ClassCount* CountsOf(ThreadState& self) { return BlockOf(self).counts(); }

void StatisticsBlock::AddTo(std::vector<LockStatistics>* totals) const {
  totals->resize(kCountedClasses);
  for (std::uint32_t id = 0; id < kCountedClasses; ++id) {
    LockStatistics& total = (*totals)[id];
    total.acquisitions += counts_[id].acquisitions.load(std::memory_order_relaxed);
    total.contended += waits_[id].contended.load(std::memory_order_relaxed);
    total.wait_ns += waits_[id].wait_ns.load(std::memory_order_relaxed);
    total.hold_ns_max =
        std::max(total.hold_ns_max, waits_[id].hold_ns_max.load(std::memory_order_relaxed));
  }
}

void StatisticsBlock::Reset() {
  for (std::uint32_t id = 0; id < kCountedClasses; ++id) {
    counts_[id].acquisitions.store(0, std::memory_order_relaxed);
    waits_[id].contended.store(0, std::memory_order_relaxed);
    waits_[id].wait_ns.store(0, std::memory_order_relaxed);
    waits_[id].hold_ns_max.store(0, std::memory_order_relaxed);
  }
}

void CountWait(ThreadState& self, std::uint32_t class_id, std::uint64_t wait_ns) {
  StatisticsBlock::Waits& waits = BlockOf(self).WaitsOf(class_id);
  Add(waits.contended, 1);
  Add(waits.wait_ns, wait_ns);
}

void CountHold(ThreadState& self, std::uint32_t class_id, std::uint64_t hold_ns) {
  StatisticsBlock::Waits& waits = BlockOf(self).WaitsOf(class_id);
  if (hold_ns > waits.hold_ns_max.load(std::memory_order_relaxed))
    waits.hold_ns_max.store(hold_ns, std::memory_order_relaxed);
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
