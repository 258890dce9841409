// Relaxed: a field that one lock guards, and that others may read without it as a hint: what they
// read may be out of date when they use it, so they take the lock and look again. Also counts that
// several threads add to and nobody decides by. Never a scheduling point.
#ifndef LOCKING_RELAXED_H_
#define LOCKING_RELAXED_H_

#include <atomic>

namespace locking {

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
  // Without a lock too: no addition is lost.
  void Add(T n) { value_.fetch_add(n, std::memory_order_relaxed); }
  void Subtract(T n) { value_.fetch_sub(n, std::memory_order_relaxed); }
  // For wait records, which name their holder by such a word.
  const std::atomic<T>& word() const { return value_; }

 private:
  std::atomic<T> value_;
};

// The same of a pointer that others follow without the lock: what it points to is there for them as
// it was when the pointer was stored.
template <typename T>
class Published {
 public:
  constexpr Published(T* value = nullptr) : value_(value) {}
  Published(const Published&) = delete;
  T* operator=(T* value) {
    value_.store(value, std::memory_order_release);
    return value;
  }
  operator T*() const { return value_.load(std::memory_order_acquire); }
  T* operator->() const { return *this; }

 private:
  std::atomic<T*> value_;
};

}  // namespace locking

#endif  // LOCKING_RELAXED_H_
