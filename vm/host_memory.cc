#include "vm/host_memory.h"

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>

namespace vm {
namespace {

constexpr std::size_t kSmallPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t InSmallPages(std::size_t bytes) { return (bytes + kSmallPage - 1) & ~(kSmallPage - 1); }

}  // namespace

void* AllocateHostMemory(std::size_t bytes, std::size_t alignment) {
  if (bytes < kHugePage) return ::operator new(bytes, std::align_val_t{alignment});
  // Not from the allocator: the host would refuse what is more than it has.
  const std::size_t used = InSmallPages(bytes);
  const std::size_t room = used + kHugePage;
  void* mapping = mmap(nullptr, room, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  void* memory = mapping;
  std::size_t left = room;
  std::align(kHugePage, used, memory, left);
  if (left != room) munmap(mapping, room - left);
  if (left > used) munmap(static_cast<std::byte*>(memory) + used, left - used);
  // Advice only: without huge pages the same is slower.
  madvise(memory, used, MADV_HUGEPAGE);
  return memory;
}

void FreeHostMemory(void* memory, std::size_t bytes, std::size_t alignment) {
  if (bytes < kHugePage)
    ::operator delete(memory, std::align_val_t{alignment});
  else
    munmap(memory, InSmallPages(bytes));
}

}  // namespace vm
