// The pager of an object that lost its own, and that somebody still refers to: it has nothing, and
// keeps nothing.
//
// Follows dead_pager of vm_pager.c.
#ifndef VM_PAGER_DEAD_PAGER_H_
#define VM_PAGER_DEAD_PAGER_H_

#include "vm/pager/pager.h"

namespace vm {

class DeadPager final : public Pager {
 public:
  explicit DeadPager(System& system) : Pager(system) {}

  bool HasPage(const Object&, Pindex) const override { return false; }
  PageRun RunAround(const Object&, Pindex) const override { return {}; }
  Result GetPages(Object&, std::span<Page* const>, std::uint32_t) override {
    return Result::kIoError;
  }
  void Write(WriteOut&) override {}
  void Deallocate(Object&) override {}

 private:
  void AssignPlaces(Object&, WriteOut& write) override {
    for (std::uint32_t i = 0; i < write.page_count; ++i)
      if (write.dirty[i] != 0) GiveBackDirty(write, i, PutState::kFailed);
  }
  void Settle(Object&, const WriteOut&, const WriteOut::Segment&) override {}
};

}  // namespace vm

#endif  // VM_PAGER_DEAD_PAGER_H_
