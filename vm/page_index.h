// The pages of one object by page index. It is also the object's page list: iteration is by rising
// index. Which kind of index an object has is said by the dialect of its machine.
//
// Thread safety: guarded by the object's lock, exclusively; shared for const functions.
#ifndef VM_PAGE_INDEX_H_
#define VM_PAGE_INDEX_H_

#include <variant>

#include "vm/dialect.h"
#include "vm/page.h"
#include "vm/radix_index.h"
#include "vm/tree_index.h"
#include "vm/types.h"

namespace vm {

class PageIndex {
 public:
  explicit PageIndex(IndexKind kind);
  PageIndex(const PageIndex&) = delete;

  // The page at `pindex`, or nullptr. Changes nothing.
  Page* Peek(Pindex pindex) const {
    const auto* radix = std::get_if<RadixIndex>(&index_);
    return radix != nullptr ? radix->Lookup(pindex) : PeekInTree(pindex);
  }
  // The same. A splay tree has the page at its root afterwards.
  Page* Lookup(Pindex pindex);
  // The page with the least index at or above `pindex`, or nullptr.
  Page* LookupAtOrAfter(Pindex pindex);
  // `pindex` must be free (INV-04).
  void Insert(Pindex pindex, Page* page, IndexNodePool& pool);
  // `pindex` must be taken. Returns the page.
  Page* Remove(Pindex pindex, IndexNodePool& pool);
  bool empty() const;
  // Whether Lookup changes anything.
  bool lookup_moves() const { return std::holds_alternative<SplayIndex>(index_); }

 private:
  Page* PeekInTree(Pindex pindex) const;

  std::variant<RadixIndex, RbtreeIndex, SplayIndex> index_;
};

}  // namespace vm

#endif  // VM_PAGE_INDEX_H_
