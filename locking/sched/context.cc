#include "locking/sched/context.h"

#if !defined(__x86_64__)
#error \
    "the fibre switch is written for x86-64 alone: add this processor's to locking/sched/context.cc"
#endif

namespace locking {

// What a saved context holds, from its stack pointer upwards.
struct Saved {
  std::uintptr_t r15, r14, r13, r12, rbx, rbp, rip;
};

asm(R"(
.text
.p2align 4
.globl locking_switch_context
.type locking_switch_context, @function
locking_switch_context:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
.size locking_switch_context, .-locking_switch_context

.p2align 4
.type locking_context_entry, @function
locking_context_entry:
  .cfi_startproc
  .cfi_undefined rip
  movq %r12, %rdi
  callq *%r13
  ud2
  .cfi_endproc
.size locking_context_entry, .-locking_context_entry
)");
extern "C" void locking_context_entry() __attribute__((visibility("hidden")));

void* MakeContext(void* stack_end, void (*entry)(void*), void* argument) {
  Saved* saved = static_cast<Saved*>(stack_end) - 1;
  *saved = Saved{};
  saved->r12 = reinterpret_cast<std::uintptr_t>(argument);
  saved->r13 = reinterpret_cast<std::uintptr_t>(entry);
  saved->rip = reinterpret_cast<std::uintptr_t>(&locking_context_entry);
  return saved;
}

SavedFrame FrameOf(const void* context) {
  const Saved* saved = static_cast<const Saved*>(context);
  return {saved->rip, reinterpret_cast<const std::uintptr_t*>(saved->rbp)};
}

}  // namespace locking
