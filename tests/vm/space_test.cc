// Address spaces: mapping, faults, protection, wiring.
#include <gtest/gtest.h>

#include <vector>

#include "locking/thread.h"
#include "tests/vm/machine.h"

namespace vm {
namespace {

TEST(Space, NewMemoryReadsAsZeroAndKeepsWhatIsStored) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 4);
  EXPECT_EQ(machine.Load(space, va), 0u);
  for (std::uint32_t page = 0; page < 4; ++page)
    machine.Store(space, va + page * kTestPageSize + 8, page + 100);
  for (std::uint32_t page = 0; page < 4; ++page)
    EXPECT_EQ(machine.Load(space, va + page * kTestPageSize + 8), page + 100);
  EXPECT_EQ(machine.system.counters().Get(Event::kZeroFill), 4u);
  space->Exit();
}

TEST(Space, AReusedFrameReadsAsZeroAgain) {
  Machine machine(20);
  Space* space = machine.system.CreateSpace();
  for (std::uint64_t round = 1; round < 10; ++round) {
    const Address va = machine.Map(space, 8);
    for (std::uint32_t page = 0; page < 8; ++page) {
      EXPECT_EQ(machine.Load(space, va + page * kTestPageSize), 0u);
      machine.Store(space, va + page * kTestPageSize, round);
    }
    EXPECT_EQ(space->Unmap(va, 8 * kTestPageSize), Result::kOk);
  }
  space->Exit();
  EXPECT_EQ(machine.FreePages(), 20u);
}

TEST(Space, AccessOutsideMappingsFails) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 2);
  std::uint64_t value;
  EXPECT_EQ(space->Load(machine.system.cpu(0), 0, &value), Result::kInvalidAddress);
  EXPECT_EQ(space->Load(machine.system.cpu(0), va + 2 * kTestPageSize, &value),
            Result::kInvalidAddress);
  EXPECT_EQ(space->Store(machine.system.cpu(0), space->map().limit, 1), Result::kInvalidAddress);
  machine.Store(space, va, 1);
  EXPECT_EQ(space->Unmap(va, kTestPageSize), Result::kOk);
  EXPECT_EQ(space->Load(machine.system.cpu(0), va, &value), Result::kInvalidAddress);
  EXPECT_EQ(machine.Load(space, va + kTestPageSize), 0u);
  space->Exit();
}

TEST(Space, RangesMustBeAlignedAndWithinTheSpace) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  Address start;
  EXPECT_EQ(space->MapAnonymous(0, 0, Protection::kReadWrite, Inheritance::kCopy, &start),
            Result::kInvalidArgument);
  EXPECT_EQ(
      space->MapAnonymous(1, kTestPageSize, Protection::kReadWrite, Inheritance::kCopy, &start),
      Result::kInvalidArgument);
  EXPECT_EQ(space->MapAnonymous(0, space->map().limit, Protection::kReadWrite, Inheritance::kCopy,
                                &start),
            Result::kNoSpace);
  EXPECT_EQ(space->Unmap(kTestPageSize, 7), Result::kInvalidArgument);
  EXPECT_EQ(space->Unmap(space->map().limit, kTestPageSize), Result::kInvalidArgument);
  EXPECT_EQ(space->Protect(kTestPageSize, kTestPageSize, Protection::kRead),
            Result::kInvalidAddress);
  EXPECT_EQ(space->Wire(kTestPageSize, kTestPageSize), Result::kInvalidAddress);
  space->Exit();
}

TEST(Space, ProtectionTakesEffectAtOnceOnEveryCpu) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 2);
  for (std::uint32_t cpu = 0; cpu < 4; ++cpu) machine.Store(space, va, cpu, cpu);
  EXPECT_EQ(space->Protect(va, kTestPageSize, Protection::kRead), Result::kOk);
  for (std::uint32_t cpu = 0; cpu < 4; ++cpu) {
    EXPECT_EQ(machine.Load(space, va, cpu), 3u);
    EXPECT_EQ(space->Store(machine.system.cpu(cpu), va, 9), Result::kProtectionFailure);
  }
  machine.Store(space, va + kTestPageSize, 1);  // the other page keeps its rights
  EXPECT_EQ(space->Protect(va, kTestPageSize, Protection::kNone), Result::kOk);
  std::uint64_t value;
  EXPECT_EQ(space->Load(machine.system.cpu(0), va, &value), Result::kProtectionFailure);
  EXPECT_EQ(space->Protect(va, kTestPageSize, Protection::kReadWrite), Result::kOk);
  EXPECT_EQ(machine.Load(space, va), 3u);
  machine.Store(space, va, 4);
  space->Exit();
}

TEST(Space, WiringNestsAndEndsWithItsLastUnwire) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 4);
  EXPECT_EQ(space->Wire(va, 4 * kTestPageSize), Result::kOk);
  const std::uint32_t tables = machine.system.queues().wired_count() - 4;
  EXPECT_EQ(space->Wire(va + kTestPageSize, 2 * kTestPageSize), Result::kOk);
  const Page* page = machine.FirstPage(space, va + kTestPageSize);
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->wire_count, 1u);
  EXPECT_EQ(page->queue, PageQueue::kNone);
  EXPECT_EQ(space->Unwire(va, 4 * kTestPageSize), Result::kOk);
  EXPECT_EQ(machine.system.queues().wired_count(), tables + 2);
  EXPECT_EQ(space->Unwire(va, 4 * kTestPageSize), Result::kInvalidArgument);
  EXPECT_EQ(space->Unwire(va + kTestPageSize, 2 * kTestPageSize), Result::kOk);
  EXPECT_EQ(machine.system.queues().wired_count(), tables);
  EXPECT_EQ(page->queue, PageQueue::kActive);
  space->Exit();
}

TEST(Space, UnwiringAPartLeavesTheRestWired) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 4);
  EXPECT_EQ(space->Wire(va, 4 * kTestPageSize), Result::kOk);
  EXPECT_EQ(space->Unwire(va + kTestPageSize, 2 * kTestPageSize), Result::kOk);
  for (std::uint32_t page = 0; page < 4; ++page)
    EXPECT_EQ(machine.FirstPage(space, va + page * kTestPageSize)->wire_count,
              page == 0 || page == 3 ? 1 : 0)
        << page;
  EXPECT_EQ(space->Unwire(va, kTestPageSize), Result::kOk);
  EXPECT_EQ(space->Unwire(va + 3 * kTestPageSize, kTestPageSize), Result::kOk);
  space->Exit();
}

TEST(Space, UnmappingWiredMemoryUnwiresIt) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 4);
  EXPECT_EQ(space->Wire(va, 4 * kTestPageSize), Result::kOk);
  EXPECT_EQ(space->Protect(va, 2 * kTestPageSize, Protection::kNone), Result::kOk);
  space->Exit();
  EXPECT_EQ(machine.system.queues().wired_count(), 0u);
  EXPECT_EQ(machine.FreePages(), 64u);
}

TEST(Space, WiringMoreThanThereIsFailsAndLeavesNothingWired) {
  Machine machine(32, 0);
  machine.system.Start();
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 40);
  EXPECT_EQ(space->Wire(va, 40 * kTestPageSize), Result::kOutOfMemory);
  EXPECT_EQ(space->Unwire(va, kTestPageSize), Result::kInvalidArgument);
  space->Exit();
  machine.system.Stop();
  EXPECT_EQ(machine.system.queues().wired_count(), 0u);
  EXPECT_EQ(machine.FreePages(), 32u);
}

TEST(Space, ThreadsFaultOnOneSpaceAtOnce) {
  Machine machine(256, 0);
  Space* space = machine.system.CreateSpace();
  constexpr std::uint32_t kPages = 40;
  const Address va = machine.Map(space, kPages);
  std::vector<locking::Thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back("faulter", [&, t] {
      for (std::uint32_t round = 1; round <= 20; ++round)
        for (std::uint32_t page = 0; page < kPages; ++page) {
          const Address word = va + page * kTestPageSize + t * 8;
          machine.Store(space, word, round, t);
          EXPECT_EQ(machine.Load(space, word, t), round);
          if (page % 7 == t) {
            EXPECT_EQ(
                space->Protect(va + page * kTestPageSize, kTestPageSize, Protection::kReadWrite),
                Result::kOk);
          }
        }
    });
  }
  for (locking::Thread& thread : threads) thread.Join();
  EXPECT_EQ(machine.system.counters().Get(Event::kZeroFill), kPages);
  space->Exit();
  EXPECT_EQ(machine.FreePages(), 256u);
}

}  // namespace
}  // namespace vm
