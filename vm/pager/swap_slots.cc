#include "vm/pager/swap_slots.h"

#include <bit>
#include <string>

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {

SwapSlots::SwapSlots(std::uint32_t slots, locking::Giant* giant)
    : slots_(slots), lock_(kSwapLock, 0, giant), bitmap_((std::size_t{slots} + 63) / 64) {}

SwapSlots::Run SwapSlots::FindRun(std::uint32_t from, std::uint32_t to,
                                  std::uint32_t wanted) const {
  std::uint32_t first = from;
  while (first < to && IsUsed(first)) {
    const bool whole_word_used = first % 64 == 0 && bitmap_[first / 64] == ~0ull;
    first = whole_word_used && to - first > 64 ? first + 64 : first + 1;
  }
  Run run{first, 0};
  while (run.count < wanted && first + run.count < to && !IsUsed(first + run.count)) ++run.count;
  return run;
}

SwapSlots::Run SwapSlots::FindBest(std::uint32_t from, std::uint32_t to, std::uint32_t wanted,
                                   Run best) const {
  while (from < to && best.count < wanted) {
    const Run run = FindRun(from, to, wanted);
    if (run.count > best.count) best = run;
    from = run.first + run.count + 1;
  }
  return best;
}

SwapSlots::Run SwapSlots::Allocate(std::uint32_t wanted) {
  RoleGuard guard(lock_);
  if (used_ == slots_) return {0, 0};
  Run run = FindBest(next_, slots_, wanted, {0, 0});
  run = FindBest(0, next_, wanted, run);
  for (std::uint32_t slot = run.first; slot < run.first + run.count; ++slot)
    bitmap_[slot / 64] |= 1ull << (slot % 64);
  used_ += run.count;
  next_ = run.first + run.count == slots_ ? 0 : run.first + run.count;
  return run;
}

void SwapSlots::Free(std::uint32_t first, std::uint32_t count) {
  RoleGuard guard(lock_);
  for (std::uint32_t slot = first; slot < first + count; ++slot) {
    Require(slot < slots_ && IsUsed(slot), "INV-51",
            [&] { return "swap slot " + std::to_string(slot) + " is freed that is not used"; });
    bitmap_[slot / 64] &= ~(1ull << (slot % 64));
  }
  used_ -= count;
}

std::uint32_t SwapSlots::used() const {
  RoleGuard guard(lock_);
  return used_;
}

std::uint32_t SwapSlots::CountBits() const {
  RoleGuard guard(lock_);
  std::uint32_t bits = 0;
  for (const std::uint64_t word : bitmap_) bits += static_cast<std::uint32_t>(std::popcount(word));
  return bits;
}

}  // namespace vm
