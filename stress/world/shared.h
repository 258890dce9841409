// Shared: a counted reference, as std::shared_ptr, whose count is an Atomic of locking/. The
// standard one counts without atomics while the process has one OS thread, and the fibres of an
// exploration are threads to ThreadSanitizer all the same.
//
// Thread safety: as std::shared_ptr.
#ifndef STRESS_WORLD_SHARED_H_
#define STRESS_WORLD_SHARED_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "locking/atomic.h"

namespace stress {

template <typename T>
class Shared {
 public:
  Shared() = default;
  Shared(std::nullptr_t) {}
  Shared(const Shared& other) : box_(other.box_) {
    if (box_ != nullptr) box_->count.FetchAdd(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(box_, other.box_);
    return *this;
  }
  ~Shared() {
    if (box_ != nullptr && box_->count.FetchSub(1, std::memory_order_acq_rel) == 1) delete box_;
  }

  T* get() const { return box_ == nullptr ? nullptr : &box_->value; }
  T& operator*() const { return box_->value; }
  T* operator->() const { return &box_->value; }
  bool operator==(std::nullptr_t) const { return box_ == nullptr; }
  explicit operator bool() const { return box_ != nullptr; }
  void reset() { *this = Shared(); }
  // Nobody else has it; who else could get it meanwhile, the caller knows.
  bool unique() const { return box_ != nullptr && box_->count.Peek() == 1; }

 private:
  template <typename U, typename... Arguments>
  friend Shared<U> MakeShared(Arguments&&... arguments);
  struct Box {
    template <typename... Arguments>
    explicit Box(Arguments&&... arguments) : value(std::forward<Arguments>(arguments)...) {}
    locking::Atomic<std::uint32_t> count{1};
    T value;
  };
  Box* box_ = nullptr;
};

template <typename T, typename... Arguments>
Shared<T> MakeShared(Arguments&&... arguments) {
  Shared<T> shared;
  shared.box_ = new typename Shared<T>::Box(std::forward<Arguments>(arguments)...);
  return shared;
}

}  // namespace stress

#endif  // STRESS_WORLD_SHARED_H_
