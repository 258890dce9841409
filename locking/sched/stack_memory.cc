#include "locking/sched/stack_memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

namespace locking {
namespace {

constexpr std::size_t kGuardBytes = 4096;

}  // namespace

StackMemory::StackMemory(std::size_t bytes) : bytes_(bytes) {
  void* memory = mmap(nullptr, kGuardBytes + bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kGuardBytes, PROT_NONE) != 0) {
    std::perror("no memory for the stack of a fibre");
    std::abort();
  }
  bottom_ = static_cast<char*>(memory) + kGuardBytes;
}

StackMemory::~StackMemory() { munmap(bottom_ - kGuardBytes, kGuardBytes + bytes_); }

}  // namespace locking
