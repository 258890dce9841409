// How a page hangs in the binary tree of its object: see tree_index.h.
#ifndef VM_TREE_LINK_H_
#define VM_TREE_LINK_H_

#include <cstdint>

namespace vm {

struct TreeLink {
  TreeLink* left = nullptr;
  TreeLink* right = nullptr;
  std::uintptr_t parent_and_color = 0;  // the lowest bit: black
};

}  // namespace vm

#endif  // VM_TREE_LINK_H_
