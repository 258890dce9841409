#include "vm/host_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace vm {
namespace {

constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;

}  // namespace

void* AllocateHostMemory(std::size_t bytes, std::size_t alignment) {
  void* memory = ::operator new(bytes, std::align_val_t{alignment});
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (address + kHugePage - 1) & ~(kHugePage - 1);
  const std::uintptr_t end = (address + bytes) & ~(kHugePage - 1);
  // Advice only: without huge pages the same is slower.
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
  return memory;
}

void FreeHostMemory(void* memory, std::size_t alignment) {
  ::operator delete(memory, std::align_val_t{alignment});
}

}  // namespace vm
