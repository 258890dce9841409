// A field that one lock guards, and that others may read without it as a hint: what they read may
// be out of date when they use it, so they take the lock and look again.
#ifndef VM_RELAXED_H_
#define VM_RELAXED_H_

#include <atomic>

namespace vm {

template <typename T>
class Relaxed {
 public:
  constexpr Relaxed(T value = T()) : value_(value) {}
  Relaxed(const Relaxed&) = delete;
  T operator=(T value) {
    value_.store(value, std::memory_order_relaxed);
    return value;
  }
  operator T() const { return value_.load(std::memory_order_relaxed); }
  T operator->() const { return *this; }

 private:
  std::atomic<T> value_;
};

}  // namespace vm

#endif  // VM_RELAXED_H_
