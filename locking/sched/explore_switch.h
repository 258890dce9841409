// The switch between fibres, and who is runnable: what the files of the scheduler share. Included
// by files compiled with UNINSTRUMENTED_COPTS alone.
#ifndef LOCKING_SCHED_EXPLORE_SWITCH_H_
#define LOCKING_SCHED_EXPLORE_SWITCH_H_

#include "locking/sched/explore_executor.h"
#include "locking/sched/sanitizer_fibres.h"

namespace locking {

// The part of the C++ runtime's per-thread state that belongs to a stack (Itanium C++ ABI, 2.2.2).
struct EhGlobals {
  void* caught_exceptions;
  unsigned uncaught_exceptions;
};

// Bounds of what a thread may still do once its execution is given up and it cannot unwind.
inline constexpr std::uint32_t kMaxAbandonedPoints = 100'000;
inline constexpr std::uint32_t kMaxAbandonedWaits = 64;

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

}  // namespace locking

#endif  // LOCKING_SCHED_EXPLORE_SWITCH_H_
