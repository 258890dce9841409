// The swap pager, its slots, and the memory store.
#include "vm/pager/swap.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/vm/paging.h"
#include "vm/page_alloc.h"

namespace vm {
namespace {

using Sizes = std::vector<std::uint32_t>;

// ---- Slots ----

TEST(SwapSlots, ARunIsConsecutiveAndTheNextFollowsIt) {
  SwapSlots slots(200);
  const SwapSlots::Run first = slots.Allocate(16);
  const SwapSlots::Run second = slots.Allocate(100);
  EXPECT_EQ(first.first, 0u);
  EXPECT_EQ(first.count, 16u);
  EXPECT_EQ(second.first, 16u);
  EXPECT_EQ(second.count, 100u);
  EXPECT_EQ(slots.used(), 116u);
  EXPECT_EQ(slots.CountBits(), 116u);
}

TEST(SwapSlots, TheSearchGoesOnBehindTheLastRunAndWraps) {
  SwapSlots slots(70);
  EXPECT_EQ(slots.Allocate(66).count, 66u);
  slots.Free(0, 8);
  EXPECT_EQ(slots.Allocate(2).first, 66u) << "not at the front, where there is room too";
  EXPECT_EQ(slots.Allocate(2).first, 68u);
  EXPECT_EQ(slots.Allocate(2).first, 0u);
}

TEST(SwapSlots, TheLongestRunIsTakenWhenNoneIsLongEnough) {
  SwapSlots slots(64);
  EXPECT_EQ(slots.Allocate(64).count, 64u);
  slots.Free(3, 2);
  slots.Free(10, 5);
  slots.Free(30, 3);
  const SwapSlots::Run run = slots.Allocate(16);
  EXPECT_EQ(run.first, 10u);
  EXPECT_EQ(run.count, 5u);
  EXPECT_EQ(slots.used(), 59u);
}

TEST(SwapSlots, FullSwapGivesNothing) {
  SwapSlots slots(5);
  EXPECT_EQ(slots.Allocate(16).count, 5u);
  EXPECT_EQ(slots.Allocate(1).count, 0u);
  slots.Free(4, 1);
  EXPECT_EQ(slots.Allocate(1).first, 4u);
  SwapSlots none(0);
  EXPECT_EQ(none.Allocate(1).count, 0u);
}

TEST(SwapSlotsDeathTest, ASlotThatIsNotUsedCannotBeFreed) {
  SwapSlots slots(8);
  EXPECT_EQ(slots.Allocate(2).count, 2u);
  slots.Free(1, 1);
  EXPECT_DEATH(slots.Free(1, 1), "INV-51");
  SwapSlots all(64);
  EXPECT_EQ(all.Allocate(64).count, 64u);
  EXPECT_DEATH(all.Free(63, 2), "INV-51.*slot 64");
}

// ---- The memory store ----

TEST(MemoryStore, KeepsWhatIsWrittenAndRefusesWhatItDoesNotHave) {
  const std::unique_ptr<Store> store = MakeMemoryStore(4, kTestPageSize);
  std::array<std::byte, kTestPageSize> page{std::byte{7}};
  std::array<std::byte, kTestPageSize> read{};
  const std::array<std::span<const std::byte>, 2> two{page, page};
  const std::array<std::span<std::byte>, 1> one{read};
  EXPECT_EQ(store->Write(2, two), Result::kOk);
  EXPECT_EQ(store->Read(3, one), Result::kOk);
  EXPECT_EQ(read, page);
  EXPECT_EQ(store->Read(0, one), Result::kIoError) << "never written";
  EXPECT_EQ(store->Write(3, two), Result::kInvalidArgument);
  EXPECT_EQ(store->Read(4, one), Result::kInvalidArgument);
  const std::array<std::span<std::byte>, 1> half{std::span(read).first(kTestPageSize / 2)};
  EXPECT_EQ(store->Read(3, half), Result::kInvalidArgument);
}

// ---- Write-out and page-in ----

TEST(Swap, ContentSurvivesPageOutAndPageIn) {
  PagingMachine machine;
  machine.MapPages(20);
  machine.Fill(0, 20);
  EXPECT_EQ(machine.PageOut(0, 16), 16u);
  EXPECT_EQ(machine.PageOut(16, 4), 4u);
  EXPECT_EQ(machine.Evict(0, 20), 20u);
  EXPECT_FALSE(machine.Resident(7));
  machine.ExpectFilled(0, 20);
  EXPECT_EQ(machine.Count(Event::kPageOut), 20u);
  EXPECT_EQ(machine.Count(Event::kPageIn), 20u);
}

TEST(Swap, ACleanPageKeepsItsCopyAndGoesWithoutAnotherWrite) {
  PagingMachine machine;
  machine.MapPages(4);
  machine.Fill(0, 4);
  machine.PageOut(0, 4);
  machine.Evict(0, 4);
  machine.ExpectFilled(0, 4);
  EXPECT_EQ(machine.PageOut(0, 4), 0u);
  EXPECT_EQ(machine.Evict(0, 4), 4u);
  machine.ExpectFilled(0, 4);
  EXPECT_EQ(machine.store->TakeWriteSizes(), Sizes{4});
}

TEST(Swap, ADirtyPageIsNotEvicted) {
  PagingMachine machine;
  machine.MapPages(4);
  machine.Fill(0, 4);
  machine.PageOut(0, 2);
  machine.Fill(1, 1, 9);
  EXPECT_EQ(machine.Evict(0, 4), 1u);
  EXPECT_TRUE(machine.Resident(1)) << "written again after its write-out";
  EXPECT_TRUE(machine.Resident(2)) << "never written out";
  machine.ExpectFilled(1, 1, 9);
}

TEST(Swap, AClusterIsOneWrite) {
  PagingMachine machine;
  machine.MapPages(16);
  machine.Fill(0, 16);
  machine.PageOut(0, 16);
  EXPECT_EQ(machine.store->TakeWriteSizes(), Sizes{16});
}

TEST(Swap, CleanPagesSplitACluster) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.store->TakeWriteSizes();
  machine.Fill(0, 2, 1);
  machine.Fill(5, 3, 1);
  EXPECT_EQ(machine.PageOut(0, 8), 5u);
  EXPECT_EQ(machine.store->TakeWriteSizes(), (Sizes{2, 3}));
}

TEST(Swap, ANewSlotReplacesTheOld) {
  PagingMachine machine;
  machine.MapPages(4);
  machine.Fill(0, 4);
  machine.PageOut(0, 4);
  const std::uint32_t old = machine.SlotOf(2);
  machine.Fill(2, 1, 5);
  EXPECT_EQ(machine.PageOut(2, 1), 1u);
  EXPECT_NE(machine.SlotOf(2), old);
  EXPECT_EQ(machine.system.swap().used(), 4u);
  EXPECT_EQ(machine.system.swap().CountBits(), 4u);
  machine.Evict(0, 4);
  machine.ExpectFilled(0, 2);
  machine.ExpectFilled(2, 1, 5);
}

TEST(Swap, AFailedWriteLeavesPagesDirtyWithTheirOldSlots) {
  PagingMachine machine;
  machine.MapPages(6);
  machine.Fill(0, 4);
  machine.PageOut(0, 3);
  const std::uint32_t old = machine.SlotOf(1);
  machine.Fill(0, 6, 1);
  machine.store->fail_writes = true;
  EXPECT_EQ(machine.PageOut(0, 6), 0u);
  EXPECT_EQ(machine.Count(Event::kPageOutError), 6u);
  EXPECT_EQ(machine.SlotOf(1), old);
  EXPECT_EQ(machine.SlotOf(4), kNoSlot);
  EXPECT_EQ(machine.system.swap().used(), 3u);
  EXPECT_EQ(machine.Evict(0, 6), 0u);
  for (std::uint32_t page = 0; page < 6; ++page) EXPECT_FALSE(machine.PageAt(page)->busied());
  machine.ExpectFilled(0, 6, 1);
  machine.store->fail_writes = false;
  EXPECT_EQ(machine.PageOut(0, 6), 6u);
  EXPECT_EQ(machine.Evict(0, 6), 6u);
  machine.ExpectFilled(0, 6, 1);
}

TEST(Swap, AFailedReadFailsTheFaultAndLosesNothing) {
  PagingMachine machine;
  machine.MapPages(2);
  machine.Fill(0, 2);
  machine.PageOut(0, 2);
  machine.Evict(0, 2);
  machine.store->fail_reads = true;
  std::uint64_t value = 0;
  EXPECT_EQ(machine.space->Load(machine.system.cpu(0), machine.At(1), &value), Result::kIoError);
  EXPECT_EQ(machine.Count(Event::kPageInError), 1u);
  EXPECT_FALSE(machine.Resident(1)) << "an invalid page stayed";
  EXPECT_EQ(machine.FirstObject()->paging_in_progress, 0u);
  machine.store->fail_reads = false;
  machine.ExpectFilled(0, 2);
}

TEST(Swap, APageIsWriteProtectedAndSharedBusyWhileItIsWritten) {
  PagingMachine machine;
  machine.MapPages(1);
  machine.Fill(0, 1);
  Page* page = machine.PageAt(0);
  bool looked = false;
  machine.store->during_write = [&] {
    looked = true;
    EXPECT_EQ(machine.space->pmap().Query(machine.At(0)).protection, Protection::kRead);
    EXPECT_EQ(page->shared_busy, 1u);
    EXPECT_EQ(machine.FirstObject()->paging_in_progress, 1u);
  };
  machine.PageOut(0, 1);
  EXPECT_TRUE(looked);
  EXPECT_EQ(page->shared_busy, 0u);
  EXPECT_EQ(machine.FirstObject()->paging_in_progress, 0u);
}

TEST(Swap, APageDirtiedDuringItsWriteOutStaysDirty) {
  PagingMachine machine;
  machine.MapPages(2);
  machine.Fill(0, 2);
  Page* page = machine.PageAt(0);
  // As the kernel does when it writes to a page itself.
  machine.store->during_write = [&] { page->dirty.FetchOr(1); };
  EXPECT_EQ(machine.PageOut(0, 2), 2u);
  EXPECT_NE(page->dirty.Peek(), 0u);
  EXPECT_EQ(machine.Evict(0, 2), 1u) << "the other page alone";
  EXPECT_TRUE(machine.Resident(0));
}

TEST(Swap, AWriterWaitsForTheWriteOutAndItsPageIsDirtyAfterwards) {
  PagingMachine machine;
  machine.MapPages(1);
  machine.Fill(0, 1);
  locking::Thread writer;
  machine.store->during_write = [&] {
    writer = locking::Thread("writer", [&] { machine.Fill(0, 1, 3); });
  };
  machine.PageOut(0, 1);
  writer.Join();
  machine.store->during_write = nullptr;
  EXPECT_EQ(machine.Evict(0, 1), 0u);
  machine.ExpectFilled(0, 1, 3);
  EXPECT_EQ(machine.PageOut(0, 1), 1u);
  EXPECT_EQ(machine.Evict(0, 1), 1u);
  machine.ExpectFilled(0, 1, 3);
}

// ---- Full swap ----

TEST(Swap, FewerSlotsThanPagesWritesAsManyAsFit) {
  PagingMachine machine(64, 5);
  machine.MapPages(8);
  machine.Fill(0, 8);
  EXPECT_EQ(machine.PageOut(0, 8), 5u);
  EXPECT_EQ(machine.Evict(0, 8), 5u);
  EXPECT_TRUE(machine.Resident(5));
  EXPECT_EQ(machine.Count(Event::kSwapFull), 3u);
  EXPECT_EQ(machine.PageOut(5, 3), 0u) << "swap is full";
  EXPECT_EQ(machine.Evict(5, 3), 0u);
  machine.ExpectFilled(0, 8);
}

TEST(Swap, ScatteredSlotsAreUsedRunByRun) {
  PagingMachine machine(64, 8);
  machine.MapPages(16);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.store->TakeWriteSizes();
  {
    ObjectGuard guard(machine.FirstObject()->lock);
    machine.system.swap().FreeSpace(*machine.FirstObject(), 1, 2);
    machine.system.swap().FreeSpace(*machine.FirstObject(), 5, 1);
  }
  machine.Fill(8, 4);
  EXPECT_EQ(machine.PageOut(8, 4), 3u);
  EXPECT_EQ(machine.store->TakeWriteSizes(), (Sizes{2, 1}));
}

TEST(Swap, FullSwapRewritesAPageOverItsOwnCopy) {
  PagingMachine machine(64, 4);
  machine.MapPages(6);
  machine.Fill(0, 4);
  EXPECT_EQ(machine.PageOut(0, 4), 4u);
  machine.Fill(0, 6, 2);
  EXPECT_EQ(machine.PageOut(0, 6), 4u) << "those that have a slot";
  EXPECT_EQ(machine.system.swap().used(), 4u);
  EXPECT_EQ(machine.Evict(0, 6), 4u);
  machine.ExpectFilled(0, 6, 2);
}

TEST(Swap, WithoutSwapNothingIsWritten) {
  PagingMachine machine(64, 0);
  machine.MapPages(2);
  machine.Fill(0, 2);
  EXPECT_EQ(machine.PageOut(0, 2), 0u);
  EXPECT_EQ(machine.Evict(0, 2), 0u);
  machine.ExpectFilled(0, 2);
}

// ---- Copies of an object ----

TEST(Swap, FreeSpaceForgetsCopiesInTheRangeAlone) {
  PagingMachine machine;
  machine.MapPages(10);
  machine.Fill(0, 10);
  machine.PageOut(0, 10);
  Object* object = machine.FirstObject();
  ObjectGuard guard(object->lock);
  machine.system.swap().FreeSpace(*object, 3, 4);
  EXPECT_EQ(machine.system.swap().used(), 6u);
  EXPECT_TRUE(machine.system.swap().HasPage(*object, 2));
  EXPECT_FALSE(machine.system.swap().HasPage(*object, 3));
  EXPECT_FALSE(machine.system.swap().HasPage(*object, 6));
  EXPECT_TRUE(machine.system.swap().HasPage(*object, 7));
}

TEST(Swap, AnObjectThatEndsGivesItsSlotsBack) {
  PagingMachine machine;
  machine.MapPages(10);
  machine.Fill(0, 10);
  machine.PageOut(0, 10);
  machine.Evict(0, 5);
  EXPECT_EQ(machine.system.swap().used(), 10u);
  EXPECT_EQ(machine.space->Unmap(machine.base, 10 * kTestPageSize), Result::kOk);
  EXPECT_EQ(machine.system.swap().used(), 0u);
  EXPECT_EQ(machine.system.swap().CountBits(), 0u);
}

TEST(Swap, CollapseKeepsSwappedContent) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.Evict(0, 8);
  Space* child = machine.space->Fork();
  ASSERT_NE(child, nullptr);
  machine.Fill(2, 2, 7);  // the parent's own now, in front of the backer's copies
  child->Exit();          // the backer has one reference left: collapse
  machine.Fill(7, 1, 7);
  machine.ExpectFilled(0, 2);
  machine.ExpectFilled(2, 2, 7);
  machine.ExpectFilled(4, 3);
  machine.ExpectFilled(7, 1, 7);
  EXPECT_EQ(machine.ChainLength(machine.space, machine.base), 1u);
}

TEST(Swap, MoveAllKeepsTheFrontsPagesAndCopies) {
  PagingMachine machine;
  Object* front = AllocateObject(machine.system, ObjectType::kDefault, 4);
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.Evict(0, 8);
  Object* back = machine.FirstObject();
  {
    ObjectGuard front_guard(front->lock);
    ObjectGuard back_guard(back->lock);
    Page* own = AllocatePage(machine.system, *front, 1, {});
    own->valid = machine.system.AllBlocks();
    machine.system.swap().MoveAll(*back, *front, 2);
    // Of 2…5 the second is hidden by the page; 0, 1, 6 and 7 cannot be seen.
    EXPECT_TRUE(machine.system.swap().HasPage(*front, 0));
    EXPECT_FALSE(machine.system.swap().HasPage(*front, 1));
    EXPECT_TRUE(machine.system.swap().HasPage(*front, 3));
    EXPECT_FALSE(machine.system.swap().HasPage(*back, 0));
    EXPECT_EQ(machine.system.swap().used(), 3u);
    EXPECT_EQ(front->type, ObjectType::kSwap);
  }
  DeallocateObject(machine.system, front);
}

}  // namespace
}  // namespace vm
