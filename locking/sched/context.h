// The switch between two stacks of one OS thread: six callee-saved registers and a jump. It keeps
// no floating-point control word and no signal mask.
//
// Thread safety: a context is resumed by the OS thread that made it.
#ifndef LOCKING_SCHED_CONTEXT_H_
#define LOCKING_SCHED_CONTEXT_H_

#include <cstddef>
#include <cstdint>

namespace locking {

// Saves the running context in `*from` and resumes `to`; returns when somebody resumes `*from`.
// Ends in a jump, not in a return: the processor predicts returns by a stack of its own, which a
// switch of stacks would always mislead.
extern "C" void locking_switch_context(void** from, void* to);

// A context that begins in `entry(argument)` on the stack that ends at `stack_end` (16-byte
// aligned). `entry` never returns.
void* MakeContext(void* stack_end, void (*entry)(void*), void* argument);

// Where a context that does not run stands: the frame pointer that it saved, and its return
// address.
struct SavedFrame {
  std::uintptr_t program_counter;
  const std::uintptr_t* frame;
};
SavedFrame FrameOf(const void* context);

}  // namespace locking

#endif  // LOCKING_SCHED_CONTEXT_H_
