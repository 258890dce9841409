#include "locking/held_locks.h"

namespace locking {
namespace {

void CopyEntry(const HeldLock& from, HeldLock* to) {
  to->lock.store(from.lock.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to->lock_class.store(from.lock_class.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to->site.store(from.site.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to->packed.store(from.packed.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to->chain = from.chain;
}

}  // namespace

HeldLocks::HeldLocks() : entries_(inline_entries_ + 1) {
  inline_entries_[0].packed.store(std::uint64_t{kNoInstances} << HeldLock::kInstancesShift,
                                  std::memory_order_relaxed);
  inline_entries_[0].chain = 0;
}
HeldLocks::~HeldLocks() = default;

void HeldLocks::Grow() {
  auto larger = std::make_unique<HeldLock[]>(1 + capacity_ * 2);
  const HeldLock* current = entries_.load(std::memory_order_relaxed) - 1;
  for (std::uint32_t i = 0; i < 1 + capacity_; ++i) CopyEntry(current[i], &larger[i]);
  capacity_ *= 2;
  entries_.store(larger.get() + 1, std::memory_order_release);
  grown_.push_back(std::move(larger));
}

bool HeldLocks::RemoveInner(const void* lock) {
  HeldLock* entries = entries_.load(std::memory_order_relaxed);
  const std::uint32_t n = size_.load(std::memory_order_relaxed);
  HeldLock* entry = Find(lock);
  if (entry == nullptr) return false;
  for (; entry + 1 < entries + n; ++entry) {
    CopyEntry(*(entry + 1), entry);
    Fill(*entry, *(entry - 1), entry->lock_class.load(std::memory_order_relaxed)->id(),
         entry->instance(), entry->mode(), entry->attempt());
  }
  size_.store(n - 1, std::memory_order_release);
  return true;
}

std::uint64_t HeldLocks::ChainWithout(const void* released, const LockClass& lock_class) const {
  std::uint64_t chain = 0;
  for (std::uint32_t i = 0; i < size(); ++i) {
    const HeldLock& held = at(i);
    if (held.lock.load(std::memory_order_relaxed) != released)
      chain = Chain(chain, held.lock_class.load(std::memory_order_relaxed)->id(), held.mode(),
                    held.attempt());
  }
  return Chain(chain, lock_class.id(), LockMode::kExclusive, Attempt::kBlocking);
}

bool HeldLocks::Change(const void* lock, LockMode mode, Site site) {
  HeldLock* changed = Find(lock);
  if (changed == nullptr) return false;
  changed->site.store(site, std::memory_order_relaxed);
  const HeldLock* end = &at(0) + size();
  for (HeldLock* entry = changed; entry < end; ++entry)
    Fill(*entry, *(entry - 1), entry->lock_class.load(std::memory_order_relaxed)->id(),
         entry->instance(), entry == changed ? mode : entry->mode(), entry->attempt());
  return true;
}

HeldLock* HeldLocks::Find(const void* lock) const {
  HeldLock* entries = entries_.load(std::memory_order_acquire);
  for (std::uint32_t i = size(); i-- > 0;)
    if (entries[i].lock.load(std::memory_order_relaxed) == lock) return &entries[i];
  return nullptr;
}

}  // namespace locking
