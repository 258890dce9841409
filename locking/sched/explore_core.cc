// The scheduler of ExploreExecutor. Compiled without sanitizers: it runs on every fibre, and its
// state moves between them without a happens-before edge.
#include <bit>
#include <cstdlib>

#include "locking/hash.h"
#include "locking/sched/explore_executor.h"
#include "locking/sched/explore_switch.h"
#include "locking/sched/sanitizer_fibres.h"
#include "locking/thread.h"
#include "locking/watch.h"

namespace locking {

namespace {

// Where a thread stands in a destructor, most likely, or is not yet known to its spawner.
constexpr std::uint32_t kThrowsNothing = Bit(PointKind::kUnlock) | Bit(PointKind::kWakeup) |
                                         Bit(PointKind::kSpawn) | Bit(PointKind::kJoin);
// What a spin loop does: nothing that could help another thread on.
constexpr std::uint32_t kIdleKinds =
    Bit(PointKind::kLoad) | Bit(PointKind::kTryLock) | Bit(PointKind::kYield);

bool MayThrow(PointKind kind) { return (kThrowsNothing & Bit(kind)) == 0; }

constexpr std::uint64_t kClockStartNs = 1'000'000'000;

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
  lines_used_ = 0;
  if (blocked_ != 0) {
    blocked_ = 0;
    for (std::uint32_t i = 0; i < kBuckets; ++i) blocked_heads_[i] = blocked_tails_[i] = nullptr;
  }
  seed_ = execution.seed;
  sanitizer_reports_ = 0;
  strategy.BeginExecution(execution.seed);
  uniform_ = strategy.uniform();
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
  idle_yields_ &= 0u - ((kIdleKinds >> static_cast<std::uint32_t>(kind)) & 1u);
}

inline std::uint64_t ExploreExecutor::HashOfSite(const void* key, Site site) {
  const std::uint64_t slot = (reinterpret_cast<std::uintptr_t>(key) * kHashMultiplier) >> 54;
  static_assert(kSiteEntries == 1u << (64 - 54));
  SiteEntry& entry = sites_[slot];
  if (entry.site != key) [[unlikely]]
    entry = {key, HashSite(site)};
  return entry.hash;
}

// Who has been set aside already depends on the strategy's questions; what follows from the number
// of those who can run must not, or a replay would differ.
void ExploreExecutor::SetAsideBlocked() {
  for (std::uint32_t i = 0; i < runnable_.size();) {
    Fibre& fibre = static_cast<Fibre&>(*runnable_[i]);
    if (WouldBlock(fibre))
      Block(fibre, fibre.next.address);
    else
      ++i;
  }
}

__attribute__((noinline)) std::uint32_t ExploreExecutor::AskStrategy() {
  const std::uint32_t index =
      strategy_->Pick({runnable_.data(), runnable_.size(), current_, steps_});
  if (index >= runnable_.size()) std::abort();
  return index;
}

// One step: the strategy says who does its next operation. A thread that would block in it is set
// aside, without being run, until it can go on. nullptr: nobody can run, now or later.
__attribute__((always_inline)) inline Fibre* ExploreExecutor::Decide() {
  clock_ns_ += kPointNs;
  if (clock_ns_ >= earliest_deadline_) [[unlikely]]
    WakeTimedOut();
  if (lines_used_ != 0) [[unlikely]]
    return DecideWithInterrupts();
  for (;;) {
    if (runnable_.empty()) [[unlikely]] {
      RestoreYielded();
      if (runnable_.empty() && !JumpClock()) return nullptr;
    }
    const std::uint32_t index =
        uniform_ != nullptr ? uniform_->Below(runnable_.size()) : AskStrategy();
    Fibre& next = static_cast<Fibre&>(*runnable_[index]);
    if (WouldBlock(next)) {
      Block(next, next.next.address);
      continue;
    }
    ++steps_;
    choices_.push_back(next.id);
    trace_hash_ = HashCombine(trace_hash_, next.next_hash);
    return &next;
  }
}

// The caller is not runnable: returns when it was picked again, or when the execution is given up.
void ExploreExecutor::Reschedule(Fibre& self) {
  RestoreYielded();
  GoOnWith(self, Decide());
}

// The caller was picked for a handler: returns when it was picked for its operation, or when the
// execution is given up.
void ExploreExecutor::RunInterrupts(Fibre& self) {
  while (self.interrupt != nullptr) {
    RunInterrupt(self);
    if (abandoned()) return;
    GoOnWith(self, Decide());
  }
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
  if (steps_ >= max_steps_) [[unlikely]] {
    if (MayThrow(kind)) FailLivelock();
  }
  RestoreYielded();
  GoOnWith(self, Decide());
  if (self.interrupt != nullptr) [[unlikely]]
    RunInterrupts(self);
  if (abandoned()) [[unlikely]]
    PassAbandoned(MayThrow(self.next.kind));
}

void ExploreExecutor::BlockOn(const void* address) {
  if (abandoned()) [[unlikely]]
    return WaitAbandoned();
  Fibre& self = *current_;
  Block(self, address);
  Reschedule(self);
  if (self.interrupt != nullptr) [[unlikely]]
    RunInterrupts(self);
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
  do {
    self.state = FibreState::kParked;
    self.timed_out = false;
    self.deadline_ns = deadline_ns;
    if (deadline_ns != kNoDeadline) {
      timed_.push_back(&self);
      if (deadline_ns < earliest_deadline_) earliest_deadline_ = deadline_ns;
    }
    RemoveRunnable(self);
    Reschedule(self);
  } while (self.interrupt != nullptr && SleepsOnAfterInterrupt(self));
  return !self.timed_out && !abandoned();
}

void ExploreExecutor::Unpark(ThreadState& thread) {
  Fibre& fibre = *static_cast<Fibre*>(thread.executor_data);
  if (fibre.state != FibreState::kParked || abandoned()) {
    fibre.unparked = true;
    return;
  }
  ForgetDeadline(fibre);
  AddRunnable(fibre);
}

void ExploreExecutor::ForgetDeadline(const Fibre& fibre) {
  if (fibre.deadline_ns == kNoDeadline) return;
  for (std::uint32_t i = 0; i < timed_.size(); ++i) {
    if (timed_[i] != &fibre) continue;
    timed_[i] = timed_.back();
    timed_.pop_back();
    break;
  }
  FindEarliestDeadline();
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
  SetAsideBlocked();
  // When all that run only spin, what they wait for is time.
  if (++idle_yields_ > 4 * runnable_.size() || runnable_.size() == 1) JumpClock();
  if (runnable_.size() > 1) {
    RemoveRunnable(self);
    self.state = FibreState::kYielded;
    yielded_.push_back(&self);
  }
  GoOnWith(self, Decide());
  if (self.interrupt != nullptr) [[unlikely]]
    RunInterrupts(self);
  if (abandoned()) [[unlikely]]
    PassAbandoned(true);
}

void ExploreExecutor::Join(ThreadState* thread, Site site) {
  Fibre& target = *static_cast<Fibre*>(thread->executor_data);
  AtPoint(PointKind::kJoin, &target, &kThreadJoinClass, site);  // goes on when the thread has ended
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

// The calling fibre has ended; returns when it begins another body.
void ExploreExecutor::LeaveFibre(Fibre& self) {
  self.state = FibreState::kEnded;
  self.running_id.store(kNobody, std::memory_order_relaxed);
  --unfinished_;
  Fibre* next = nullptr;
  if (!abandoned()) {
    RemoveRunnable(self);
    WakeAddress(&self);
    if (unfinished_ != 0) {
      RestoreYielded();
      next = Decide();
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
    Switch(self, host_, false);
  } else {
    current_ = next;
    Switch(self, *next, false);
  }
}

}  // namespace locking
