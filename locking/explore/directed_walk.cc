// Compiled without sanitizers, as strategy.h asks.
#include "locking/explore/directed_walk.h"

#include "locking/hash.h"
#include "locking/lock_class.h"

namespace locking::explore {
namespace {

// One choice in so many is made among all threads: whoever waits by looking again and again sees
// the others go on, however long it looks.
constexpr std::uint32_t kPatience = 1024;

bool Holds(const HeldLocks& locks, std::uint32_t class_id) {
  for (std::uint32_t i = 0; i < locks.size(); ++i)
    if (locks.at(i).lock_class.load(std::memory_order_relaxed)->id() == class_id) return true;
  return false;
}

}  // namespace

DirectedWalk::DirectedWalk(const std::vector<CycleWait>& cycle) {
  const std::vector<LockClassInfo> classes = AllLockClasses();
  for (const CycleWait& wait : cycle) {
    // What is not a lock is in no list of held ones: then the call site alone tells.
    const bool needs_held =
        !wait.is_writer_between() && classes[wait.held].kind != LockKind::kResource;
    places_.push_back({needs_held, wait.held, wait.wanted, HashSite(wait.site)});
  }
}

// An interrupt waits for its thread to hold what the circle has it hold; then it is like any other.
bool DirectedWalk::ComesTooEarly(const ThreadView& interrupt) const {
  bool too_early = false;
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    if (places_[i].wanted != interrupt.next.lock_class->id()) continue;
    if (Holds(*interrupt.held, places_[i].held)) return false;
    too_early = true;
  }
  return too_early;
}

void DirectedWalk::BeginExecution(std::uint64_t seed) { draw_.Begin(HashCombine(seed, ++walks_)); }

bool DirectedWalk::IsInCircle(const ThreadView& thread) const {
  const Point& next = thread.next;
  if (next.kind == PointKind::kInterrupt) return ComesTooEarly(thread);
  if (next.kind != PointKind::kLock && next.kind != PointKind::kLockShared) return false;
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    if (place.wanted == next.lock_class->id() &&
        (!place.needs_held || Holds(*thread.held, place.held)) &&
        place.site_hash == HashSite(next.site))
      return true;
  }
  return false;
}

std::uint32_t DirectedWalk::Pick(const Choice& choice) {
  std::uint32_t others = 0;
  for (std::uint32_t i = 0; i < choice.count; ++i)
    if (!IsInCircle(*choice.runnable[i])) ++others;
  if (others == 0 || others == choice.count || draw_.Below(kPatience) == 0)
    return draw_.Below(choice.count);
  std::uint32_t left = draw_.Below(others);
  for (std::uint32_t i = 0;; ++i)
    if (!IsInCircle(*choice.runnable[i]) && left-- == 0) return i;
}

}  // namespace locking::explore
