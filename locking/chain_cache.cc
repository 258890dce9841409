#include "locking/chain_cache.h"

namespace locking {
namespace {

ChainCache::Slot* FreeSlot(ChainCache::Slot* slots, std::uint64_t mask, std::uint64_t hash) {
  std::uint64_t i = hash & mask;
  while (slots[i].hash != 0) i = (i + 1) & mask;
  slots[i].hash = hash;
  return &slots[i];
}

}  // namespace

ChainCache::Slot* ChainCache::Insert(std::uint64_t hash) {
  if (std::uint64_t{++used_} * 2 > mask_) {
    const std::uint64_t larger_mask = mask_ * 4 + 3;
    auto larger = std::make_unique<Slot[]>(larger_mask + 1);
    ForEach([&](const Slot& from) {
      Slot* to = FreeSlot(larger.get(), larger_mask, from.hash);
      to->instances = from.instances;
      to->instances_matter = from.instances_matter;
      to->record = from.record;
      to->count.store(from.count.load(std::memory_order_relaxed), std::memory_order_relaxed);
    });
    slots_ = std::move(larger);
    mask_ = larger_mask;
  }
  return FreeSlot(slots_.get(), mask_, hash);
}

void ChainCache::Clear() {
  for (std::uint64_t i = 0; i <= mask_; ++i) slots_[i].hash = 0;
  used_ = 0;
}

}  // namespace locking
