// Ranges of an object's pages: removed under each option, and split off.
#include "vm/object_ranges.h"

#include "tests/vm/mapped_object.h"
#include "tests/vm/paging.h"
#include "vm/page_busy.h"
#include "vm/page_cow.h"

namespace vm {
namespace {

class PageRemoveTest : public testing::Test {
 protected:
  void Remove(Pindex first, Pindex last, RemoveOptions options = {}) {
    ObjectGuard guard(object_.lock);
    RemovePages(system_, object_, first, last, options);
  }
  bool Resident(Pindex index) {
    ObjectGuard guard(object_.lock);
    return LookupPage(object_, index) != nullptr;
  }
  void Wire(Pindex index) {
    PageRoleGuard guard(system_.queues().PageLock(test_.page(index)));
    system_.queues().Wire(test_.page(index));
  }
  void Unwire(Pindex index) {
    PageRoleGuard guard(system_.queues().PageLock(test_.page(index)));
    system_.queues().Unwire(test_.page(index), PageQueues::Then::kActivate);
  }

  MappedObject test_{4};
  System& system_ = test_.system;
  Object& object_ = test_.object;
};

TEST_F(PageRemoveTest, UnmapsAndFreesTheRangeAlone) {
  Pmap& pmap = test_.NewPmap();
  for (Pindex i = 0; i < 4; ++i) test_.Enter(pmap, i * kTestPageSize, i);
  Remove(1, 3);
  EXPECT_TRUE(Resident(0) && !Resident(1) && !Resident(2) && Resident(3));
  EXPECT_EQ(pmap.resident_count(), 2u);
}

TEST_F(PageRemoveTest, LeavesDirtyPagesWhereOnlyCleanOnesGo) {
  Pmap& pmap = test_.NewPmap();
  for (Pindex i = 0; i < 4; ++i) test_.Enter(pmap, i * kTestPageSize, i);
  test_.Store(pmap, 2 * kTestPageSize, 7);
  test_.page(3).dirty.Store(1);
  Remove(0, 4, {.clean_only = true});
  EXPECT_TRUE(!Resident(0) && !Resident(1) && Resident(2) && Resident(3));
  EXPECT_EQ(test_.page(2).dirty.Load(), system_.AllBlocks()) << "the modified bit is folded";
  EXPECT_FALSE(test_.Store(pmap, 2 * kTestPageSize, 8)) << "and the right to write is gone";
  EXPECT_EQ(test_.Load(pmap, 2 * kTestPageSize), 7u);
}

TEST_F(PageRemoveTest, LeavesWhatMappingsHaveWiredIfAskedTo) {
  Pmap& pmap = test_.NewPmap();
  Wire(1);
  test_.Enter(pmap, kTestPageSize, 1, Protection::kReadWrite, true);
  test_.Enter(pmap, 0, 0);
  Remove(0, 4, {.not_wired = true});
  EXPECT_TRUE(!Resident(0) && Resident(1));
  EXPECT_EQ(pmap.wired_count(), 1u);
  Unwire(1);
}

TEST_F(PageRemoveTest, TakesTheWiringsOfMappingsAlong) {
  Pmap& pmap = test_.NewPmap();
  Wire(1);
  test_.Enter(pmap, kTestPageSize, 1, Protection::kReadWrite, true);
  Remove(0, 4);
  EXPECT_FALSE(Resident(1));
  EXPECT_EQ(system_.queues().wired_count(), 0u + 2u) << "the tables of the pmap alone";
}

TEST_F(PageRemoveTest, InvalidatesWhatIsWiredOtherwise) {
  Pmap& pmap = test_.NewPmap();
  Wire(1);  // a mapping's
  Wire(1);  // and another reason
  test_.Enter(pmap, kTestPageSize, 1, Protection::kReadWrite, true);
  test_.page(1).dirty.Store(1);
  Remove(0, 4);
  ASSERT_TRUE(Resident(1));
  EXPECT_EQ(test_.page(1).valid, 0u);
  EXPECT_EQ(test_.page(1).dirty.Load(), 0u);
  EXPECT_EQ(test_.page(1).wire_count, 1);
  EXPECT_EQ(pmap.resident_count(), 0u);
  Unwire(1);
}

TEST_F(PageRemoveTest, KeepsTheContentsOfWhatIsWiredOtherwiseWhereOnlyCleanPagesGo) {
  Wire(1);
  Remove(0, 4, {.clean_only = true});
  ASSERT_TRUE(Resident(1));
  EXPECT_EQ(test_.page(1).valid, system_.AllBlocks());
  Unwire(1);
}

TEST_F(PageRemoveTest, LeavesALentPageWhereWiredOnesStay) {
  {
    ObjectGuard guard(object_.lock);
    ASSERT_TRUE(LendPage(system_, object_, test_.page(1)));
  }
  Remove(0, 4, {.not_wired = true});
  EXPECT_TRUE(Resident(1));
  EXPECT_EQ(test_.page(1).valid, system_.AllBlocks());
  Remove(0, 4);
  EXPECT_FALSE(Resident(1)) << "it is its borrower's alone";
  ReturnPage(system_, test_.page(1));
}

TEST_F(PageRemoveTest, TheFirstBusyPageIsOfTheRange) {
  ObjectGuard guard(object_.lock);
  BusyPage(object_, test_.page(2));
  EXPECT_EQ(FirstBusyPage(object_, 0, 2), nullptr);
  EXPECT_EQ(FirstBusyPage(object_, 0, 3), &test_.page(2));
  EXPECT_EQ(FirstBusyPage(object_, 3, 4), nullptr);
  UnbusyPage(system_, object_, test_.page(2));
}

TEST_F(PageRemoveTest, WaitsForABusyPageAndLooksAgain) {
  locking::Thread remover;
  {
    ObjectGuard guard(object_.lock);
    BusyPage(object_, test_.page(2));
  }
  remover = locking::Thread("remover", [&] { Remove(0, 4); });
  for (;;) {
    ObjectGuard guard(object_.lock);
    if (!test_.page(2).wanted) continue;
    EXPECT_EQ(object_.paging_in_progress, 1u) << "so that nobody ends it meanwhile (D11)";
    // Behind its back, where it has passed.
    Page* late = AllocatePage(system_, object_, 0, {});
    ASSERT_NE(late, nullptr);
    UnbusyPage(system_, object_, test_.page(2));
    break;
  }
  remover.Join();
  for (Pindex i = 0; i < 4; ++i) EXPECT_FALSE(Resident(i)) << i;
  ObjectGuard guard(object_.lock);
  EXPECT_EQ(object_.paging_in_progress, 0u);
}

// ---- Cache and populate ----

TEST_F(PageRemoveTest, CachePagesMovesWhatIsCleanAndLeavesTheRest) {
  Pmap& pmap = test_.NewPmap();
  for (Pindex i = 0; i < 4; ++i) test_.Enter(pmap, i * kTestPageSize, i);
  test_.Store(pmap, kTestPageSize, 7);
  Wire(2);
  {
    ObjectGuard guard(object_.lock);
    CachePages(system_, object_, 0, 3);
  }
  EXPECT_EQ(test_.page(0).queue, PageQueue::kCache);
  EXPECT_EQ(test_.page(1).queue, PageQueue::kActive) << "dirty";
  EXPECT_EQ(test_.page(2).queue, PageQueue::kNone) << "wired";
  EXPECT_EQ(test_.page(3).queue, PageQueue::kActive) << "beyond the range";
  EXPECT_EQ(test_.Load(pmap, 0), ~0ull) << "what is cached is unmapped";
  Unwire(2);
}

TEST(PopulateTest, MakesAllPagesResidentFromSwapOrAsZero) {
  PagingMachine machine;
  machine.MapPages(6);
  machine.Fill(0, 3);
  machine.PageOut(0, 3);
  machine.Evict(1, 2);
  Object* object = machine.FirstObject();
  {
    ObjectGuard guard(object->lock);
    EXPECT_TRUE(PopulateObject(machine.system, *object, 0, 6));
    EXPECT_EQ(object->paging_in_progress, 0u);
  }
  for (std::uint32_t page = 0; page < 6; ++page) {
    ASSERT_TRUE(machine.Resident(page));
    EXPECT_FALSE(machine.PageAt(page)->busied());
  }
  ExpectSound(machine.system);
  machine.ExpectFilled(0, 3);
  EXPECT_EQ(machine.Load(machine.space, machine.At(5)), 0u);
}

TEST(PopulateTest, EndsAtThePageThatCannotBeRead) {
  PagingMachine machine;
  machine.MapPages(4);
  machine.Fill(0, 4);
  machine.PageOut(2, 1);
  machine.Evict(2, 1);
  machine.store->fail_reads = true;
  Object* object = machine.FirstObject();
  {
    ObjectGuard guard(object->lock);
    EXPECT_FALSE(PopulateObject(machine.system, *object, 0, 4));
  }
  EXPECT_FALSE(machine.Resident(2));
  ExpectSound(machine.system);
  machine.store->fail_reads = false;
  machine.ExpectFilled(0, 4);
}

TEST(PopulateTest, WithoutMemoryWhatIsThereStaysUsable) {
  PagingMachine machine(16);
  machine.MapPages(32);
  machine.Fill(0, 1);
  Object* object = machine.FirstObject();
  {
    ObjectGuard guard(object->lock);
    EXPECT_FALSE(PopulateObject(machine.system, *object, 0, 32)) << "nobody to wait for";
    EXPECT_EQ(object->paging_in_progress, 0u);
  }
  EXPECT_TRUE(machine.Resident(1));
  ExpectSound(machine.system);
  machine.ExpectFilled(0, 1);
}

// ---- Memory attribute ----

TEST(MemoryAttributeTest, IsSetBeforeThereArePages) {
  Machine machine;
  Object* object = AllocateObject(machine.system, ObjectType::kDefault, 2);
  {
    ObjectGuard guard(object->lock);
    EXPECT_TRUE(SetMemoryAttribute(*object, MemoryAttribute::kUncacheable));
    Page* page = AllocatePage(machine.system, *object, 0, {});
    EXPECT_FALSE(SetMemoryAttribute(*object, MemoryAttribute::kWriteCombining));
    EXPECT_EQ(object->memory_attribute, MemoryAttribute::kUncacheable);
    FreePage(machine.system, *object, *page);
    EXPECT_TRUE(SetMemoryAttribute(*object, MemoryAttribute::kWriteCombining));
  }
  DeallocateObject(machine.system, object);
  ObjectGuard guard(object->lock);
  EXPECT_FALSE(SetMemoryAttribute(*object, MemoryAttribute::kDefault)) << "it is dead";
}

// ---- What a map entry that goes leaves of its object ----

TEST(ReleaseRangeTest, UnmappingAPartFreesItsPagesAndSlotsAtOnce) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(4, 4);
  machine.Evict(6, 2);
  const std::uint32_t free = machine.FreePages();
  ASSERT_EQ(machine.space->Unmap(machine.At(4), 4 * kTestPageSize), Result::kOk);
  EXPECT_EQ(machine.FreePages(), free + 2);
  EXPECT_EQ(machine.system.swap().used(), 0u);
  Object* object = machine.FirstObject();
  {
    ObjectGuard guard(object->lock);
    EXPECT_EQ(object->size, 4u) << "what was at its end is cut off";
    EXPECT_EQ(object->ref_count, 1u);
  }
  machine.ExpectFilled(0, 4);
  ExpectSound(machine.system);
}

TEST(ReleaseRangeTest, WhatAForkSharesStays) {
  PagingMachine machine;
  machine.MapPages(4);
  machine.Fill(0, 4);
  Space* child = machine.space->Fork();
  ASSERT_EQ(machine.space->Unmap(machine.At(2), 2 * kTestPageSize), Result::kOk);
  for (std::uint32_t page = 0; page < 4; ++page)
    EXPECT_EQ(machine.Load(child, machine.At(page) + 8), PagingMachine::ValueOf(page, 0));
  ExpectSound(machine.system);
  child->Exit();
}

// ---- Split ----

class SplitTest : public testing::Test {
 protected:
  // Six pages, of which [2, 4) have an entry of their own: so the object has several.
  void MapInThree() {
    machine_.MapPages(6);
    machine_.Fill(0, 6);
    ASSERT_EQ(machine_.space->SetInheritance(machine_.At(2), 2 * kTestPageSize, Inheritance::kCopy),
              Result::kOk);
  }
  Object* ObjectOf(Space* space, std::uint32_t page) LOCKING_NO_ANALYSIS {
    locking::ReadGuard guard(space->map().lock);
    return space->map().Lookup(machine_.At(page))->object;
  }

  PagingMachine machine_;
};

TEST_F(SplitTest, AForkGivesEachEntryAnObjectOfItsOwn) {
  MapInThree();
  ASSERT_EQ(ObjectOf(machine_.space, 0), ObjectOf(machine_.space, 3));
  Space* child = machine_.space->Fork();
  EXPECT_EQ(machine_.Count(Event::kSplit), 2u) << "the last one keeps the object";
  Object* middle = ObjectOf(machine_.space, 2);
  EXPECT_NE(middle, ObjectOf(machine_.space, 0));
  EXPECT_EQ(middle, ObjectOf(child, 3));
  {
    ObjectGuard guard(middle->lock);
    EXPECT_EQ(middle->size, 2u);
    EXPECT_EQ(middle->resident_page_count, 2u);
  }
  ExpectSound(machine_.system);
  for (std::uint32_t page = 0; page < 6; ++page)
    EXPECT_EQ(machine_.Load(child, machine_.At(page) + 8), PagingMachine::ValueOf(page, 0));
  machine_.ExpectFilled(0, 6);
  child->Exit();
}

TEST_F(SplitTest, MovesWhatIsInSwap) {
  MapInThree();
  machine_.PageOut(1, 4);
  machine_.Evict(2, 2);
  Space* child = machine_.space->Fork();
  ExpectSound(machine_.system);
  machine_.ExpectFilled(0, 6);
  for (std::uint32_t page = 0; page < 6; ++page)
    EXPECT_EQ(machine_.Load(child, machine_.At(page) + 8), PagingMachine::ValueOf(page, 0));
  child->Exit();
  ExpectSound(machine_.system);
}

TEST_F(SplitTest, ThePartShadowsWhatItsObjectDoes) {
  MapInThree();
  Space* child = machine_.space->Fork();
  machine_.Store(child, machine_.At(3) + 8, 77);  // an object of the child's, in front of a part
  ASSERT_EQ(child->SetInheritance(machine_.At(2), kTestPageSize, Inheritance::kCopy), Result::kOk);
  Space* grandchild = child->Fork();
  EXPECT_EQ(machine_.Load(grandchild, machine_.At(2) + 8), PagingMachine::ValueOf(2, 0));
  EXPECT_EQ(machine_.Load(grandchild, machine_.At(3) + 8), 77u);
  ExpectSound(machine_.system);
  grandchild->Exit();
  child->Exit();
  machine_.ExpectFilled(0, 6);
}

TEST_F(SplitTest, AnObjectThatMayBeMappedTwiceStaysWhole) {
  MapInThree();
  Object* object = ObjectOf(machine_.space, 0);
  {
    ObjectGuard guard(object->lock);
    ASSERT_GT(object->ref_count, 1u);
    object->one_mapping = false;
  }
  EXPECT_EQ(SplitObject(machine_.system, *object, 2, 2), nullptr);
  machine_.ExpectFilled(0, 6);
}

TEST_F(SplitTest, ABusyPageIsWaitedForBeforeAnythingMoves) {
  MapInThree();
  Object* object = ObjectOf(machine_.space, 0);
  Page* busy = machine_.PageAt(3);
  {
    ObjectGuard guard(object->lock);
    PagingBegin(*object);
    BusyPage(*object, *busy);
  }
  EXPECT_EQ(SplitObject(machine_.system, *object, 2, 2), nullptr);
  Space* child = nullptr;
  locking::Thread forker("forker", [&] { child = machine_.space->Fork(); });
  for (;;) {
    ObjectGuard guard(object->lock);
    if (!busy->wanted) continue;
    EXPECT_EQ(busy->object, object);
    UnbusyPage(machine_.system, *object, *busy);
    PagingEnd(machine_.system, *object);
    break;
  }
  forker.Join();
  EXPECT_EQ(machine_.Count(Event::kSplit), 2u);
  machine_.ExpectFilled(0, 6);
  child->Exit();
}

}  // namespace
}  // namespace vm
