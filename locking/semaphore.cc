#include "locking/semaphore.h"

#include <algorithm>

#include "locking/evidence.h"
#include "locking/executor.h"

namespace locking {

bool Semaphore::TryTake(Site site) {
  std::uint32_t units = units_.Load(std::memory_order_relaxed, site);
  while (units > 0)
    if (units_.CompareExchange(units, units - 1, std::memory_order_acquire, site)) return true;
  return false;
}

void Semaphore::Take(Site site) {
  const Resource resource{.resource_class = &class_,
                          .instance = instance_,
                          .holder = capacity_ == 1 ? &holder_ : nullptr,
                          .message = "semaphore",
                          .identity = this,
                          .units = std::max(capacity_, 1u)};
  BeforeWait(resource, site);
  while (!TryTake(site))
    sleepers_.SleepUnless(this, [this] { return units_.Peek() > 0; }, resource, site).AndRetry();
}

void Semaphore::Hold(Site site) {
  if (capacity_ == 1) holder_.store(Self().id, std::memory_order_relaxed);
  HoldResource(this, class_, instance_, capacity_ == 1 ? LockMode::kExclusive : LockMode::kShared,
               site);
}

void Semaphore::Acquire(Site site) {
  Take(site);
  Hold(site);
}

bool Semaphore::TryAcquire(Site site) {
  if (!TryTake(site)) return false;
  Hold(site);
  return true;
}

void Semaphore::Release(Site site) {
  if (!DropResource(this)) {
    if (Executor* executor = Self().executor; executor != nullptr && executor->abandoned()) return;
    FailInvariant("LK01", FormatLock(class_, instance_) +
                              " is released by a thread that holds no unit, at " +
                              FormatSite(site));
  }
  holder_.store(kNobody, std::memory_order_relaxed);
  Give(site);
}

void Semaphore::Give(Site site) {
  units_.FetchAdd(1, std::memory_order_release, site);
  sleepers_.WakeOne(this, site);
}

}  // namespace locking
