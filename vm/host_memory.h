// Memory of the host for what is as big as the machine: its frames and their descriptors. A fault
// goes to a place of its own in both, so they lie on huge pages where the host has them; else most
// faults would miss the host's TLB twice (docs/decisions.md).
//
// Thread safety: all functions may be called by any thread.
#ifndef VM_HOST_MEMORY_H_
#define VM_HOST_MEMORY_H_

#include <cstddef>

namespace vm {

// `bytes` of memory that was not touched yet, and of which the host need not have more than is
// touched. `alignment`: a power of two, at most a huge page. Throws std::bad_alloc.
void* AllocateHostMemory(std::size_t bytes, std::size_t alignment);
// With what it was allocated with.
void FreeHostMemory(void* memory, std::size_t bytes, std::size_t alignment);

class HostMemory {
 public:
  HostMemory(std::size_t bytes, std::size_t alignment)
      : bytes_(bytes),
        alignment_(alignment),
        memory_(static_cast<std::byte*>(AllocateHostMemory(bytes, alignment))) {}
  ~HostMemory() { FreeHostMemory(memory_, bytes_, alignment_); }
  HostMemory(const HostMemory&) = delete;

  std::byte* get() const { return memory_; }

 private:
  const std::size_t bytes_;
  const std::size_t alignment_;
  std::byte* const memory_;
};

template <typename T>
struct HostAllocator {
  using value_type = T;
  HostAllocator() = default;
  template <typename U>
  explicit HostAllocator(const HostAllocator<U>&) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(AllocateHostMemory(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* memory, std::size_t count) {
    FreeHostMemory(memory, count * sizeof(T), alignof(T));
  }
  bool operator==(const HostAllocator&) const = default;
};

}  // namespace vm

#endif  // VM_HOST_MEMORY_H_
