// The switch between fibres, and who is runnable or blocked: what the files of the scheduler share.
// Included by files compiled with UNINSTRUMENTED_COPTS alone.
#ifndef LOCKING_SCHED_EXPLORE_SWITCH_H_
#define LOCKING_SCHED_EXPLORE_SWITCH_H_

#include "locking/hash.h"
#include "locking/sched/explore_executor.h"
#include "locking/sched/sanitizer_fibres.h"
#include "locking/watch.h"

namespace locking {

// The part of the C++ runtime's per-thread state that belongs to a stack (Itanium C++ ABI, 2.2.2).
struct EhGlobals {
  void* caught_exceptions;
  unsigned uncaught_exceptions;
};

// Bounds of what a thread may still do once its execution is given up and it cannot unwind.
inline constexpr std::uint32_t kMaxAbandonedPoints = 100'000;
inline constexpr std::uint32_t kMaxAbandonedWaits = 64;

constexpr std::uint32_t Bit(PointKind kind) { return 1u << static_cast<std::uint32_t>(kind); }
constexpr std::uint32_t kBlockingKinds =
    Bit(PointKind::kLock) | Bit(PointKind::kLockShared) | Bit(PointKind::kJoin);

inline std::uint32_t BucketOf(const void* address) {
  return static_cast<std::uint32_t>((reinterpret_cast<std::uintptr_t>(address) * kHashMultiplier) >>
                                    58);
}

inline void ExploreExecutor::SwitchTo(Fibre& next) {
  Fibre& self = *current_;
  current_ = &next;
  Switch(self, next, false);
}

// `last`: nobody comes back to `from`.
inline void ExploreExecutor::Switch(FibreContext& from, FibreContext& to, bool last) {
  from.word = t_word;
  t_word = to.word;
  from.caught_exceptions = eh_globals_->caught_exceptions;
  from.uncaught_exceptions = eh_globals_->uncaught_exceptions;
  eh_globals_->caught_exceptions = to.caught_exceptions;
  eh_globals_->uncaught_exceptions = to.uncaught_exceptions;
  if (announces_) [[unlikely]] {
    SwitchAnnounced(from, to, last);
    return;
  }
  SwitchContext(from.context, to.context);
}

inline void ExploreExecutor::AddRunnable(Fibre& fibre) {
  fibre.state = FibreState::kRunnable;
  fibre.runnable_index = runnable_.size();
  runnable_.push_back(&fibre);
}

inline void ExploreExecutor::RemoveRunnable(Fibre& fibre) {
  Fibre& last = static_cast<Fibre&>(*runnable_.back());
  runnable_[fibre.runnable_index] = &last;
  last.runnable_index = fibre.runnable_index;
  runnable_.pop_back();
}

// A runnable fibre is no longer, until WakeAddress(address).
inline void ExploreExecutor::Block(Fibre& fibre, const void* address) {
  fibre.state = FibreState::kBlocked;
  fibre.blocked_on = address;
  fibre.next_blocked = nullptr;
  const std::uint32_t bucket = BucketOf(address);
  if (blocked_heads_[bucket] == nullptr)
    blocked_heads_[bucket] = &fibre;
  else
    blocked_tails_[bucket]->next_blocked = &fibre;
  blocked_tails_[bucket] = &fibre;
  ++blocked_;
  RemoveRunnable(fibre);
}

// Whether it would only block in its next operation: its lock is held, or who it joins has not
// ended. A lock that readers hold says nothing here: whoever is picked for it tries, and blocks.
inline bool ExploreExecutor::WouldBlock(const Fibre& fibre) const {
  if ((kBlockingKinds & Bit(fibre.next.kind)) == 0) return false;
  if (fibre.next.kind == PointKind::kJoin)
    return static_cast<const Fibre*>(fibre.next.address)->state != FibreState::kEnded;
  const auto* lock = static_cast<const LockBase*>(fibre.next.address);
  const std::uint32_t owner = lock->owner().load(std::memory_order_relaxed);
  return owner != kNobody && owner != fibre.id;
}

// Runs `next`, who was decided upon; returns when the caller is picked again, or when the execution
// is given up.
inline void ExploreExecutor::GoOnWith(Fibre& self, Fibre* next) {
  if (next == &self) return;
  if (next == nullptr) [[unlikely]]
    DeclareStuck();
  else
    SwitchTo(*next);
}

inline void ExploreExecutor::RestoreYielded() {
  if (yielded_.empty()) [[likely]]
    return;
  for (std::uint32_t i = 0; i < yielded_.size(); ++i) AddRunnable(*yielded_[i]);
  yielded_.clear();
}

}  // namespace locking

#endif  // LOCKING_SCHED_EXPLORE_SWITCH_H_
