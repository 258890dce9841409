// Roster: a list of items that many workers pick from at every step, and that changes now and then.
// Use: an item that somebody works with.
//
// Each worker picks from a list of its own, under a lock that nobody else takes while the roster
// stays as it is. One list for all would be what a run measures, and its lock would order the steps
// of all workers, so that ThreadSanitizer would not see the VM's races between them.
//
// A worker's list is a beginning of the whole one: items are added at the end, a worker appends
// what it lacks when it picks, and what goes is taken out of every list at once.
//
// Thread safety: all functions of Roster may be called by any thread; a Use belongs to one thread.
// Lock key: (a) lock_; (o) Own::lock, which comes after it.
#ifndef STRESS_WORLD_ROSTER_H_
#define STRESS_WORLD_ROSTER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "locking/mutex.h"
#include "locking/random.h"
#include "locking/relaxed.h"
#include "stress/world/shared.h"

namespace stress {

// The item stays, and TakeUnused does not take it, while this lives. May be empty.
template <typename T>
class Use {
 public:
  Use() = default;
  Use(std::nullptr_t) {}
  // Of an item that stands in no roster.
  explicit Use(Shared<T> item) : loan_(MakeShared<Shared<T>>(std::move(item))) {}

  explicit operator bool() const { return static_cast<bool>(loan_); }
  bool operator==(std::nullptr_t) const { return loan_ == nullptr; }
  T& operator*() const { return **loan_; }
  T* operator->() const { return loan_->get(); }
  // To keep the item, and no more than that.
  const Shared<T>& item() const { return *loan_; }
  void reset() { loan_.reset(); }

 private:
  template <typename>
  friend class Roster;
  // A reference that counts the uses by one worker, where no other one counts.
  using Loan = Shared<Shared<T>>;
  explicit Use(Loan loan) : loan_(std::move(loan)) {}

  Loan loan_;
};

struct RosterConfig {
  const locking::LockClass& whole_list;  // classes of the locks
  const locking::LockClass& own_lists;
  std::uint32_t workers;
  std::uint32_t instance = 0;  // of the locks
};

template <typename T>
class Roster {
 public:
  explicit Roster(const RosterConfig& config)
      : own_count_(std::clamp(config.workers, 1u, kOwnListsMax)),
        lock_(config.whole_list, config.instance) {
    for (std::uint32_t i = 0; i < own_count_; ++i)
      owns_.push_back(std::make_unique<Own>(config.own_lists, config.instance));
  }

  std::uint32_t size() const { return size_; }

  void Add(Shared<T> item) LOCKING_EXCLUDES(lock_) {
    locking::MutexGuard guard(lock_);
    AddLocked(std::move(item));
  }
  Use<T> AddUsed(std::uint32_t worker, Shared<T> item) LOCKING_EXCLUDES(lock_) {
    Own& own = OwnOf(worker);
    locking::MutexGuard guard(lock_);
    AddLocked(std::move(item));
    locking::MutexGuard own_guard(own.lock);
    CatchUp(own);
    return Use<T>(own.loans.back());
  }
  // Some item; empty when there is none.
  Use<T> Pick(std::uint32_t worker, locking::Random& random) LOCKING_EXCLUDES(lock_) {
    Own& own = OwnOf(worker);
    if (own.size < size_) {
      locking::MutexGuard guard(lock_);
      locking::MutexGuard own_guard(own.lock);
      CatchUp(own);
    }
    locking::MutexGuard own_guard(own.lock);
    if (own.loans.empty()) return nullptr;
    return Use<T>(own.loans[random.Below(own.size)]);
  }

  // Nobody picks the item any more; who uses it goes on. Nothing if it is not in the roster.
  void Remove(const T& item) LOCKING_EXCLUDES(lock_) {
    std::vector<Loan> removed;  // outlives the locks: what ends with it may take others
    locking::MutexGuard guard(lock_);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].get() != &item) continue;
      for (const auto& own : owns_) removed.push_back(Withdraw(*own, i));
      EraseLocked(i);
      return;
    }
  }
  // Takes an item that nobody uses out of the roster; null when there is none, or no more than
  // `kept` items.
  Shared<T> TakeUnused(std::uint32_t kept, locking::Random& random) LOCKING_EXCLUDES(lock_) {
    locking::MutexGuard guard(lock_);
    const std::uint32_t count = size_;
    if (count <= kept) return nullptr;
    const std::uint32_t first = random.Below(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t index = (first + i) % count;
      if (!TryWithdraw(index)) continue;
      Shared<T> taken = items_[index];
      EraseLocked(index);
      return taken;
    }
    return nullptr;
  }
  std::vector<Shared<T>> All() const LOCKING_EXCLUDES(lock_) {
    locking::MutexGuard guard(lock_);
    return items_;
  }

 private:
  using Loan = typename Use<T>::Loan;
  static constexpr std::uint32_t kOwnListsMax = 64;  // more workers share them
  struct alignas(64) Own {
    Own(const locking::LockClass& lock_class, std::uint32_t instance)
        : lock(lock_class, instance) {}
    locking::Mutex lock;
    std::vector<Loan> loans LOCKING_GUARDED_BY(lock);  // and changes under (a) alone
    locking::Relaxed<std::uint32_t> size{0};           // of loans
  };

  Own& OwnOf(std::uint32_t worker) { return *owns_[worker % own_count_]; }

  void AddLocked(Shared<T> item) LOCKING_REQUIRES(lock_) {
    items_.push_back(std::move(item));
    size_ = static_cast<std::uint32_t>(items_.size());
  }
  void EraseLocked(std::size_t index) LOCKING_REQUIRES(lock_) {
    items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(index));
    size_ = static_cast<std::uint32_t>(items_.size());
  }
  void CatchUp(Own& own) LOCKING_REQUIRES(lock_, own.lock) {
    for (std::size_t i = own.loans.size(); i < items_.size(); ++i)
      own.loans.push_back(MakeShared<Shared<T>>(items_[i]));
    own.size = static_cast<std::uint32_t>(own.loans.size());
  }
  // Null if the list does not reach so far.
  Loan Withdraw(Own& own, std::size_t index) LOCKING_REQUIRES(lock_) {
    locking::MutexGuard guard(own.lock);
    if (index >= own.loans.size()) return nullptr;
    const auto place = own.loans.begin() + static_cast<std::ptrdiff_t>(index);
    Loan loan = std::move(*place);
    own.loans.erase(place);
    own.size = static_cast<std::uint32_t>(own.loans.size());
    return loan;
  }
  void Restore(Own& own, std::size_t index, Loan loan) LOCKING_REQUIRES(lock_) {
    locking::MutexGuard guard(own.lock);
    own.loans.insert(own.loans.begin() + static_cast<std::ptrdiff_t>(index), std::move(loan));
    own.size = static_cast<std::uint32_t>(own.loans.size());
  }
  // Out of all lists of workers, or of none if one of them uses the item.
  bool TryWithdraw(std::size_t index) LOCKING_REQUIRES(lock_) {
    std::vector<Loan> withdrawn;
    for (const auto& own : owns_) {
      withdrawn.push_back(Withdraw(*own, index));
      if (withdrawn.back() == nullptr || withdrawn.back().unique()) continue;
      for (std::size_t i = 0; i < withdrawn.size(); ++i)
        if (withdrawn[i] != nullptr) Restore(*owns_[i], index, std::move(withdrawn[i]));
      return false;
    }
    return true;
  }

  const std::uint32_t own_count_;
  std::vector<std::unique_ptr<Own>> owns_;
  locking::Relaxed<std::uint32_t> size_{0};  // written under (a)
  mutable locking::Mutex lock_;
  std::vector<Shared<T>> items_ LOCKING_GUARDED_BY(lock_);
};

}  // namespace stress

#endif  // STRESS_WORLD_ROSTER_H_
