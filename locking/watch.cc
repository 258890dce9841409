#include "locking/watch.h"

#include "locking/finding.h"
#include "locking/futex.h"
#include "locking/limits.h"
#include "locking/witness.h"

namespace locking {

void LockBase::TellOfConstruction() const {
  ThreadState& self = Self();
  if (self.executor != nullptr && self.executor->abandoned()) return;
  if (self.held.Find(this) != nullptr)
    FailInvariant("LK01", class_->name() + " #" + std::to_string(instance_) +
                              " is initialised while the caller holds what is at its address");
  self.run.witness->Constructed(*this);
}

namespace watch {
namespace {

bool InAbandonedExecution() {
  const Executor* executor = Self().executor;
  return executor != nullptr && executor->abandoned();
}

}  // namespace

std::uint64_t NowNs(const ThreadState& self) {
  return self.executor != nullptr ? self.executor->NowNs() : MonotonicNs();
}

void AskWitness(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                Site site) {
  self.run.witness->DecideChain(self, lock, mode, attempt, site);
}

void StampHold(ThreadState& self) { self.held.Stamp(MonotonicNs()); }

void EndLimitedHold(ThreadState& self, const void* lock, Site site) {
  const HeldLock* held = self.held.Find(lock);
  if (held == nullptr) return;
  self.run.limits->HoldEnds(self, static_cast<std::uint32_t>(held - &self.held.at(0)), site);
}

void TimeHold(const LockBase& lock) {
  ThreadState& self = Self();
  if (self.timed_lock != nullptr || self.executor != nullptr) return;
  self.timed_lock = &lock;
  self.timed_since_ns = NowNs(self);
  t_word.watch |= kWatchTimedHold;
}

void EndTimedHold(const LockBase& lock) {
  ThreadState& self = Self();
  CountHold(self, lock.counted_class(), NowNs(self) - self.timed_since_ns);
  self.timed_lock = nullptr;
  t_word.watch &= ~kWatchTimedHold;
}

void CountContended(const LockBase& lock, std::uint64_t wait_ns) {
  CountWait(Self(), lock.counted_class(), wait_ns);
  TimeHold(lock);
}

void ModeChanged(ThreadState& self, const LockBase& lock, LockMode mode, Site site) {
  self.held.Change(&lock, mode, site);
}

void Destroyed(const LockBase& lock, Usage usage) {
  ThreadState& self = Self();
  if (InAbandonedExecution()) return;
  if (self.run.witness != nullptr) self.run.witness->Destroyed(lock);
  if (usage == Usage::kInUse)
    FailInvariant("LK01", lock.lock_class().name() + " #" + std::to_string(lock.instance()) +
                              " is destroyed while it is held");
}

void NotHeld(const LockBase& lock, const char* what, Site site) {
  if (InAbandonedExecution()) return;
  FailInvariant("LK01", lock.lock_class().name() + " #" + std::to_string(lock.instance()) + " is " +
                            what + " by a thread that does not hold it, at " + FormatSite(site));
}

void Recursion(const LockBase& lock, Site site) {
  if (InAbandonedExecution()) return;
  FailInvariant("LK01", lock.lock_class().name() + " #" + std::to_string(lock.instance()) +
                            " is taken again by its holder, at " + FormatSite(site));
}

}  // namespace watch
}  // namespace locking
