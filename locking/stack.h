// Call stacks: taken by frame pointers (all our builds keep them), printed with the best symbols
// the build has.
#ifndef LOCKING_STACK_H_
#define LOCKING_STACK_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace locking {

using Stack = std::vector<std::uintptr_t>;  // return addresses, innermost first

// The caller's stack, without `skip` innermost frames.
Stack CurrentStack(int skip = 0);
// The stack of a fibre that does not run: where it stopped, and the frames from `frame` up. Reads
// nothing outside [low, high).
Stack StackOf(std::uintptr_t program_counter, const std::uintptr_t* frame, const void* low,
              const void* high);
// Into `frames`, 0-terminated if shorter than `depth`; readable by other threads at any time.
void SaveStack(std::atomic<std::uintptr_t>* frames, int depth);
// One line a frame: "vm::Fault::Resolve vm/fault.cc:88" (the file only where the build knows it).
std::vector<std::string> FormatStack(const Stack& stack);

}  // namespace locking

#endif  // LOCKING_STACK_H_
