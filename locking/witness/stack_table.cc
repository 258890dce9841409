#include "locking/witness/stack_table.h"

#include "locking/hash.h"

namespace locking {

StackId StackTable::Add(const Stack& stack) {
  if (stack.empty()) return kNoStack;
  std::uint64_t hash = stack.size();
  for (std::uintptr_t address : stack) hash = HashCombine(hash, address);
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto it = first; it != last; ++it)
    if (stacks_[it->second - 1] == stack) return it->second;
  stacks_.push_back(stack);
  const auto id = static_cast<StackId>(stacks_.size());
  by_hash_.emplace(hash, id);
  bytes_ += sizeof(Stack) + stack.size() * sizeof(std::uintptr_t) + 48;
  return id;
}

const Stack& StackTable::Get(StackId id) const {
  static const Stack empty;
  return id == kNoStack ? empty : stacks_[id - 1];
}

}  // namespace locking
