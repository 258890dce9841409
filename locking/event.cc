#include "locking/event.h"

#include "locking/evidence.h"
#include "locking/witness.h"

namespace locking {

void Event::Misused(const char* how, Site site) const {
  if (Executor* executor = Self().executor; executor != nullptr && executor->abandoned()) return;
  FailInvariant("LK01", FormatLock(class_, instance_) + " is " + how + ", at " + FormatSite(site));
}

void Event::Promise(Site site) {
  std::uint32_t nobody = kNobody;
  if (!signaller_.compare_exchange_strong(nobody, Self().id, std::memory_order_relaxed))
    return Misused("promised twice", site);
  PromiseResource({.resource_class = &class_, .instance = instance_, .identity = this}, site);
}

void Event::Set(Site site) {
  ThreadState& self = Self();
  if (signaller_.load(std::memory_order_relaxed) != self.id)
    return Misused("set by a thread that did not promise it", site);
  if (IsSet(site)) return Misused("set again", site);
  if (self.run.witness != nullptr) {
    witness_ = self.run.witness;
    moment_ = witness_->Depart(self);
  }
  DropResource(this);
  set_.Store(true, std::memory_order_release, site);
  sleepers_.WakeAll(this, site);
}

void Event::Wait(Site site) {
  const Resource resource{.resource_class = &class_,
                          .instance = instance_,
                          .holder = &signaller_,
                          .message = "event",
                          .identity = this};
  BeforeWait(resource, site);
  while (!IsSet(site))
    sleepers_
        .SleepUnless(
            this, [this] { return set_.word().load(std::memory_order_acquire); }, resource, site)
        .AndRetry();
  ThreadState& self = Self();
  if (moment_ != nullptr && self.run.witness == witness_) witness_->Follow(self, *moment_);
}

}  // namespace locking
