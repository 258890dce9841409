#include "locking/thread_state.h"

#include <sched.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "locking/asymmetric_barrier.h"
#include "locking/executor.h"
#include "locking/futex.h"
#include "locking/interrupt_state.h"
#include "locking/limits.h"
#include "locking/reader_slots.h"
#include "locking/resource.h"
#include "locking/stack.h"
#include "locking/statistics.h"
#include "locking/witness.h"

namespace locking {
namespace {

struct NativeRegistry {
  std::mutex mutex;
  std::map<std::uint32_t, ThreadState*> threads;
  std::uint32_t next_id = 1;
  std::set<std::uint32_t> unused_ordinals;  // of those below next_ordinal
  std::uint32_t next_ordinal = 0;

  std::uint32_t TakeOrdinal() {
    if (unused_ordinals.empty()) return next_ordinal++;
    return unused_ordinals.extract(unused_ordinals.begin()).value();
  }
};

NativeRegistry& Registry() {
  static NativeRegistry* registry = new NativeRegistry;
  return *registry;
}

// Owns the descriptor of an OS thread for as long as the thread lives.
class NativeRegistration {
 public:
  NativeRegistration(std::string name, const RunContext& run) {
    NativeRegistry& registry = Registry();
    std::lock_guard lock(registry.mutex);
    const std::uint32_t id = registry.next_id++;
    if (name.empty()) name = "thread " + std::to_string(id);
    state_ = std::make_unique<ThreadState>(id, std::move(name));
    state_->ordinal = registry.TakeOrdinal();
    state_->reader_slots = ReaderSlots::OfThread(state_->ordinal);
    state_->run = run;
    state_->run_id.store(run.id, std::memory_order_relaxed);
    registry.threads.emplace(id, state_.get());
    InstallThreadWord(WordOf(*state_));
  }
  ~NativeRegistration() {
    if (state_->run.witness != nullptr) state_->run.witness->AtThreadEnd(*state_);
    NativeRegistry& registry = Registry();
    std::lock_guard lock(registry.mutex);
    registry.threads.erase(state_->id);
    RetireStatistics(*state_);
    registry.unused_ordinals.insert(state_->ordinal);
    InstallThreadWord({});
  }

 private:
  std::unique_ptr<ThreadState> state_;
};

}  // namespace

ThreadState::ThreadState(std::uint32_t thread_id, std::string thread_name)
    : id(thread_id), ordinal(thread_id), name(std::move(thread_name)) {}
ThreadState::~ThreadState() { delete statistics.load(std::memory_order_relaxed); }

void InstallThreadWord(const ThreadWord& word) { t_word = word; }

ThreadState& RegisterThread(std::string name, const RunContext& run) {
  thread_local NativeRegistration registration(std::move(name), run);
  return *t_word.self;
}

ThreadState& SelfSlow() { return RegisterThread("", {}); }

ThreadWord WordOf(ThreadState& state) {
  std::uint32_t bits = 0;
  if (!AsymmetricBarriers()) bits |= kWatchFullBarriers;
  if (state.executor != nullptr) {
    bits |= kWatchExecutor;
    if (state.executor->wants_evidence()) bits |= kWatchHeld;
  }
  if (state.run.witness != nullptr) bits |= kWatchWitness;
  const Limits* limits = state.executor == nullptr ? state.run.limits : nullptr;
  if (limits != nullptr && limits->bounds().hold_ns != 0) bits |= kWatchLimits;
  if (state.interrupts != nullptr && !state.interrupts->lines.empty())
    bits |= kWatchInterrupts | kWatchHeld;
  return {.watch = bits,
          .id = state.id,
          .self = &state,
          .counts = state.run.statistics ? CountsOf(state) : nullptr};
}

RunContext SetRunContext(const RunContext& context) {
  ThreadState& self = Self();
  const RunContext former = self.run;
  self.run = context;
  self.run_id.store(context.id, std::memory_order_relaxed);
  self.timed_lock = nullptr;
  const bool other_limits = context.witness == nullptr && context.limits != former.limits;
  if (context.witness != former.witness || other_limits) {
    self.chains = nullptr;
    self.held.Clear();
  }
  InstallThreadWord(WordOf(self));
  return former;
}

std::uint32_t NextRunId() {
  static std::atomic<std::uint32_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::atomic<std::uint32_t>& StartingThreads() {
  static std::atomic<std::uint32_t> starting{0};
  return starting;
}

void VisitNativeThreads(ThreadVisitor& visitor) {
  NativeRegistry& registry = Registry();
  std::lock_guard lock(registry.mutex);
  for (const auto& [id, state] : registry.threads) visitor.Visit(*state);
}

namespace {

// The thread is the only writer of its own record.
void Advance(WaitRecord& wait) {
  wait.sequence.store(wait.sequence.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void EndWait(ThreadState& self) {
  WaitRecord& wait = self.waiting;
  if (self.executor != nullptr) {  // nobody else looks on while this thread runs
    Advance(wait);
    return;
  }
  // Sequentially consistent, as in PinnedWait: one of the two sees the other.
  wait.sequence.fetch_add(1, std::memory_order_seq_cst);
  while (wait.pins.load(std::memory_order_seq_cst) != 0) sched_yield();
}

template <typename T>
void CopyWord(const std::atomic<T>& from, std::atomic<T>* to) {
  to->store(from.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

// All but the sequence and the pins.
void CopyWait(const WaitRecord& from, WaitRecord* to) {
  CopyWord(from.target, &to->target);
  CopyWord(from.target_class, &to->target_class);
  CopyWord(from.instance, &to->instance);
  CopyWord(from.mode, &to->mode);
  CopyWord(from.holder, &to->holder);
  CopyWord(from.message, &to->message);
  CopyWord(from.site, &to->site);
  CopyWord(from.may_idle, &to->may_idle);
  CopyWord(from.has_deadline, &to->has_deadline);
  CopyWord(from.settled, &to->settled);
  CopyWord(from.woken, &to->woken);
  CopyWord(from.since_ns, &to->since_ns);
  for (int i = 0; i < WaitRecord::kStackDepth; ++i) CopyWord(from.stack[i], &to->stack[i]);
}

}  // namespace

void InspectNativeThreads(const std::function<void(std::span<ThreadState* const>)>& inspect) {
  NativeRegistry& registry = Registry();
  std::lock_guard lock(registry.mutex);
  std::vector<ThreadState*> threads;
  for (const auto& [id, state] : registry.threads) threads.push_back(state);
  inspect(threads);
}

WaitScope::WaitScope(ThreadState& self, const void* target, const LockClass* target_class,
                     std::uint32_t instance, LockMode mode,
                     const std::atomic<std::uint32_t>* holder, const char* message, Site site)
    : self_(self) {
  WaitRecord& wait = self.waiting;
  wait.target.store(target, std::memory_order_relaxed);
  wait.target_class.store(target_class, std::memory_order_relaxed);
  wait.instance.store(instance, std::memory_order_relaxed);
  wait.mode.store(mode, std::memory_order_relaxed);
  wait.holder.store(holder, std::memory_order_relaxed);
  wait.message.store(message, std::memory_order_relaxed);
  wait.has_deadline.store(false, std::memory_order_relaxed);
  wait.may_idle.store(false, std::memory_order_relaxed);
  wait.units.store(1, std::memory_order_relaxed);
  wait.settled.store(true, std::memory_order_relaxed);
  Begin(site);
}

WaitScope::WaitScope(ThreadState& self, const void* channel, const Resource& resource,
                     std::uint64_t deadline_ns, Site site)
    : self_(self) {
  WaitRecord& wait = self.waiting;
  wait.target.store(resource.identity == nullptr ? channel : resource.identity,
                    std::memory_order_relaxed);
  wait.target_class.store(resource.resource_class, std::memory_order_relaxed);
  wait.instance.store(resource.instance, std::memory_order_relaxed);
  wait.mode.store(LockMode::kExclusive, std::memory_order_relaxed);
  wait.holder.store(resource.holder, std::memory_order_relaxed);
  wait.message.store(resource.message, std::memory_order_relaxed);
  wait.has_deadline.store(deadline_ns != kNoDeadline, std::memory_order_relaxed);
  wait.may_idle.store(resource.may_idle, std::memory_order_relaxed);
  wait.units.store(resource.units, std::memory_order_relaxed);
  wait.settled.store(false, std::memory_order_relaxed);
  Begin(site);
}

void WaitScope::Begin(Site site) {
  WaitRecord& wait = self_.waiting;
  wait.site.store(site, std::memory_order_relaxed);
  wait.woken.store(false, std::memory_order_relaxed);
  if (self_.executor == nullptr) {
    wait.since_ns.store(MonotonicNs(), std::memory_order_relaxed);
    SaveStack(wait.stack, WaitRecord::kStackDepth);
  }
  Advance(wait);
}

WaitScope::~WaitScope() {
  EndWait(self_);
  if (self_.executor == nullptr && self_.run.limits != nullptr) [[unlikely]]
    self_.run.limits->WaitEnds(self_);
}

SuspendedWait::SuspendedWait(ThreadState& self) : self_(self) {
  if (self.waiting.sequence.load(std::memory_order_relaxed) % 2 == 0) return;
  record_ = std::make_unique<WaitRecord>();
  CopyWait(self.waiting, record_.get());
  EndWait(self);
}

SuspendedWait::~SuspendedWait() {
  if (record_ == nullptr) return;
  CopyWait(*record_, &self_.waiting);
  Advance(self_.waiting);
}

}  // namespace locking
