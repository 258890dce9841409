#include "locking/reader_slots.h"

#include <mutex>
#include <vector>

namespace locking {
namespace {

constexpr std::uint32_t kThreads = 512;

constinit std::array<ReaderSlots, kThreads> slots_of_threads{};
// Lines that were ever given out: the first ones.
constinit std::atomic<std::uint32_t> known{0};

struct Unused {
  std::mutex mutex;
  std::vector<ReaderSlots*> lines;  // of those known
};

Unused& UnusedSlots() {
  static Unused* unused = new Unused;
  return *unused;
}

}  // namespace

ReaderSlots* ReaderSlots::Acquire() {
  Unused& unused = UnusedSlots();
  std::lock_guard guard(unused.mutex);
  if (!unused.lines.empty()) {
    ReaderSlots* slots = unused.lines.back();
    unused.lines.pop_back();
    return slots;
  }
  const std::uint32_t next = known.load(std::memory_order_relaxed);
  if (next == kThreads) return nullptr;
  // Before the thread's first use of it: a writer's heavy barrier lies between that and its look.
  known.store(next + 1, std::memory_order_release);
  return &slots_of_threads[next];
}

void ReaderSlots::Release(ReaderSlots* slots) {
  if (slots == nullptr || slots->used_ != 0) return;
  Unused& unused = UnusedSlots();
  std::lock_guard guard(unused.mutex);
  unused.lines.push_back(slots);
}

bool ReaderSlots::AnyHolds(const void* lock) {
  const std::uint32_t count = known.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (slots_of_threads[i].Holds(lock)) return true;
  }
  return false;
}

}  // namespace locking
