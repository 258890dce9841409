#include "locking/sched/context.h"

namespace locking {

// The bottom of a fibre's stack: what its first resumption finds.
struct EntryArguments {
  void (*entry)(void*);
  void* argument;
};

asm(R"(
.text
.p2align 4
.type locking_context_entry, @function
locking_context_entry:
  .cfi_startproc
  .cfi_undefined rip
  movq 0(%rsp), %rax
  movq 8(%rsp), %rdi
  callq *%rax
  ud2
  .cfi_endproc
.size locking_context_entry, .-locking_context_entry
)");
extern "C" void locking_context_entry() __attribute__((visibility("hidden")));

Context MakeContext(void* stack_end, void (*entry)(void*), void* argument) {
  EntryArguments* arguments = static_cast<EntryArguments*>(stack_end) - 1;
  *arguments = {entry, argument};
  return {arguments, nullptr, reinterpret_cast<const void*>(&locking_context_entry)};
}

}  // namespace locking
