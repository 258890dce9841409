// StackMemory: memory for a fibre's stack, with a guard page below it.
#ifndef LOCKING_SCHED_STACK_MEMORY_H_
#define LOCKING_SCHED_STACK_MEMORY_H_

#include <cstddef>

namespace locking {

inline constexpr std::size_t kStackBytes = 64 * 1024;
inline constexpr std::size_t kSanitizerStackBytes = 256 * 1024;  // their frames are larger

class StackMemory {
 public:
  explicit StackMemory(std::size_t bytes);  // a multiple of the page size
  ~StackMemory();
  StackMemory(const StackMemory&) = delete;
  StackMemory& operator=(const StackMemory&) = delete;

  char* bottom() const { return bottom_; }  // lowest usable address
  char* end() const { return bottom_ + bytes_; }
  std::size_t bytes() const { return bytes_; }

 private:
  char* bottom_;
  std::size_t bytes_;
};

}  // namespace locking

#endif  // LOCKING_SCHED_STACK_MEMORY_H_
