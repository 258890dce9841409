#include "locking/reader_slots.h"

#include <algorithm>

namespace locking {
namespace {

constexpr std::uint32_t kThreads = 512;

constinit std::array<ReaderSlots, kThreads> slots_of_threads{};
// Those that any thread ever had are before this one.
constinit std::atomic<std::uint32_t> known{0};

}  // namespace

ReaderSlots* ReaderSlots::OfThread(std::uint32_t ordinal) {
  if (ordinal >= kThreads) return nullptr;
  // Before the thread's first use of them: a writer's heavy barrier lies between that and its look.
  known.store(std::max(known.load(std::memory_order_relaxed), ordinal + 1),
              std::memory_order_release);
  return &slots_of_threads[ordinal];
}

bool ReaderSlots::AnyHolds(const void* lock) {
  const std::uint32_t count = known.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (slots_of_threads[i].Holds(lock)) return true;
  }
  return false;
}

}  // namespace locking
