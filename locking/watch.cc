#include "locking/watch.h"

#include "locking/finding.h"
#include "locking/futex.h"
#include "locking/statistics.h"
#include "locking/witness.h"

namespace locking::watch {

std::uint64_t NowNs(const ThreadState& self) {
  return self.executor != nullptr ? self.executor->NowNs() : MonotonicNs();
}

void AtPoint(ThreadState& self, PointKind kind, const void* address, const LockClass* lock_class,
             Site site) {
  if (self.executor != nullptr) self.executor->AtPoint({kind, address, lock_class, site});
}

void BeforeAcquire(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                   Site site) {
  if (self.run.witness != nullptr) self.run.witness->BeforeAcquire(self, lock, mode, attempt, site);
}

void AfterAcquire(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                  bool contended, std::uint64_t wait_ns, Site site) {
  if ((t_word.watch & (kWatchWitness | kWatchStatistics)) == 0) return;
  HeldLock& entry = self.held.Push(&lock, &lock.lock_class(), lock.instance(), mode, site);
  if (self.run.witness != nullptr)
    self.run.witness->AfterAcquire(self, entry, self.held.size() - 1);
  if (!self.run.statistics) return;
  entry.acquired_ns = NowNs(self);
  CountAcquisition(self, lock.lock_class().id(), contended, wait_ns);
  (void)attempt;
}

void BeforeRelease(ThreadState& self, const LockBase& lock, Site site) {
  (void)site;
  if ((t_word.watch & (kWatchWitness | kWatchStatistics)) == 0) return;
  LockMode mode;
  std::uint64_t acquired_ns = 0;
  const int index = self.held.Remove(&lock, &mode, &acquired_ns);
  if (index < 0) return;  // taken before the thread was watched
  if (self.run.witness != nullptr)
    self.run.witness->AfterRelease(self, static_cast<std::uint32_t>(index));
  if (acquired_ns != 0) CountHold(self, lock.lock_class().id(), NowNs(self) - acquired_ns);
}

void ModeChanged(ThreadState& self, const LockBase& lock, LockMode mode, Site site) {
  if (HeldLock* entry = self.held.Find(&lock); entry != nullptr) {
    entry->mode.store(mode, std::memory_order_relaxed);
    entry->site.store(site, std::memory_order_relaxed);
  }
}

void Destroyed(const LockBase& lock) {
  ThreadState& self = Self();
  if (self.executor != nullptr && self.executor->abandoned()) return;
  if (self.run.witness != nullptr) self.run.witness->Destroyed(self, lock);
  if (lock.owner().load(std::memory_order_relaxed) != kNobody)
    FailInvariant("LK01", lock.lock_class().name() + " #" + std::to_string(lock.instance()) +
                              " is destroyed while it is held");
}

void NotHeld(const LockBase& lock, const char* what, Site site) {
  FailInvariant("LK01", lock.lock_class().name() + " #" + std::to_string(lock.instance()) + " is " +
                            what + " by a thread that does not hold it, at " + FormatSite(site));
}

void Recursion(const LockBase& lock, Site site) {
  FailInvariant("LK01", lock.lock_class().name() + " #" + std::to_string(lock.instance()) +
                            " is taken again by its holder, at " + FormatSite(site));
}

}  // namespace locking::watch
