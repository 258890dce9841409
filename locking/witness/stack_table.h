// Call stacks of the witness, each kept once.
//
// Thread safety: none; guarded by its owner.
#ifndef LOCKING_WITNESS_STACK_TABLE_H_
#define LOCKING_WITNESS_STACK_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "locking/stack.h"

namespace locking {

using StackId = std::uint32_t;
inline constexpr StackId kNoStack = 0;

class StackTable {
 public:
  // Equal stacks have equal ids.
  StackId Add(const Stack& stack);
  // Empty for kNoStack.
  const Stack& Get(StackId id) const;
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<Stack> stacks_;
  std::unordered_multimap<std::uint64_t, StackId> by_hash_;
  std::size_t bytes_ = 0;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_STACK_TABLE_H_
