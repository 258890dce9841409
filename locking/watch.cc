#include "locking/watch.h"

#include "locking/finding.h"
#include "locking/futex.h"
#include "locking/statistics.h"
#include "locking/witness.h"

namespace locking::watch {
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

void AfterAcquireSlow(ThreadState& self, HeldLock& entry, bool contended, std::uint64_t wait_ns) {
  entry.acquired_ns = NowNs(self);
  CountAcquisition(self, entry.lock_class.load(std::memory_order_relaxed)->id(), contended,
                   wait_ns);
}

void BeforeReleaseSlow(ThreadState& self, const LockBase& lock, std::uint64_t acquired_ns) {
  CountHold(self, lock.lock_class().id(), NowNs(self) - acquired_ns);
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

}  // namespace locking::watch
