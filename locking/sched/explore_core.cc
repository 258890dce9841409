// The scheduler of ExploreExecutor. Compiled without sanitizers: it runs on every fibre, and its
// state moves between them without a happens-before edge.
#include <cxxabi.h>

#include <bit>
#include <cstdlib>
#include <exception>

#include "locking/hash.h"
#include "locking/sched/context.h"
#include "locking/sched/explore_executor.h"
#include "locking/sched/sanitizer_fibres.h"
#include "locking/thread.h"

namespace locking {

// The part of the C++ runtime's per-thread state that belongs to a stack (Itanium C++ ABI, 2.2.2).
struct EhGlobals {
  void* caught_exceptions;
  unsigned uncaught_exceptions;
};

namespace {

constexpr std::uint32_t Bit(PointKind kind) { return 1u << static_cast<std::uint32_t>(kind); }
// Where a thread stands in a destructor, most likely, or is not yet known to its spawner.
constexpr std::uint32_t kThrowsNothing = Bit(PointKind::kUnlock) | Bit(PointKind::kWakeup) |
                                         Bit(PointKind::kSpawn) | Bit(PointKind::kJoin);
// What a spin loop does: nothing that could help another thread on.
constexpr std::uint32_t kIdleKinds =
    Bit(PointKind::kLoad) | Bit(PointKind::kTryLock) | Bit(PointKind::kYield);

bool MayThrow(PointKind kind) { return (kThrowsNothing & Bit(kind)) == 0; }

std::uint32_t BucketOf(const void* address) {
  return static_cast<std::uint32_t>((reinterpret_cast<std::uintptr_t>(address) * kHashMultiplier) >>
                                    58);
}

constexpr std::uint64_t kClockStartNs = 1'000'000'000;

// Bounds of what a thread may still do once its execution is given up and it cannot unwind.
constexpr std::uint32_t kMaxAbandonedPoints = 100'000;
constexpr std::uint32_t kMaxAbandonedWaits = 64;

}  // namespace

void ExploreExecutor::BeginExecution(Strategy& strategy, const Execution& execution) {
  strategy_ = &strategy;
  max_steps_ = execution.max_steps;
  steps_ = 0;
  trace_hash_ = 0;
  choices_.clear();
  runnable_.clear();
  yielded_.clear();
  timed_.clear();
  clock_ns_ = kClockStartNs;
  earliest_deadline_ = kNoDeadline;
  unfinished_ = 0;
  idle_yields_ = 0;
  used_ = 0;
  if (blocked_ != 0) {
    blocked_ = 0;
    for (std::uint32_t i = 0; i < kBuckets; ++i) blocked_heads_[i] = blocked_tails_[i] = nullptr;
  }
  seed_ = execution.seed;
  sanitizer_reports_ = 0;
  strategy.BeginExecution(execution.seed);
}

void ExploreExecutor::RunFibres(Fibre& main) {
  eh_globals_ = reinterpret_cast<EhGlobals*>(abi::__cxa_get_globals());
  if (sanitizer::Tsan()) host_.tsan_fibre = __tsan_get_current_fiber();
  sanitizer::Release(&main.start_edge);
  current_ = &main;
  Switch(host_, main, false);
  current_ = nullptr;
  for (std::uint32_t i = 0; i < used_; ++i) sanitizer::Acquire(&fibres_[i]->end_edge);
}

// ---- Switching

inline void ExploreExecutor::SwitchTo(Fibre& next) {
  Fibre& self = *current_;
  current_ = &next;
  Switch(self, next, false);
  if (abandoned() && announces_) [[unlikely]]
    IgnoreUnwinding(self);
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

// The same, and the sanitizers are told.
__attribute__((noinline)) void ExploreExecutor::SwitchAnnounced(FibreContext& from,
                                                                FibreContext& to, bool last) {
  if (sanitizer::Asan())
    __sanitizer_start_switch_fiber(last ? nullptr : &from.asan_fake_stack, to.stack_bottom,
                                   to.stack_bytes);
  if (sanitizer::Tsan()) __tsan_switch_to_fiber(to.tsan_fibre, sanitizer::kNoSync);
  SwitchContext(from.context, to.context);
  if (sanitizer::Asan()) __sanitizer_finish_switch_fiber(from.asan_fake_stack, nullptr, nullptr);
}

// ---- Choosing

// Enters what the caller is about to do, so that strategies see it and the trace can name it.
inline void ExploreExecutor::Announce(Fibre& self, PointKind kind, const void* address,
                                      const LockClass* lock_class, Site site) {
  self.next = {kind, address, lock_class, site};
  const std::uint64_t class_hash =
      lock_class != nullptr ? lock_class->name_hash() : 0x51ED270B7F4A7C15ull;
  self.next_hash = HashOfSite(std::bit_cast<const void*>(site), site) ^ std::rotl(class_hash, 23) ^
                   (static_cast<std::uint64_t>(kind) << 40) ^ self.id;
  if ((kIdleKinds & Bit(kind)) == 0) idle_yields_ = 0;
}

inline std::uint64_t ExploreExecutor::HashOfSite(const void* key, Site site) {
  const std::uint64_t slot = (reinterpret_cast<std::uintptr_t>(key) * kHashMultiplier) >> 54;
  static_assert(kSiteEntries == 1u << (64 - 54));
  SiteEntry& entry = sites_[slot];
  if (entry.site != key) [[unlikely]]
    entry = {key, HashSite(site)};
  return entry.hash;
}

// One step: somebody is runnable, and the strategy says who does its next operation.
inline Fibre& ExploreExecutor::Decide() {
  clock_ns_ += kPointNs;
  if (clock_ns_ >= earliest_deadline_) [[unlikely]]
    WakeTimedOut();
  const Choice choice{runnable_.data(), runnable_.size(), current_, steps_};
  const std::uint32_t index = strategy_->Pick(choice);
  if (index >= runnable_.size()) [[unlikely]]
    std::abort();
  Fibre& next = static_cast<Fibre&>(*runnable_[index]);
  ++steps_;
  choices_.push_back(next.id);
  trace_hash_ = HashCombine(trace_hash_, next.next_hash);
  return next;
}

// A step when the caller cannot run; nullptr when nobody can, now or later.
Fibre* ExploreExecutor::DecideForBlocked() {
  RestoreYielded();
  if (runnable_.empty() && !JumpClock()) return nullptr;
  return &Decide();
}

// The caller is not runnable: returns when it was picked again, or when the execution is given up.
void ExploreExecutor::Reschedule(Fibre& self) {
  Fibre* next = DecideForBlocked();
  if (next == nullptr) [[unlikely]]
    DeclareStuck();
  else if (next != &self)
    SwitchTo(*next);
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

inline void ExploreExecutor::RestoreYielded() {
  if (yielded_.empty()) [[likely]]
    return;
  for (std::uint32_t i = 0; i < yielded_.size(); ++i) AddRunnable(*yielded_[i]);
  yielded_.clear();
}

// ---- Time

// To the earliest deadline, whose sleepers become runnable. False: nobody sleeps with one.
bool ExploreExecutor::JumpClock() {
  if (timed_.empty()) return false;
  if (clock_ns_ < earliest_deadline_) clock_ns_ = earliest_deadline_;
  WakeTimedOut();
  return true;
}

void ExploreExecutor::WakeTimedOut() {
  for (std::uint32_t i = 0; i < timed_.size();) {
    Fibre& fibre = *timed_[i];
    if (fibre.deadline_ns > clock_ns_) {
      ++i;
      continue;
    }
    fibre.timed_out = true;
    AddRunnable(fibre);
    timed_[i] = timed_.back();
    timed_.pop_back();
  }
  FindEarliestDeadline();
}

void ExploreExecutor::FindEarliestDeadline() {
  earliest_deadline_ = kNoDeadline;
  for (std::uint32_t i = 0; i < timed_.size(); ++i)
    if (timed_[i]->deadline_ns < earliest_deadline_) earliest_deadline_ = timed_[i]->deadline_ns;
}

// Reading the clock takes time, so that a loop until some moment ends.
std::uint64_t ExploreExecutor::NowNs() { return clock_ns_ += kPointNs; }

// ---- The operations

void ExploreExecutor::AtPoint(PointKind kind, const void* address, const LockClass* lock_class,
                              Site site) {
  if (abandoned()) [[unlikely]]
    return PassAbandoned(MayThrow(kind));
  Fibre& self = *current_;
  Announce(self, kind, address, lock_class, site);
  if (steps_ >= max_steps_ && MayThrow(kind)) [[unlikely]]
    FailLivelock();
  RestoreYielded();
  Fibre& next = Decide();
  if (&next == &self) return;
  SwitchTo(next);
  if (abandoned()) [[unlikely]]
    PassAbandoned(MayThrow(self.next.kind));
}

void ExploreExecutor::BlockQuietly(const void* address) {
  Fibre& self = *current_;
  self.state = FibreState::kBlocked;
  self.blocked_on = address;
  self.next_blocked = nullptr;
  const std::uint32_t bucket = BucketOf(address);
  if (blocked_heads_[bucket] == nullptr)
    blocked_heads_[bucket] = &self;
  else
    blocked_tails_[bucket]->next_blocked = &self;
  blocked_tails_[bucket] = &self;
  ++blocked_;
  RemoveRunnable(self);
  Reschedule(self);
}

void ExploreExecutor::BlockOn(const void* address) {
  if (abandoned()) [[unlikely]]
    return WaitAbandoned();
  BlockQuietly(address);
  if (abandoned()) [[unlikely]]
    PassAbandoned(true);
}

void ExploreExecutor::WakeAddress(const void* address) {
  if (blocked_ == 0 || abandoned()) return;
  const std::uint32_t bucket = BucketOf(address);
  Fibre** link = &blocked_heads_[bucket];
  Fibre* last = nullptr;
  while (*link != nullptr) {
    Fibre* fibre = *link;
    if (fibre->blocked_on != address) {
      last = fibre;
      link = &fibre->next_blocked;
      continue;
    }
    *link = fibre->next_blocked;
    --blocked_;
    AddRunnable(*fibre);
  }
  blocked_tails_[bucket] = last;
}

bool ExploreExecutor::Park(std::uint64_t deadline_ns) {
  Fibre& self = *current_;
  if (self.unparked) {
    self.unparked = false;
    return true;
  }
  if (abandoned()) [[unlikely]] {
    WaitAbandoned();
    return false;
  }
  const WaitRecord& wait = self.thread.waiting;
  Announce(self, PointKind::kSleep, wait.target.load(std::memory_order_relaxed),
           wait.target_class.load(std::memory_order_relaxed),
           wait.site.load(std::memory_order_relaxed));
  self.state = FibreState::kParked;
  self.timed_out = false;
  self.deadline_ns = deadline_ns;
  if (deadline_ns != kNoDeadline) {
    timed_.push_back(&self);
    if (deadline_ns < earliest_deadline_) earliest_deadline_ = deadline_ns;
  }
  RemoveRunnable(self);
  Reschedule(self);
  return !self.timed_out && !abandoned();
}

void ExploreExecutor::Unpark(ThreadState& thread) {
  Fibre& fibre = *static_cast<Fibre*>(thread.executor_data);
  if (fibre.state != FibreState::kParked || abandoned()) {
    fibre.unparked = true;
    return;
  }
  if (fibre.deadline_ns != kNoDeadline) {
    for (std::uint32_t i = 0; i < timed_.size(); ++i) {
      if (timed_[i] != &fibre) continue;
      timed_[i] = timed_.back();
      timed_.pop_back();
      break;
    }
    FindEarliestDeadline();
  }
  AddRunnable(fibre);
}

void ExploreExecutor::Yield(Site site) {
  if (abandoned()) [[unlikely]] {
    WaitAbandoned();
    return PassAbandoned(true);
  }
  Fibre& self = *current_;
  Announce(self, PointKind::kYield, nullptr, nullptr, site);
  if (steps_ >= max_steps_) [[unlikely]]
    FailLivelock();
  RestoreYielded();
  // When all that run only spin, what they wait for is time.
  if (++idle_yields_ > 4 * runnable_.size() || runnable_.size() == 1) JumpClock();
  if (runnable_.size() > 1) {
    RemoveRunnable(self);
    self.state = FibreState::kYielded;
    yielded_.push_back(&self);
  }
  Fibre& next = Decide();
  if (&next != &self) SwitchTo(next);
  if (abandoned()) [[unlikely]]
    PassAbandoned(true);
}

void ExploreExecutor::Join(ThreadState* thread, Site site) {
  Fibre& target = *static_cast<Fibre*>(thread->executor_data);
  AtPoint(PointKind::kJoin, &target, nullptr, site);
  if (target.state != FibreState::kEnded && !abandoned()) {
    WaitScope waiting(current_->thread, &target, &kThreadJoinClass, 0, LockMode::kExclusive,
                      &target.running_id, "join", site);
    while (target.state != FibreState::kEnded && !abandoned()) BlockQuietly(&target);
  }
  // What the thread refers to may die once its joiner goes on: it unwinds first.
  for (Fibre& self = *current_; target.state != FibreState::kEnded;) {
    if (++self.abandoned_waits > kMaxAbandonedWaits) break;
    SwitchTo(target);
  }
  sanitizer::Acquire(&target.end_edge);
}

void ExploreExecutor::NoteSanitizerReport(const SanitizerReport& report) {
  if (sanitizer_reports_++ == 0) sanitizer_report_ = report;
}

// ---- Fibres

Fibre& ExploreExecutor::TakeFibre(std::uint32_t parent) {
  if (used_ == fibres_.size()) fibres_.push_back(NewFibre(used_ + 1));
  Fibre& fibre = *fibres_[used_++];
  if (fibre.stack_unusable) [[unlikely]]
    PrepareFibre(fibre);
  fibre.parent = parent;
  fibre.state = FibreState::kEnded;
  fibre.unparked = false;
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
  fibre.word = {WatchBitsOf(fibre.thread), fibre.id, 0, &fibre.thread};
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
    executor.LeaveFibre(self, false);
  }
  executor.Switch(self, executor.host_, true);
  std::abort();
}

// The calling fibre has ended; returns when it begins another body.
void ExploreExecutor::LeaveFibre(Fibre& self, bool last) {
  self.state = FibreState::kEnded;
  self.running_id.store(kNobody, std::memory_order_relaxed);
  --unfinished_;
  Fibre* next = nullptr;
  if (!abandoned()) {
    RemoveRunnable(self);
    WakeAddress(&self);
    if (unfinished_ != 0) {
      next = DecideForBlocked();
      if (next == nullptr) DeclareStuck();
    }
  }
  if (abandoned()) next = YoungestUnfinished();
  if (self.tsan_ignores) {
    self.tsan_ignores = false;
    __tsan_ignore_thread_end();
  }
  sanitizer::Release(&self.end_edge);
  if (next == nullptr) {
    Switch(self, host_, last);
  } else {
    current_ = next;
    Switch(self, *next, last);
  }
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
  if (may_throw && std::uncaught_exceptions() == 0) throw ExecutionAbandoned{};
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
  if (abandoned() && std::uncaught_exceptions() == 0) throw ExecutionAbandoned{};
}

// Gives the stack up without unwinding the rest of it: what it owns leaks, but nothing breaks.
void ExploreExecutor::LeaveForGood(Fibre& self) {
  self.stack_unusable = true;
  while (eh_globals_->caught_exceptions != nullptr) abi::__cxa_end_catch();
  LeaveFibre(self, true);
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
