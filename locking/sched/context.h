// The switch between two stacks of one OS thread: stack pointer, frame pointer and a jump; the
// compiler saves what else it still needs. It keeps no floating-point control word and no signal
// mask.
//
// No call and no return takes part: the processor predicts returns by a stack of its own, which a
// call without its return would mislead for all callers.
//
// Thread safety: a context is resumed by the OS thread that made it.
#ifndef LOCKING_SCHED_CONTEXT_H_
#define LOCKING_SCHED_CONTEXT_H_

#include <cstdint>

namespace locking {

// A point of execution that does not run.
struct Context {
  void* stack_pointer = nullptr;
  const std::uintptr_t* frame = nullptr;  // frame pointer
  const void* program_counter = nullptr;
};

// A context that begins in `entry(argument)` on the stack that ends at `stack_end` (16-byte
// aligned). `entry` never returns.
Context MakeContext(void* stack_end, void (*entry)(void*), void* argument);

// Saves the running context in `from` and resumes `to`; goes on when somebody resumes `from`.
__attribute__((always_inline)) inline void SwitchContext(Context& from, const Context& to) {
#if defined(__x86_64__)
  Context* saved = &from;
  const Context* resumed = &to;
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "movq %%rsp, 0(%0)\n\t"
      "movq %%rbp, 8(%0)\n\t"
      "movq %%rax, 16(%0)\n\t"
      "movq 0(%1), %%rsp\n\t"
      "movq 8(%1), %%rbp\n\t"
      "jmpq *16(%1)\n\t"
      "1:"
      : "+D"(saved), "+S"(resumed)
      :
      : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
        "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
        "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
#else
#error \
    "the fibre switch is written for x86-64 alone: add this processor's to locking/sched/context.h"
#endif
}

}  // namespace locking

#endif  // LOCKING_SCHED_CONTEXT_H_
