// A fixture below spaces: one object with pages, and pmaps to enter them in by hand.
#ifndef TESTS_VM_MAPPED_OBJECT_H_
#define TESTS_VM_MAPPED_OBJECT_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/vm/machine.h"
#include "vm/page_alloc.h"

namespace vm {

class MappedObject {
 public:
  explicit MappedObject(std::uint32_t pages, std::uint32_t machine_pages = 64)
      : machine(machine_pages),
        system(machine.system),
        object(*AllocateObject(system, ObjectType::kDefault, pages)) {
    for (Pindex i = 0; i < pages; ++i) NewPage(i);
  }
  ~MappedObject() {
    for (Pmap* pmap : pmaps_) {
      pmap->Destroy();
      system.ReturnPmap(pmap);
    }
    DeallocateObject(system, &object);
    EXPECT_EQ(system.pv_lists().in_use(), 0u);
    EXPECT_EQ(system.free_queue().free_count(), system.config().pages);
    EXPECT_EQ(system.queues().wired_count(), 0u);
  }

  Pmap& NewPmap() {
    pmaps_.push_back(system.TakePmap());
    return *pmaps_.back();
  }
  // Zero, valid and clean.
  Page& page(Pindex index) { return *pages_[index]; }
  void Enter(Pmap& pmap, Address va, Pindex index, Protection protection = Protection::kReadWrite,
             bool wired = false) {
    ObjectGuard guard(object.lock);
    EXPECT_EQ(pmap.Enter(va, page(index), protection, wired), Result::kOk);
  }
  void RemoveAll(Pindex index) {
    ObjectGuard guard(object.lock);
    Pmap::RemoveAll(system, page(index));
  }
  void RemoveWrite(Pindex index) {
    ObjectGuard guard(object.lock);
    Pmap::RemoveWrite(system, page(index));
  }
  bool Store(Pmap& pmap, Address va, std::uint64_t value, std::uint32_t cpu = 0) {
    return system.cpu(cpu).Store(pmap, va, value) == Cpu::Access::kDone;
  }
  // ~0: it faults.
  std::uint64_t Load(Pmap& pmap, Address va, std::uint32_t cpu = 0) {
    std::uint64_t value;
    return system.cpu(cpu).Load(pmap, va, &value) == Cpu::Access::kDone ? value : ~0ull;
  }
  // The page's words as the kernel sees them, which is by plain accesses.
  std::uint64_t* Words(Pindex index) {
    return reinterpret_cast<std::uint64_t*>(system.FrameBytes(page(index)).data());
  }

  Machine machine;
  System& system;
  Object& object;

 private:
  void NewPage(Pindex index) {
    ObjectGuard guard(object.lock);
    Page* page = AllocatePage(system, object, index, {});
    ASSERT_NE(page, nullptr);
    ZeroPage(system, *page);
    page->valid = system.AllBlocks();
    PageRoleGuard role_guard(system.queues().PageLock(*page));
    system.queues().Activate(*page);
    pages_.push_back(page);
  }

  std::vector<Page*> pages_;
  std::vector<Pmap*> pmaps_;
};

}  // namespace vm

#endif  // TESTS_VM_MAPPED_OBJECT_H_
