// Interrupts under ExploreExecutor. Each thread that takes an interrupt is one line; where a post
// is due and the thread has its interrupts enabled, the line stands among those that the strategy
// picks from. Whoever is picked so runs the handler in the operation that it stands in. Compiled
// without sanitizers, as explore_core.cc.
#include "locking/hash.h"
#include "locking/interrupt_state.h"
#include "locking/sched/explore_executor.h"
#include "locking/sched/explore_switch.h"
#include "locking/sched/sanitizer_fibres.h"

namespace locking {

void ExploreExecutor::TakeInterrupt(Interrupt& interrupt, std::uint32_t posts) {
  std::uint32_t n = 0;
  while (n < lines_used_ && lines_[n]->fibre != nullptr) ++n;
  if (n == lines_.size()) lines_.push_back(new InterruptLine);
  if (n == lines_used_) ++lines_used_;
  InterruptLine& line = *lines_[n];
  line.id = kFirstInterruptId + n;
  line.parent = current_->id;
  line.next = {PointKind::kInterrupt, &interrupt, &interrupt.lock_class(), Site{}};
  line.held = &current_->thread.held;
  line.next_hash = HashCombine(interrupt.lock_class().name_hash(), line.id);
  line.fibre = current_;
  line.interrupt = &interrupt;
  line.posts = posts;
}

void ExploreExecutor::LeaveInterrupt(Interrupt& interrupt) {
  for (std::uint32_t n = 0; n < lines_used_; ++n)
    if (lines_[n]->fibre == current_ && lines_[n]->interrupt == &interrupt)
      lines_[n]->fibre = nullptr;
}

void ExploreExecutor::PostInterrupt(Interrupt& interrupt) {
  if (abandoned()) return;
  sanitizer::Release(&interrupt);  // what the handler may read
  for (std::uint32_t n = 0; n < lines_used_; ++n)
    if (lines_[n]->fibre != nullptr && lines_[n]->interrupt == &interrupt) ++lines_[n]->posts;
}

bool ExploreExecutor::MayInterrupt(const InterruptLine& line) {
  return line.fibre != nullptr && line.posts != 0 && line.fibre->state != FibreState::kEnded &&
         line.fibre->thread.interrupts->off == 0;
}

// Whom the strategy picks, a line or a fibre; nullptr: nobody can run, now or later.
const ThreadView* ExploreExecutor::PickWithInterrupts() {
  if (runnable_.empty()) RestoreYielded();
  candidates_.clear();
  for (std::uint32_t i = 0; i < runnable_.size(); ++i) candidates_.push_back(runnable_[i]);
  for (std::uint32_t n = 0; n < lines_used_; ++n)
    if (MayInterrupt(*lines_[n])) candidates_.push_back(lines_[n]);
  if (candidates_.empty()) return JumpClock() ? PickWithInterrupts() : nullptr;
  const std::uint32_t index =
      uniform_ != nullptr
          ? uniform_->Below(candidates_.size())
          : strategy_->Pick({candidates_.data(), candidates_.size(), current_, steps_});
  return candidates_[index];
}

Fibre* ExploreExecutor::DecideWithInterrupts() {
  for (;;) {
    const ThreadView* picked = PickWithInterrupts();
    if (picked == nullptr) return nullptr;
    std::uint64_t hash = 0;
    Fibre* next = nullptr;
    if (picked->id >= kFirstInterruptId) {
      InterruptLine& line = *lines_[picked->id - kFirstInterruptId];
      hash = line.next_hash;
      next = line.fibre;
      Interrupted(line);
    } else {
      next = static_cast<Fibre*>(const_cast<ThreadView*>(picked));
      if (WouldBlock(*next)) {
        Block(*next, next->next.address);
        continue;
      }
      hash = next->next_hash;
    }
    ++steps_;
    choices_.push_back(picked->id);
    trace_hash_ = HashCombine(trace_hash_, hash);
    return next;
  }
}

// The thread of the line goes on, with the handler, wherever it stands.
void ExploreExecutor::Interrupted(InterruptLine& line) {
  Fibre& fibre = *line.fibre;
  --line.posts;
  fibre.interrupt = line.interrupt;
  fibre.interrupted_asleep = fibre.state == FibreState::kParked;
  idle_yields_ = 0;
  switch (fibre.state) {
    case FibreState::kRunnable:
    case FibreState::kEnded:
      return;
    case FibreState::kYielded:
      RestoreYielded();
      return;
    case FibreState::kBlocked:
      Unblock(fibre);
      break;
    case FibreState::kParked:
      ForgetDeadline(fibre);
      break;
  }
  AddRunnable(fibre);
}

void ExploreExecutor::Unblock(Fibre& fibre) {
  Fibre** link = &blocked_heads_[BucketOf(fibre.blocked_on)];
  Fibre* before = nullptr;
  while (*link != &fibre) {
    before = *link;
    link = &before->next_blocked;
  }
  *link = fibre.next_blocked;
  Fibre*& tail = blocked_tails_[BucketOf(fibre.blocked_on)];
  if (tail == &fibre) tail = before;
  --blocked_;
}

// The caller was picked to run a handler, in the operation that it is about to do.
void ExploreExecutor::RunInterrupt(Fibre& self) {
  Interrupt& interrupt = *self.interrupt;
  self.interrupt = nullptr;
  const Point next = self.next;
  const std::uint64_t hash = self.next_hash;
  sanitizer::Acquire(&interrupt);
  RunHandler(self.thread, interrupt, next.site);
  self.next = next;
  self.next_hash = hash;
}

// Of a caller who was picked for a handler in its sleep: runs it. False: somebody had woken the
// caller before, or did meanwhile, or the execution is given up.
bool ExploreExecutor::SleepsOnAfterInterrupt(Fibre& self) {
  RunInterrupt(self);
  if (!self.interrupted_asleep || abandoned()) return false;
  if (!self.unparked) return true;
  self.unparked = false;
  return false;
}

}  // namespace locking
