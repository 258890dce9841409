// What the tests of paging share: a store that counts and fails, and a machine whose pages can be
// written out by hand.
#ifndef TESTS_VM_PAGING_H_
#define TESTS_VM_PAGING_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "locking/mutex.h"
#include "tests/vm/machine.h"
#include "vm/reclaim.h"

namespace vm {

inline const locking::LockClass kTestStoreLock("test store", locking::LockKind::kMutex);

// A memory store that tells what was written and fails when told to. Settings are changed while
// nobody uses the store.
class TestStore final : public Store {
 public:
  explicit TestStore(std::uint32_t slots) : memory_(MakeMemoryStore(slots, kTestPageSize)) {}

  Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override {
    {
      locking::MutexGuard guard(lock_);
      write_sizes_.push_back(static_cast<std::uint32_t>(pages.size()));
    }
    if (fail_writes) return Result::kIoError;
    const Result result = memory_->Write(slot, pages);
    if (during_write) during_write();
    return result;
  }
  Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override {
    const bool fail = fail_reads || (fail_reads_of_several && pages.size() > 1);
    return fail ? Result::kIoError : memory_->Read(slot, pages);
  }

  // Pages of each write since the last call.
  std::vector<std::uint32_t> TakeWriteSizes() {
    locking::MutexGuard guard(lock_);
    return std::exchange(write_sizes_, {});
  }

  bool fail_writes = false;
  bool fail_reads = false;
  bool fail_reads_of_several = false;  // more than one page
  std::function<void()> during_write;  // after the bytes were copied

 private:
  const std::unique_ptr<Store> memory_;
  locking::Mutex lock_{kTestStoreLock};
  std::vector<std::uint32_t> write_sizes_;
};

// A machine with a test store and one space.
class PagingMachine : public Machine {
 public:
  explicit PagingMachine(std::uint32_t pages = 64, std::uint32_t swap_slots = 64)
      : PagingMachine(pages, swap_slots, new TestStore(swap_slots)) {}
  ~PagingMachine() {
    system.Stop();
    if (space != nullptr) space->Exit();
    EXPECT_EQ(system.swap().used(), 0u) << "swap slots leaked";
    EXPECT_EQ(system.swap().CountBits(), 0u);
    EXPECT_EQ(FreePages(), system.config().pages) << "pages leaked";
  }

  Address At(std::uint32_t page) const { return base + page * kTestPageSize; }
  // New memory at At(0), `pages` long.
  void MapPages(std::uint32_t pages) { base = Map(space, pages); }
  // Each page holds a word of its own.
  void Fill(std::uint32_t first, std::uint32_t count, std::uint64_t seed = 0) {
    for (std::uint32_t page = first; page < first + count; ++page)
      Store(space, At(page) + 8, ValueOf(page, seed));
  }
  void ExpectFilled(std::uint32_t first, std::uint32_t count, std::uint64_t seed = 0) {
    for (std::uint32_t page = first; page < first + count; ++page)
      EXPECT_EQ(Load(space, At(page) + 8), ValueOf(page, seed)) << "page " << page;
  }
  static std::uint64_t ValueOf(std::uint32_t page, std::uint64_t seed) {
    return (seed << 32) + page + 1;
  }
  Object* FirstObject() LOCKING_NO_ANALYSIS {
    locking::ReadGuard guard(space->map().lock);
    return space->map().Lookup(base)->object;
  }
  Page* PageAt(std::uint32_t page) { return FirstPage(space, At(page)); }
  bool Resident(std::uint32_t page) { return PageAt(page) != nullptr; }

  // Writes the resident pages [first, first + count) out. Returns how many were written.
  std::uint32_t PageOut(std::uint32_t first, std::uint32_t count) LOCKING_NO_ANALYSIS {
    Object* object = FirstObject();
    ObjectGuard guard(object->lock);
    std::vector<Page*> pages;
    for (std::uint32_t page = first; page < first + count; ++page)
      pages.push_back(LookupPage(*object, page));
    return system.swap().PageOut(*object, pages);
  }
  // Frees the clean pages [first, first + count). Returns how many went.
  std::uint32_t Evict(std::uint32_t first, std::uint32_t count) LOCKING_NO_ANALYSIS {
    Object* object = FirstObject();
    ObjectGuard guard(object->lock);
    std::uint32_t freed = 0;
    for (std::uint32_t index = first; index < first + count; ++index) {
      Page* page = LookupPage(*object, index);
      if (page == nullptr) continue;
      Deactivate(*page);
      if (ReclaimPage(system, *object, *page) == Reclaimed::kYes) ++freed;
    }
    return freed;
  }
  std::uint32_t SlotOf(std::uint32_t page) LOCKING_NO_ANALYSIS {
    Object* object = FirstObject();
    ObjectGuard guard(object->lock);
    return object->swap == nullptr ? kNoSlot : object->swap->SlotOf(page);
  }
  void Deactivate(Page& page) LOCKING_NO_ANALYSIS {
    PageRoleGuard guard(system.queues().PageLock(page));
    system.queues().Deactivate(page);
  }
  void DeactivatePages(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t page = first; page < first + count; ++page) {
      Page* resident = PageAt(page);
      resident->referenced.Store(false);
      Pmap::TestAndClearReferenced(system, *resident);
      Deactivate(*resident);
    }
  }
  std::uint64_t Count(Event event) { return system.counters().Get(event); }

 private:
  PagingMachine(std::uint32_t pages, std::uint32_t swap_slots, TestStore* its_store)
      : Machine(pages, swap_slots, 4, std::unique_ptr<vm::Store>(its_store)), store(its_store) {}

 public:
  TestStore* const store;  // the machine's
  Space* space = system.CreateSpace();
  Address base = 0;
};

}  // namespace vm

#endif  // TESTS_VM_PAGING_H_
