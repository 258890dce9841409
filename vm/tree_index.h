// A binary search tree of pages by page index, red-black or splay; its links stand in the pages.
// See page_index.h for the contract.
//
// A splay tree brings what is looked up to its root, so such a lookup needs the object's lock
// exclusively. Peek leaves the tree as it is.
//
// Thread safety: guarded by the object's lock (shared for const functions).
//
// Follows vm_page.c:491 (splay).
#ifndef VM_TREE_INDEX_H_
#define VM_TREE_INDEX_H_

#include <boost/intrusive/rbtree_algorithms.hpp>
#include <boost/intrusive/splaytree_algorithms.hpp>
#include <cstdint>

#include "vm/page.h"
#include "vm/tree_link.h"
#include "vm/types.h"

namespace vm {

// What Boost.Intrusive wants to know of a node.
struct TreeLinkTraits {
  using node = TreeLink;
  using node_ptr = TreeLink*;
  using const_node_ptr = const TreeLink*;
  using color = std::uintptr_t;

  static node_ptr get_left(const_node_ptr link) { return link->left; }
  static void set_left(node_ptr link, node_ptr left) { link->left = left; }
  static node_ptr get_right(const_node_ptr link) { return link->right; }
  static void set_right(node_ptr link, node_ptr right) { link->right = right; }
  static node_ptr get_parent(const_node_ptr link) {
    return reinterpret_cast<node_ptr>(link->parent_and_color & ~kColor);
  }
  static void set_parent(node_ptr link, node_ptr parent) {
    link->parent_and_color =
        reinterpret_cast<std::uintptr_t>(parent) | (link->parent_and_color & kColor);
  }
  static color get_color(const_node_ptr link) { return link->parent_and_color & kColor; }
  static void set_color(node_ptr link, color value) {
    link->parent_and_color = (link->parent_and_color & ~kColor) | value;
  }
  static color red() { return 0; }
  static color black() { return kColor; }

 private:
  static constexpr std::uintptr_t kColor = 1;
};

template <typename Algorithms>
class TreeIndex {
 public:
  TreeIndex() { Algorithms::init_header(&header_); }
  TreeIndex(const TreeIndex&) = delete;

  Page* Peek(Pindex pindex) const;
  Page* Lookup(Pindex pindex);
  Page* LookupAtOrAfter(Pindex pindex);
  // The key of the page, Page::pindex, is set here.
  void Insert(Pindex pindex, Page* page);
  Page* Remove(Pindex pindex);
  bool empty() const { return Algorithms::unique(&header_); }

 private:
  TreeLink header_;
};

using RbtreeIndex = TreeIndex<boost::intrusive::rbtree_algorithms<TreeLinkTraits>>;
using SplayIndex = TreeIndex<boost::intrusive::splaytree_algorithms<TreeLinkTraits>>;

}  // namespace vm

#endif  // VM_TREE_INDEX_H_
