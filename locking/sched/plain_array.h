// PlainArray: a growing array of plain values that no sanitizer looks at, for what several fibres
// share without a happens-before edge. The standard containers would not do there: their functions
// are shared with instrumented code, and the linker keeps either copy.
//
// Thread safety: none.
#ifndef LOCKING_SCHED_PLAIN_ARRAY_H_
#define LOCKING_SCHED_PLAIN_ARRAY_H_

#include <cstdint>
#include <cstdlib>
#include <type_traits>

#include "locking/annotations.h"
#include "locking/sched/sanitizer_fibres.h"

namespace locking {

template <typename T>
class PlainArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PlainArray() = default;
  LOCKING_UNINSTRUMENTED ~PlainArray() { std::free(static_cast<void*>(data_)); }
  PlainArray(const PlainArray&) = delete;
  PlainArray& operator=(const PlainArray&) = delete;

  LOCKING_UNINSTRUMENTED std::uint32_t size() const { return size_; }
  LOCKING_UNINSTRUMENTED bool empty() const { return size_ == 0; }
  LOCKING_UNINSTRUMENTED T* data() { return data_; }
  LOCKING_UNINSTRUMENTED const T* data() const { return data_; }
  LOCKING_UNINSTRUMENTED T& operator[](std::uint32_t i) { return data_[i]; }
  LOCKING_UNINSTRUMENTED const T& operator[](std::uint32_t i) const { return data_[i]; }
  LOCKING_UNINSTRUMENTED T& back() { return data_[size_ - 1]; }
  LOCKING_UNINSTRUMENTED void push_back(T value) {
    if (size_ == capacity_) [[unlikely]]
      Grow(size_ + 1);
    data_[size_++] = value;
  }
  LOCKING_UNINSTRUMENTED void pop_back() { --size_; }
  LOCKING_UNINSTRUMENTED void clear() { size_ = 0; }
  // New elements are `value`.
  LOCKING_UNINSTRUMENTED void resize(std::uint32_t size, T value) {
    if (size > capacity_) Grow(size);
    while (size_ < size) data_[size_++] = value;
    size_ = size;
  }

 private:
  LOCKING_UNINSTRUMENTED __attribute__((noinline)) void Grow(std::uint32_t least) {
    sanitizer::IgnoreScope ignore;  // realloc reads and writes
    std::uint32_t capacity = capacity_ == 0 ? 16 : capacity_ * 2;
    if (capacity < least) capacity = least;
    data_ = static_cast<T*>(std::realloc(static_cast<void*>(data_), capacity * sizeof(T)));
    if (data_ == nullptr) std::abort();
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace locking

#endif  // LOCKING_SCHED_PLAIN_ARRAY_H_
