#include "locking/held_locks.h"

namespace locking {
namespace {

// All but the time.
void CopyEntry(const HeldLock& from, HeldLock* to) {
  to->lock.store(from.lock.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to->lock_class.store(from.lock_class.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to->site.store(from.site.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to->packed.store(from.packed.load(std::memory_order_relaxed), std::memory_order_relaxed);
  to->chain = from.chain;
}

bool IsLock(const LockClass* lock_class) { return lock_class->kind() != LockKind::kResource; }

}  // namespace

std::uint64_t OutlivedLocks::ChainKey() const {
  std::uint64_t key = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t bit =
        locks[i].lock_class->id() * 2ull + static_cast<unsigned>(locks[i].mode);
    key |= 1ull << (bit % 64);
  }
  return key;
}

std::uint32_t OutlivedLocks::Instances() const {
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) sum += locks[i].instance;
  return sum;
}

HeldLocks::HeldLocks() : entries_(inline_entries_ + 1) {
  inline_entries_[0].packed.store(std::uint64_t{kNoInstances} << HeldLock::kInstancesShift,
                                  std::memory_order_relaxed);
  inline_entries_[0].chain = 0;
}
HeldLocks::~HeldLocks() = default;

void HeldLocks::Grow() {
  auto larger = std::make_unique<HeldLock[]>(1 + capacity_ * 2);
  const HeldLock* current = entries_.load(std::memory_order_relaxed) - 1;
  for (std::uint32_t i = 0; i < 1 + capacity_; ++i) {
    CopyEntry(current[i], &larger[i]);
    larger[i].since_ns.store(current[i].since_ns.load(std::memory_order_relaxed),
                             std::memory_order_relaxed);
  }
  capacity_ *= 2;
  entries_.store(larger.get() + 1, std::memory_order_release);
  grown_.push_back(std::move(larger));
}

inline bool HeldLocks::IsLikeOuter(const HeldLock& entry, LockMode mode) {
  const HeldLock& outer = *(&entry - 1);
  const LockClass* lock_class = entry.lock_class.load(std::memory_order_relaxed);
  return !IsLock(lock_class) && entry.attempt() == Attempt::kTry &&
         outer.lock_class.load(std::memory_order_relaxed) == lock_class && outer.mode() == mode &&
         outer.attempt() == Attempt::kTry;
}

inline void HeldLocks::JoinOuter(HeldLock& entry) {
  const HeldLock& outer = *(&entry - 1);
  constexpr std::uint64_t kOwn = (1ull << HeldLock::kInstancesShift) - 1;
  entry.packed.store((entry.packed.load(std::memory_order_relaxed) & kOwn) |
                         (outer.packed.load(std::memory_order_relaxed) & ~kOwn),
                     std::memory_order_relaxed);
  entry.chain = outer.chain;
}

void HeldLocks::PushResource(const void* identity, const LockClass& resource_class,
                             std::uint32_t instance, LockMode mode, Attempt attempt, Site site) {
  Push(identity, resource_class, instance, mode, attempt, site);
  HeldLock& newest = at(size() - 1);
  if (size() - 1 > own_ && IsLikeOuter(newest, mode)) JoinOuter(newest);
}

// A handler's entry follows from nothing before it.
inline void HeldLocks::Refill(std::uint32_t i, LockMode mode) {
  HeldLock* entries = entries_.load(std::memory_order_relaxed);
  HeldLock& entry = entries[i];
  if (i > own_ && IsLikeOuter(entry, mode)) return JoinOuter(entry);
  const LockClass& lock_class = *entry.lock_class.load(std::memory_order_relaxed);
  const bool begins = lock_class.kind() == LockKind::kInterrupt;
  Fill(entry, begins ? *(entries - 1) : *(&entry - 1), lock_class.id(), entry.instance(), mode,
       entry.attempt(), OutlivedBy(i));
}

void HeldLocks::BeginInterrupt(const void* interrupt, const LockClass& lock_class,
                               std::uint32_t instance, Site site) {
  own_ = size();
  Push(interrupt, lock_class, instance, LockMode::kExclusive, Attempt::kBlocking, site);
  Refill(own_, LockMode::kExclusive);
}

void HeldLocks::EndInterrupt() {
  size_.store(own_, std::memory_order_release);
  own_ = 0;
}

bool HeldLocks::RemoveInner(const void* lock) {
  HeldLock* entries = entries_.load(std::memory_order_relaxed);
  const std::uint32_t n = size_.load(std::memory_order_relaxed);
  const HeldLock* removed = Find(lock);
  if (removed == nullptr) return false;
  const OutlivedLocks::Lock outlived{removed->lock_class.load(std::memory_order_relaxed),
                                     removed->instance(), removed->mode()};
  if (outlived_.size() < n) outlived_.resize(n);
  for (auto i = static_cast<std::uint32_t>(removed - entries); i + 1 < n; ++i)
    MoveDown(entries, i, outlived);
  if (removed < entries + own_) --own_;
  size_.store(n - 1, std::memory_order_release);
  return true;
}

inline void HeldLocks::MoveDown(HeldLock* entries, std::uint32_t to,
                                const OutlivedLocks::Lock& removed) {
  HeldLock& entry = entries[to];
  const HeldLock& from = entries[to + 1];
  Unstamp(entry);
  CopyEntry(from, &entry);
  if (entry.outlives()) outlived_[to] = outlived_[to + 1];
  if (IsLock(removed.lock_class) && IsLock(entry.lock_class.load(std::memory_order_relaxed))) {
    if (!entry.outlives()) outlived_[to].count = 0;
    outlived_[to].Add(removed);
    entry.packed.store(entry.packed.load(std::memory_order_relaxed) | HeldLock::kOutlives,
                       std::memory_order_relaxed);
  }
  Refill(to, entry.mode());
  entry.since_ns.store(from.since_ns.load(std::memory_order_relaxed), std::memory_order_release);
}

std::uint64_t HeldLocks::ChainWithout(const void* released, const LockClass& lock_class) const {
  std::uint64_t chain = 0;
  for (std::uint32_t i = 0; i < size(); ++i) {
    const HeldLock& held = at(i);
    if (held.lock.load(std::memory_order_relaxed) != released && !Repeats(i))
      chain = Chain(chain, held.lock_class.load(std::memory_order_relaxed)->id(), held.mode(),
                    held.attempt());
  }
  return Chain(chain, lock_class.id(), LockMode::kExclusive, Attempt::kBlocking);
}

bool HeldLocks::Change(const void* lock, LockMode mode, Site site) {
  HeldLock* changed = Find(lock);
  if (changed == nullptr) return false;
  changed->site.store(site, std::memory_order_relaxed);
  const auto first = static_cast<std::uint32_t>(changed - &at(0));
  for (std::uint32_t i = first; i < size(); ++i) Refill(i, i == first ? mode : at(i).mode());
  return true;
}

HeldLock* HeldLocks::Find(const void* lock) const {
  HeldLock* entries = entries_.load(std::memory_order_acquire);
  for (std::uint32_t i = size(); i-- > 0;)
    if (entries[i].lock.load(std::memory_order_relaxed) == lock) return &entries[i];
  return nullptr;
}

}  // namespace locking
