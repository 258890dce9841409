// Pagers that make the pages of their objects, and keep nothing elsewhere: a page that was made
// stays until its object ends, and is never written out.
//
//   device     fictitious pages of the frames of a device (fictitious.h)
//   physical   pages of the machine, unmanaged, and zeroed at their first use
//
// Follows device_pager.c and phys_pager.c of the seeds' era.
#ifndef VM_PAGER_MAKING_PAGERS_H_
#define VM_PAGER_MAKING_PAGERS_H_

#include "vm/pager/pager.h"

namespace vm {

class MakingPager : public Pager {
 public:
  using Pager::Pager;

  // Each page of the object can be made.
  bool HasPage(const Object& object, Pindex pindex) const override
      LOCKING_REQUIRES_SHARED(object.lock);
  bool makes_pages() const override { return true; }
  PageRun RunAround(const Object&, Pindex) const override { return {}; }
  Result GetPages(Object&, std::span<Page* const>, std::uint32_t) override {
    return Result::kIoError;
  }
  void Write(WriteOut&) override {}
  void Deallocate(Object&) override {}

 private:
  void AssignPlaces(Object&, WriteOut& write) override;
  void Settle(Object&, const WriteOut&, const WriteOut::Segment&) override {}
};

class DevicePager final : public MakingPager {
 public:
  using MakingPager::MakingPager;
  Result MakePage(Object& object, Pindex pindex, Page** page) override
      LOCKING_REQUIRES(object.lock);
};

class PhysicalPager final : public MakingPager {
 public:
  using MakingPager::MakingPager;
  Result MakePage(Object& object, Pindex pindex, Page** page) override
      LOCKING_REQUIRES(object.lock);
};

// Objects of these types, with one reference: the caller's. Not locked.
// The `frames` frames of a device from `first` on.
Object* AllocateDeviceObject(System& system, Frame first, std::uint32_t frames);
Object* AllocatePhysicalObject(System& system, Pindex pages);

}  // namespace vm

#endif  // VM_PAGER_MAKING_PAGERS_H_
