// The fixture of the VM's tests: a small real machine, with what most tests do to it.
#ifndef TESTS_VM_MACHINE_H_
#define TESTS_VM_MACHINE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "tests/vm/in_dialect.h"
#include "vm/check.h"
#include "vm/system.h"

namespace vm {

inline constexpr std::uint32_t kTestPageSize = 512;

class Machine {
 public:
  explicit Machine(std::uint32_t pages = 64, std::uint32_t swap_slots = 64, std::uint32_t cpus = 4,
                   std::unique_ptr<vm::Store> store = nullptr)
      : Machine(
            {.pages = pages, .page_size = kTestPageSize, .cpus = cpus, .swap_slots = swap_slots},
            std::move(store)) {}
  explicit Machine(const SystemConfig& config, std::unique_ptr<vm::Store> store = nullptr)
      : system(InDialect(config), std::move(store)) {}

  // `pages` of new anonymous memory.
  Address Map(Space* space, std::uint32_t pages, Inheritance inheritance = Inheritance::kCopy,
              Protection protection = Protection::kReadWrite) {
    Address start = 0;
    EXPECT_EQ(space->MapAnonymous(0, pages * kTestPageSize, protection, inheritance, &start),
              Result::kOk);
    return start;
  }
  std::uint64_t Load(Space* space, Address va, std::uint32_t cpu = 0) {
    std::uint64_t value = ~0ull;
    EXPECT_EQ(space->Load(system.cpu(cpu), va, &value), Result::kOk);
    return value;
  }
  void Store(Space* space, Address va, std::uint64_t value, std::uint32_t cpu = 0) {
    EXPECT_EQ(space->Store(system.cpu(cpu), va, value), Result::kOk);
  }
  std::uint32_t FreePages() {
    system.free_queue().DrainBatches();
    return system.free_queue().free_count();
  }
  // The page that backs `va` in the first object of its entry, or nullptr.
  Page* FirstPage(Space* space, Address va) LOCKING_NO_ANALYSIS {
    locking::ReadGuard map_guard(space->map().lock);
    const MapEntry* entry = space->map().Lookup(va);
    if (entry == nullptr || entry->object == nullptr) return nullptr;
    ObjectGuard guard(entry->object->lock);
    return LookupPage(*entry->object, entry->offset + system.BytesToPages(va - entry->start));
  }
  // Objects behind the entry at `va`, itself included.
  std::uint32_t ChainLength(Space* space, Address va) LOCKING_NO_ANALYSIS {
    locking::ReadGuard map_guard(space->map().lock);
    std::uint32_t length = 0;
    for (const Object* object = space->map().Lookup(va)->object; object != nullptr;
         object = object->backing)
      ++length;
    return length;
  }

  System system;
};

// The sweeps find nothing.
inline void ExpectSound(System& system) {
  for (const locking::Finding& finding : CheckSystem(system))
    ADD_FAILURE() << locking::FormatFinding(finding);
}

}  // namespace vm

#endif  // TESTS_VM_MACHINE_H_
