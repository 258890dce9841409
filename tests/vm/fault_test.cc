// Faults on pages that are resident in their first object: they go side by side, and see all the
// same what makes a page more than resident.
#include "vm/fault.h"

#include <vector>

#include "locking/explore/check.h"
#include "locking/thread.h"
#include "tests/vm/files.h"
#include "vm/check.h"
#include "vm/object_clean.h"
#include "vm/object_ranges.h"
#include "vm/page_busy.h"
#include "vm/page_cow.h"

namespace vm {
namespace {

constexpr std::uint32_t kPages = 8;

// A machine with one space and memory whose pages have been faulted in so often that further faults
// expect them to be resident.
class ResidentMachine : public Machine {
 public:
  ResidentMachine() : space(system.CreateSpace()), start(Map(space, kPages)) {
    for (std::uint32_t page = 0; page < kPages; ++page) Store(space, At(page), page);
    for (int round = 0; round < 2; ++round) FaultAll();
  }
  Address At(std::uint32_t page) const { return start + page * kTestPageSize; }
  void Forget() { space->pmap().Remove(At(0), At(kPages)); }
  void FaultAll() {
    Forget();
    for (std::uint32_t page = 0; page < kPages; ++page)
      EXPECT_EQ(space->Fault(At(page), Protection::kReadWrite), Result::kOk);
  }
  Object& FirstObject() LOCKING_NO_ANALYSIS {
    locking::ReadGuard guard(space->map().lock);
    return *space->map().Lookup(start)->object;
  }

  Space* const space;
  const Address start;
};

TEST(ResidentFault, NeedsItsObjectSharedAlone) {
  if (Machine().system.giant() != nullptr) GTEST_SKIP() << "readers of a giant exclude one another";
  ResidentMachine machine;
  machine.Forget();
  Object& object = machine.FirstObject();
  const std::uint64_t before = machine.system.counters().Get(Event::kFaultResident);
  {
    ObjectReadGuard guard(object.lock);
    locking::Thread("faulter", [&] {
      EXPECT_EQ(machine.Load(machine.space, machine.At(3), 1), 3u);
    }).Join();
  }
  EXPECT_EQ(machine.system.counters().Get(Event::kFaultResident), before + 1);
  ExpectSound(machine.system);
}

// Mapped memory of a file whose faults expect its pages to be resident; the first and the last are
// dirty.
Address MapResidentFile(FileMachine& machine, std::uint32_t pages = kPages) {
  const Address start = machine.Shared(pages);
  for (int round = 0; round < 4; ++round) {
    for (const std::uint32_t page : {0u, pages - 1})
      machine.Store(machine.space, start + page * kTestPageSize, 1);
    machine.space->pmap().Remove(start, start + pages * kTestPageSize);
  }
  return start;
}

TEST(ResidentFault, AStoreToAFileThatMayBeDirtyNeedsItsObjectSharedAlone) {
  if (Machine().system.giant() != nullptr) GTEST_SKIP() << "readers of a giant exclude one another";
  FileMachine machine(kPages);
  const Address va = MapResidentFile(machine);
  {
    ObjectReadGuard guard(machine.object().lock);
    locking::Thread("faulter", [&] { machine.Store(machine.space, va, 2, 1); }).Join();
  }
  ASSERT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(0), 2u);
}

// The fault shares the object, whose sync has written the page, and is writing another one.
TEST(ResidentFault, AStoreToAFileBesideASyncIsWrittenByTheNext) {
  constexpr std::uint32_t kFilePages = 2 * kClusterPages;
  FileMachine machine(kFilePages);
  const Address va = MapResidentFile(machine, kFilePages);
  const std::uint64_t before = machine.file.writes.Get();
  machine.file.during_write = [&] {
    if (machine.file.writes.Get() == before + 2) machine.Store(machine.space, va, 2);
  };
  ASSERT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  machine.file.during_write = nullptr;
  ASSERT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(0), 2u);
}

TEST(ResidentFault, AStoreToAFileMayWaitOrNotAsItsMappingSays) {
  FileMachine machine(kPages);
  const Address va = MapResidentFile(machine);
  const std::uint64_t bytes = kPages * kTestPageSize;
  const auto store = [&] {
    machine.space->pmap().Remove(va, va + bytes);
    machine.Store(machine.space, va, 2);
    return machine.PageOfFile(0)->nosync;
  };
  ASSERT_EQ(machine.space->SetFlushing(va, bytes, Space::Flushing::kMayWait), Result::kOk);
  EXPECT_FALSE(store()) << "what was dirty before may not wait";
  ASSERT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  for (int round = 0; round < 8; ++round) EXPECT_TRUE(store());
  ASSERT_EQ(machine.space->SetFlushing(va, bytes, Space::Flushing::kUsual), Result::kOk);
  EXPECT_FALSE(store());
}

TEST(ResidentFault, APageThatIsNotThereIsZeroFilledAllTheSame) {
  ResidentMachine machine;
  machine.Forget();
  ASSERT_EQ(machine.space->Advise(machine.At(2), kTestPageSize, Advice::kFree), Result::kOk);
  {
    Object& object = machine.FirstObject();
    ObjectGuard guard(object.lock);
    RemovePages(machine.system, object, 2, 3, {});
  }
  for (std::uint32_t page = 0; page < kPages; ++page)
    EXPECT_EQ(machine.Load(machine.space, machine.At(page)), page == 2 ? 0 : page);
  ExpectSound(machine.system);
}

TEST(ResidentFault, ALentPageIsReplacedWhenItIsWritten) {
  ResidentMachine machine;
  Page* lent = nullptr;
  ASSERT_EQ(machine.space->LendPage(machine.At(5), &lent), Result::kOk);
  machine.Store(machine.space, machine.At(5), 77);
  EXPECT_NE(machine.FirstPage(machine.space, machine.At(5)), lent);
  EXPECT_EQ(machine.Load(machine.space, machine.At(5)), 77u);
  ReturnPage(machine.system, *lent);
  ExpectSound(machine.system);
}

TEST(ResidentFault, APageMadeInvalidIsReadInAgain) {
  FileMachine machine(kPages);
  const Address start = machine.Shared(kPages);
  for (int round = 0; round < 2; ++round) {
    machine.space->pmap().Remove(start, start + kPages * kTestPageSize);
    for (std::uint32_t page = 0; page < kPages; ++page)
      EXPECT_EQ(machine.Load(machine.space, start + page * kTestPageSize),
                FileMachine::ValueOf(page));
  }
  machine.file.SetWord(3 * kTestPageSize, 99);
  ASSERT_EQ(
      machine.space->Sync(start, kPages * kTestPageSize, SyncMode::kSynchronous, Invalidate::kYes),
      Result::kOk);
  EXPECT_EQ(machine.Load(machine.space, start + 3 * kTestPageSize), 99u);
}

TEST(ResidentFault, AStoreToAFileIsWrittenByTheNextSync) {
  FileMachine machine(kPages);
  const Address start = machine.Shared(kPages);
  for (std::uint64_t value = 1; value < 4; ++value) {
    machine.space->pmap().Remove(start, start + kPages * kTestPageSize);
    for (std::uint32_t page = 0; page < kPages; ++page)
      machine.Store(machine.space, start + page * kTestPageSize, value);
    ASSERT_EQ(
        machine.space->Sync(start, kPages * kTestPageSize, SyncMode::kSynchronous, Invalidate::kNo),
        Result::kOk);
    for (std::uint32_t page = 0; page < kPages; ++page)
      EXPECT_EQ(machine.file.WordAt(page * kTestPageSize), value);
  }
}

// What the fault had looked up is still there, but no longer in this map.
TEST(FaultTest, StartsAgainFromTheMapAfterASleep) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 1);
  machine.Store(space, va, 7);
  Space* child = space->Fork();
  Page* page = machine.FirstPage(space, va);
  Object* object = page->object;
  {
    ObjectGuard guard(object->lock);
    PagingBegin(*object);
    BusyPage(*object, *page);
    Pmap::RemoveAll(machine.system, *page);
  }
  locking::Thread faulter("faulter", [&] { EXPECT_EQ(machine.Load(space, va), 0u); });
  const auto waited_for = [&] {
    ObjectGuard guard(object->lock);
    return page->wanted;
  };
  while (!waited_for()) locking::Yield();
  EXPECT_EQ(space->Unmap(va, kTestPageSize), Result::kOk);
  EXPECT_EQ(machine.Map(space, 1), va);
  {
    ObjectGuard guard(object->lock);
    UnbusyPage(machine.system, *object, *page);
    PagingEnd(machine.system, *object);
  }
  faulter.Join();
  EXPECT_EQ(machine.Load(child, va), 7u);
  child->Exit();
  space->Exit();
}

// Two spaces share an object: threads of both fault on its pages while others take the mappings and
// the pages away.
class SharedMemory {
 public:
  void Run() {
    const Address start = machine_.start;
    Space* sharer = machine_.space;
    {
      std::vector<locking::Thread> threads;
      for (std::uint32_t cpu = 0; cpu < 2; ++cpu)
        threads.emplace_back("faulter", [this, sharer, start, cpu] {
          for (std::uint32_t i = 0; i < 6; ++i) {
            const std::uint32_t page = (i + 3 * cpu) % 3;
            const Address word = start + page * kTestPageSize + 8 * (1 + cpu);
            machine_.Store(sharer, word, i + 1, cpu);
            locking::explore::Expect(machine_.Load(sharer, word, cpu) == i + 1,
                                     "a store is seen by the next load");
          }
        });
      threads.emplace_back("taker", [this] {
        Object& object = machine_.FirstObject();
        for (std::uint32_t i = 0; i < 6; ++i) {
          ObjectGuard guard(object.lock);
          Page* page = LookupPage(object, i % 3);
          if (page == nullptr) continue;
          Pmap::RemoveAll(machine_.system, *page);
          for (int step = 0; step < 3; ++step) locking::Yield();
          locking::explore::Expect(!Pmap::IsMapped(machine_.system, *page),
                                   "nobody maps a page whose object is locked exclusively");
        }
      });
    }
    locking::explore::Expect(CheckSystem(machine_.system).empty(), "the machine is sound");
  }

 private:
  ResidentMachine machine_;
};

TEST(ResidentFaultExploration, NobodyMapsAPageWhileItsObjectIsLockedExclusively) {
  const auto result = locking::explore::Check(
      [] { SharedMemory().Run(); },
      {.test = "resident faults", .executions = 3000, .max_steps = 100'000});
  ASSERT_EQ(result.error, "");
  for (const auto& failure : result.failures)
    ADD_FAILURE() << "execution " << failure.execution << "\n"
                  << locking::FormatFinding(failure.finding);
}

}  // namespace
}  // namespace vm
