// The life of fibres under ExploreExecutor, to the end of an execution that is given up. Compiled
// without sanitizers, as explore_core.cc.
#include <cxxabi.h>
#include <sys/single_threaded.h>

#include <cstdlib>
#include <exception>

#include "locking/sched/context.h"
#include "locking/sched/explore_executor.h"
#include "locking/sched/explore_switch.h"
#include "locking/sched/sanitizer_fibres.h"
#include "locking/sched/unwind_safety.h"

namespace locking {

void ExploreExecutor::RunFibres(Fibre& main) {
  eh_globals_ = reinterpret_cast<EhGlobals*>(abi::__cxa_get_globals());
  if (sanitizer::Tsan()) {
    host_.tsan_fibre = __tsan_get_current_fiber();
    // The standard library counts references without atomics in a process of one OS thread; to TSan
    // the fibres are threads.
    __libc_single_threaded = 0;
  }
  sanitizer::Release(&main.start_edge);
  current_ = &main;
  Switch(host_, main, false);
  current_ = nullptr;
  for (std::uint32_t i = 0; i < used_; ++i) sanitizer::Acquire(&fibres_[i]->end_edge);
}

// The same, and the sanitizers are told.
__attribute__((noinline)) void ExploreExecutor::SwitchAnnounced(FibreContext& from,
                                                                FibreContext& to, bool last) {
  if (sanitizer::Asan())
    __sanitizer_start_switch_fiber(last ? nullptr : &from.asan_fake_stack, to.stack_bottom,
                                   to.stack_bytes);
  if (sanitizer::Tsan()) __tsan_switch_to_fiber(to.tsan_fibre, sanitizer::kNoSync);
  SwitchContext(from.context, to.context);
  if (sanitizer::Asan()) __sanitizer_finish_switch_fiber(from.asan_fake_stack, nullptr, nullptr);
  if (abandoned() && &from != &host_ && current_->state != FibreState::kEnded)
    IgnoreUnwinding(*current_);
}

Fibre& ExploreExecutor::TakeFibre(std::uint32_t parent) {
  if (used_ == fibres_.size()) fibres_.push_back(NewFibre(used_ + 1));
  Fibre& fibre = *fibres_[used_++];
  if (fibre.stack_unusable) [[unlikely]]
    PrepareFibre(fibre);
  fibre.parent = parent;
  fibre.state = FibreState::kEnded;
  fibre.unparked = false;
  fibre.interrupt = nullptr;
  fibre.abandoned_points = 0;
  fibre.abandoned_waits = 0;
  return fibre;
}

// New, or left for good in the middle of its stack.
void ExploreExecutor::PrepareFibre(Fibre& fibre) {
  fibre.stack_unusable = false;
  fibre.context = MakeContext(fibre.stack.end(), &FibreMain, &fibre);
  fibre.caught_exceptions = nullptr;
  fibre.uncaught_exceptions = 0;
  fibre.asan_fake_stack = nullptr;
  if (sanitizer::Asan()) __asan_unpoison_memory_region(fibre.stack.bottom(), fibre.stack.bytes());
  if (!sanitizer::Tsan()) return;
  if (fibre.tsan_fibre != nullptr) __tsan_destroy_fiber(fibre.tsan_fibre);
  fibre.tsan_fibre = __tsan_create_fiber(0);
}

void ExploreExecutor::StartFibre(Fibre& fibre) {
  fibre.word = WordOf(fibre.thread);
  fibre.running_id.store(fibre.id, std::memory_order_relaxed);
  fibre.next = {PointKind::kStart, nullptr, nullptr, Site{}};
  fibre.next_hash = HashCombine(fibre.parent, fibre.id);
  ++unfinished_;
  AddRunnable(fibre);
}

void ExploreExecutor::FibreMain(void* argument) {
  Fibre& self = *static_cast<Fibre*>(argument);
  ExploreExecutor& executor = *self.executor;
  if (sanitizer::Asan()) {
    // The first fibre ever is entered from the host, and learns the bounds of its stack.
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
    if (executor.host_.stack_bottom == nullptr) {
      executor.host_.stack_bottom = bottom;
      executor.host_.stack_bytes = bytes;
    }
  }
  while (!executor.dismissed_) {
    sanitizer::Acquire(&self.start_edge);
    if (executor.abandoned()) {
      executor.IgnoreUnwinding(self);
      executor.DropBody(self);
    } else {
      executor.RunBody(self);
    }
    executor.LeaveFibre(self);
  }
  executor.Switch(self, executor.host_, true);
  std::abort();
}

// ---- An execution that is given up

// While a thread unwinds it touches what it no longer holds the lock of: no races.
void ExploreExecutor::IgnoreUnwinding(Fibre& self) {
  if (!sanitizer::Tsan() || self.tsan_ignores) return;
  self.tsan_ignores = true;
  __tsan_ignore_thread_begin();
}

// From now on nobody is scheduled: fibres unwind, youngest first. Those younger than the caller
// have done so when this returns.
void ExploreExecutor::GiveUp() {
  abandoned_.store(true, std::memory_order_relaxed);
  Fibre& self = *current_;
  IgnoreUnwinding(self);
  if (self.state == FibreState::kEnded) return;  // LeaveFibre goes on
  for (Fibre* youngest; (youngest = YoungestUnfinished()) != nullptr && youngest->id > self.id;)
    SwitchTo(*youngest);
}

Fibre* ExploreExecutor::YoungestUnfinished() {
  for (std::uint32_t i = used_; i-- > 0;)
    if (fibres_[i]->state != FibreState::kEnded) return fibres_[i];
  return nullptr;
}

// Throws if it may; else the caller is in a destructor, perhaps, and goes on to its next operation.
void ExploreExecutor::PassAbandoned(bool may_throw) {
  if (may_throw) UnwindIfAbandoned();
  Fibre& self = *current_;
  if (++self.abandoned_points > kMaxAbandonedPoints) LeaveForGood(self);
}

// The caller waits for something in a destructor, most likely: others unwind first.
void ExploreExecutor::WaitAbandoned() {
  Fibre& self = *current_;
  if (++self.abandoned_waits <= kMaxAbandonedWaits) {
    for (std::uint32_t n = 1; n < used_; ++n) {
      Fibre& other = *fibres_[(self.id - 1 + used_ - n) % used_];
      if (other.state == FibreState::kEnded) continue;
      SwitchTo(other);
      break;
    }
  }
  if (++self.abandoned_points > kMaxAbandonedPoints) LeaveForGood(self);
}

void ExploreExecutor::UnwindIfAbandoned() {
  if (abandoned() && std::uncaught_exceptions() == 0 && UnwindingIsSafeHere())
    throw ExecutionAbandoned{};
}

// Gives the stack up without unwinding the rest of it: what it owns leaks, but nothing breaks.
void ExploreExecutor::LeaveForGood(Fibre& self) {
  self.stack_unusable = true;
  while (eh_globals_->caught_exceptions != nullptr) abi::__cxa_end_catch();
  LeaveFibre(self);
  std::abort();
}

// The fibres leave their stacks for the last time, so that ASan frees what it keeps for them.
void ExploreExecutor::DismissFibres() {
  dismissed_ = true;
  if (!sanitizer::Asan()) return;
  for (std::uint32_t i = 0; i < fibres_.size(); ++i)
    if (!fibres_[i]->stack_unusable) Switch(host_, *fibres_[i], false);
}

}  // namespace locking
