#include "locking/resource.h"

#include "locking/chain_cache.h"
#include "locking/executor.h"
#include "locking/witness.h"

namespace locking {
namespace {

void Push(ThreadState& self, const Resource& resource, LockMode mode, Attempt attempt, Site site) {
  self.held.PushResource(resource.identity, *resource.resource_class, resource.instance, mode,
                         attempt, site);
}

// Whether the newest that the thread holds is of the class, too: many pages of one cluster are
// shown to the witness as one.
bool HoldsOneLikeIt(const ThreadState& self, const Resource& resource, LockMode mode) {
  const std::uint32_t n = self.held.size();
  if (n == 0) return false;
  const HeldLock& newest = self.held.at(n - 1);
  return newest.lock_class.load(std::memory_order_relaxed) == resource.resource_class &&
         newest.mode() == mode && newest.attempt() == Attempt::kTry;
}

}  // namespace

void HoldResourceSlow(const Resource& resource, LockMode mode, Site site) {
  ThreadState& self = Self();
  if (Watched(kWatchWitness) && !HoldsOneLikeIt(self, resource, mode)) {
    const std::uint64_t chain = self.held.ChainWith(*resource.resource_class, mode, Attempt::kTry);
    if (self.chains == nullptr ||
        !self.chains->Hit(chain, self.held.InstancesWith(resource.instance)))
      self.run.witness->DecideHold(self, resource, mode, Attempt::kTry, site);
  }
  Push(self, resource, mode, Attempt::kTry, site);
  if (Watched(kWatchLimits)) [[unlikely]]
    watch::StampHold(self);
}

void BeforeWait(const Resource& resource, Site site) {
  if (!Watched(kWatchWitness)) return;
  ThreadState& self = Self();
  self.run.witness->BeforeSleep(self, nullptr, resource, kNoDeadline, site);
}

void PromiseResource(const Resource& resource, Site site) {
  if (!Watched(kWatchKeepsHeld)) return;
  ThreadState& self = Self();
  if (self.run.witness != nullptr)
    self.run.witness->DecideHold(self, resource, LockMode::kShared, Attempt::kPromise, site);
  Push(self, resource, LockMode::kShared, Attempt::kPromise, site);
}

Signaller::Signaller(const LockClass& resource_class, const void* identity, std::uint32_t instance,
                     Site site)
    : identity_(identity) {
  PromiseResource({.resource_class = &resource_class, .instance = instance, .identity = identity},
                  site);
}

Signaller::~Signaller() { DropResource(identity_); }

}  // namespace locking
