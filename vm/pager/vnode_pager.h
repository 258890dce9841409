// The vnode pager: pages of a file. Holes and what follows the end of the file read as zero without
// a transfer; what follows the end is not written.
//
// The caller of all that transfers holds the vnode's lock: shared to read, exclusively to write.
//
// Follows vnode_pager.c of the seeds' era: haspage, getpages, putpages, undirty_pages.
#ifndef VM_PAGER_VNODE_PAGER_H_
#define VM_PAGER_VNODE_PAGER_H_

#include "vm/pager/pager.h"
#include "vm/vnode.h"

namespace vm {

class VnodePager final : public Pager {
 public:
  explicit VnodePager(System& system) : Pager(system) {}

  // Whether the file reaches into the page.
  bool HasPage(const Object& object, Pindex pindex) const override
      LOCKING_REQUIRES_SHARED(object.lock);
  // Up to the end of the file, in an aligned window.
  PageRun RunAround(const Object& object, Pindex pindex) const override
      LOCKING_REQUIRES_SHARED(object.lock);
  Result GetPages(Object& object, std::span<Page* const> pages, std::uint32_t wanted) override
      LOCKING_REQUIRES(object.lock);
  // A write that ends early leaves the rest dirty.
  void Write(WriteOut& write) override;
  void Deallocate(Object& object) override LOCKING_REQUIRES(object.lock);

 private:
  void AssignPlaces(Object& object, WriteOut& write) override LOCKING_REQUIRES(object.lock);
  void Settle(Object&, const WriteOut&, const WriteOut::Segment&) override {}
  // Sleeps.
  Result ReadInto(std::span<Page* const> pages, Vnode& vnode, MapIn how);
};

}  // namespace vm

#endif  // VM_PAGER_VNODE_PAGER_H_
