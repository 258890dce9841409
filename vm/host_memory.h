// Memory of the host for what is as big as the machine: its frames and their descriptors. A fault
// goes to a place of its own in both, so they lie on huge pages where the host has them; else most
// faults would miss the host's TLB twice (docs/decisions.md).
//
// Thread safety: all functions may be called by any thread.
#ifndef VM_HOST_MEMORY_H_
#define VM_HOST_MEMORY_H_

#include <cstddef>

namespace vm {

// `bytes` of memory that was not touched yet. `alignment`: a power of two. Throws std::bad_alloc.
void* AllocateHostMemory(std::size_t bytes, std::size_t alignment);
void FreeHostMemory(void* memory, std::size_t alignment);

template <typename T>
struct HostAllocator {
  using value_type = T;
  HostAllocator() = default;
  template <typename U>
  explicit HostAllocator(const HostAllocator<U>&) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(AllocateHostMemory(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* memory, std::size_t) { FreeHostMemory(memory, alignof(T)); }
  bool operator==(const HostAllocator&) const = default;
};

}  // namespace vm

#endif  // VM_HOST_MEMORY_H_
