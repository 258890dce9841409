// Advice about memory, and what a query says of it.
#include "tests/vm/paging.h"
#include "vm/object_advise.h"
#include "vm/page_alloc.h"
#include "vm/page_busy.h"
#include "vm/page_release.h"

namespace vm {
namespace {

class AdviseTest : public testing::Test {
 protected:
  AdviseTest() {
    machine_.MapPages(4);
    machine_.Fill(0, 4);
    // The weighting leaves some pages alone, and begins with that.
    for (int i = 0; i < 16; ++i) machine_.system.queues().CountDontNeed();
  }
  void Advise(std::uint32_t first, std::uint32_t count, Advice advice) {
    EXPECT_EQ(machine_.space->Advise(machine_.At(first), count * kTestPageSize, advice),
              Result::kOk);
  }
  PageQueue QueueOf(std::uint32_t page) {
    PageRoleGuard guard(machine_.system.queues().lock);
    machine_.system.queues().FlushBatches();
    return machine_.PageAt(page)->queue;
  }
  // The page of the object that the first one shadows; nullptr: there is none.
  Page* DeactivateBehind(std::uint32_t page) {
    Object* const front = machine_.FirstObject();
    ObjectGuard guard(front->lock);
    if (front->backing == nullptr) return nullptr;
    ObjectGuard backer_guard(front->backing->lock);
    Page* const behind = LookupPage(*front->backing, page);
    if (behind != nullptr) machine_.Deactivate(*behind);
    return behind;
  }
  std::uint64_t Word(Space* space, std::uint32_t page) {
    return machine_.Load(space, machine_.At(page) + 8);
  }

  PagingMachine machine_;
};

TEST_F(AdviseTest, WillNeedActivatesWhatIsResident) {
  machine_.DeactivatePages(0, 4);
  Advise(1, 2, Advice::kWillNeed);
  EXPECT_EQ(QueueOf(0), PageQueue::kInactive);
  EXPECT_EQ(QueueOf(1), PageQueue::kActive);
  EXPECT_EQ(QueueOf(2), PageQueue::kActive);
  EXPECT_EQ(QueueOf(3), PageQueue::kInactive);
}

TEST_F(AdviseTest, WillNeedTakesAPageOffTheCacheQueue) {
  ASSERT_EQ(machine_.PageOut(0, 1), 1u);
  Page* page = machine_.PageAt(0);
  Object* object = machine_.FirstObject();
  {
    ObjectGuard guard(object->lock);
    ASSERT_TRUE(TryToCachePage(machine_.system, *object, *page));
  }
  ASSERT_EQ(QueueOf(0), PageQueue::kCache);
  Advise(0, 1, Advice::kWillNeed);
  EXPECT_EQ(QueueOf(0), PageQueue::kActive);
  EXPECT_EQ(machine_.system.counters().Get(Event::kReactivated), 1u);
  EXPECT_EQ(machine_.system.counters().Get(Event::kPageIn), 0u);
  machine_.ExpectFilled(0, 1);
}

TEST_F(AdviseTest, WillNeedReachesThroughTheChain) {
  Space* child = machine_.space->Fork();
  machine_.Store(child, machine_.At(0), 1);
  machine_.DeactivatePages(1, 3);
  ASSERT_EQ(child->Advise(machine_.At(1), kTestPageSize, Advice::kWillNeed), Result::kOk);
  EXPECT_EQ(QueueOf(1), PageQueue::kActive) << "the backer's page";
  EXPECT_EQ(QueueOf(2), PageQueue::kInactive);
  child->Exit();
}

// Of another page: what is asked for is behind it.
TEST_F(AdviseTest, WillNeedPassesAnObjectThatHasOtherPagesInSwap) {
  Space* child = machine_.space->Fork();
  machine_.Fill(0, 1, 7);
  ASSERT_EQ(machine_.PageOut(0, 1), 1u);
  machine_.DeactivatePages(0, 1);
  Page* const behind = DeactivateBehind(1);
  ASSERT_NE(behind, nullptr);
  Advise(1, 1, Advice::kWillNeed);
  EXPECT_EQ(behind->queue, PageQueue::kActive);
  child->Exit();
}

TEST_F(AdviseTest, WillNeedStopsAtWhatIsPagedOutInFront) {
  Space* child = machine_.space->Fork();
  machine_.Store(machine_.space, machine_.At(1) + 8, 55);  // hides the backer's
  ASSERT_GT(machine_.PageOut(1, 1), 0u);
  ASSERT_EQ(machine_.Evict(1, 1), 1u);
  Page* const hidden = DeactivateBehind(1);
  ASSERT_NE(hidden, nullptr);
  Advise(1, 1, Advice::kWillNeed);
  EXPECT_EQ(hidden->queue, PageQueue::kInactive);
  child->Exit();
  EXPECT_EQ(Word(machine_.space, 1), 55u);
}

TEST_F(AdviseTest, DontNeedDeactivatesAndKeepsTheContents) {
  Advise(0, 4, Advice::kDontNeed);
  std::uint32_t inactive = 0;
  for (std::uint32_t page = 0; page < 4; ++page) {
    inactive += QueueOf(page) == PageQueue::kInactive ? 1 : 0;
    EXPECT_FALSE(machine_.PageAt(page)->referenced.Load());
    EXPECT_EQ(Pmap::TestAndClearReferenced(machine_.system, *machine_.PageAt(page)), 0u);
  }
  EXPECT_EQ(inactive, 4u);
  machine_.ExpectFilled(0, 4);
}

TEST_F(AdviseTest, WhatIsFreedMayBeLostAndNeedsNoWrite) {
  ASSERT_GE(machine_.PageAt(0)->act_count, kActInit);
  Advise(0, 2, Advice::kFree);
  EXPECT_EQ(machine_.PageAt(0)->act_count, 0);
  EXPECT_EQ(QueueOf(0), PageQueue::kInactive);
  EXPECT_EQ(machine_.PageAt(0)->dirty.Load(), 0u);
  EXPECT_EQ(Word(machine_.space, 1), PagingMachine::ValueOf(1, 0)) << "until it is reclaimed";
  machine_.DeactivatePages(0, 2);
  EXPECT_EQ(machine_.Evict(0, 2), 2u) << "with nothing written";
  EXPECT_EQ(Word(machine_.space, 0), 0u);
  machine_.ExpectFilled(2, 2);
  ExpectSound(machine_.system);
}

TEST_F(AdviseTest, AStoreAfterFreeingCounts) {
  Advise(0, 1, Advice::kFree);
  machine_.Store(machine_.space, machine_.At(0) + 8, 9);
  machine_.DeactivatePages(0, 1);
  EXPECT_EQ(machine_.Evict(0, 1), 0u) << "it is dirty again";
  EXPECT_EQ(Word(machine_.space, 0), 9u);
}

TEST_F(AdviseTest, FreeGivesTheCopyInSwapBackToo) {
  machine_.PageOut(0, 4);
  machine_.Evict(0, 2);
  Advise(0, 4, Advice::kFree);
  EXPECT_EQ(machine_.system.swap().used(), 0u);
  EXPECT_EQ(Word(machine_.space, 0), 0u);
  EXPECT_EQ(Word(machine_.space, 2), PagingMachine::ValueOf(2, 0));
  ExpectSound(machine_.system);
}

// D51
TEST_F(AdviseTest, FreeDoesNotUncoverOlderContentsOfABacker) {
  Space* child = machine_.space->Fork();
  machine_.Store(child, machine_.At(0) + 8, 77);
  ASSERT_EQ(child->Advise(machine_.At(0), kTestPageSize, Advice::kFree), Result::kOk);
  Page* page = machine_.FirstPage(child, machine_.At(0));
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->dirty.Load(), machine_.system.AllBlocks()) << "it must not be dropped";
  EXPECT_EQ(Word(child, 0), 77u);
  child->Exit();
}

TEST_F(AdviseTest, FreeLeavesWhatOthersSeeAlone) {
  const Address shared = machine_.Map(machine_.space, 1, Inheritance::kShare);
  machine_.Store(machine_.space, shared, 5);
  Space* child = machine_.space->Fork();
  ASSERT_EQ(child->Advise(shared, kTestPageSize, Advice::kFree), Result::kOk);
  EXPECT_NE(machine_.FirstPage(child, shared)->dirty.Load() +
                (Pmap::IsModified(machine_.system, *machine_.FirstPage(child, shared)) ? 1 : 0),
            0u);
  Advise(0, 4, Advice::kFree);  // copy-on-write, not yet copied
  EXPECT_EQ(Word(child, 0), PagingMachine::ValueOf(0, 0));
  for (std::uint32_t page = 0; page < 4; ++page)
    EXPECT_TRUE(machine_.PageAt(page)->dirty.Load() != 0 ||
                Pmap::IsModified(machine_.system, *machine_.PageAt(page)));
  child->Exit();
}

TEST_F(AdviseTest, WiredAndHeldPagesArePassedOver) {
  ASSERT_EQ(machine_.space->Wire(machine_.At(0), kTestPageSize), Result::kOk);
  Page* held = machine_.PageAt(1);
  {
    PageRoleGuard guard(machine_.system.queues().PageLock(*held));
    machine_.system.queues().Hold(*held);
  }
  Advise(0, 2, Advice::kFree);
  EXPECT_EQ(QueueOf(1), PageQueue::kActive);
  UnholdPage(machine_.system, *held);
  machine_.ExpectFilled(0, 2);
  ASSERT_EQ(machine_.space->Unwire(machine_.At(0), kTestPageSize), Result::kOk);
}

TEST_F(AdviseTest, ABusyPageIsWaitedForWithNothingLocked) {
  Object* object = machine_.FirstObject();
  Page* busy = machine_.PageAt(2);
  {
    ObjectGuard guard(object->lock);
    PagingBegin(*object);
    BusyPage(*object, *busy);
  }
  locking::Thread adviser("adviser", [&] { Advise(0, 4, Advice::kDontNeed); });
  for (;;) {
    // Both would wait for ever if the adviser slept with one of them.
    locking::WriteGuard map_guard(machine_.space->map().lock);
    ObjectGuard guard(object->lock);
    if (!busy->wanted) continue;
    UnbusyPage(machine_.system, *object, *busy);
    PagingEnd(machine_.system, *object);
    break;
  }
  adviser.Join();
  EXPECT_EQ(QueueOf(2), PageQueue::kInactive);
}

TEST_F(AdviseTest, HolesAreNoError) {
  ASSERT_EQ(machine_.space->Unmap(machine_.At(1), kTestPageSize), Result::kOk);
  Advise(0, 4, Advice::kDontNeed);
  EXPECT_EQ(QueueOf(3), PageQueue::kInactive);
  EXPECT_EQ(machine_.space->Advise(machine_.At(0) + 1, kTestPageSize, Advice::kDontNeed),
            Result::kInvalidArgument);
}

// ---- Query ----

TEST_F(AdviseTest, AQueryTellsWhatIsResidentModifiedAndPagedOut) {
  machine_.PageOut(0, 2);
  machine_.Evict(1, 1);
  const Address untouched = machine_.Map(machine_.space, 1);
  std::vector<PageStatus> pages;
  ASSERT_EQ(machine_.space->Query(machine_.At(0), 5 * kTestPageSize, &pages), Result::kOk);
  ASSERT_EQ(pages.size(), 5u);
  EXPECT_TRUE(pages[0].resident && !pages[0].modified && !pages[0].paged_out);
  EXPECT_TRUE(!pages[1].resident && pages[1].paged_out && !pages[1].mapped);
  EXPECT_TRUE(pages[2].resident && pages[2].modified && pages[2].mapped && pages[2].referenced);
  EXPECT_FALSE(pages[4].resident || pages[4].paged_out || pages[4].mapped);
  EXPECT_EQ(machine_.At(4), untouched);
  EXPECT_EQ(machine_.space->Query(machine_.At(0), 6 * kTestPageSize, &pages),
            Result::kInvalidAddress);
}

TEST_F(AdviseTest, AQueryOfMemoryThatNobodyTouchedFindsNothing) {
  Space* other = machine_.system.CreateSpace();
  const Address untouched = machine_.Map(other, 2);
  std::vector<PageStatus> pages;
  ASSERT_EQ(other->Query(untouched, 2 * kTestPageSize, &pages), Result::kOk);
  ASSERT_EQ(pages.size(), 2u);
  EXPECT_FALSE(pages[0].resident || pages[0].paged_out || pages[0].mapped);
  other->Exit();
}

TEST_F(AdviseTest, AQueryTellsWhatOnlyAMappingKnows) {
  machine_.PageOut(0, 2);
  for (std::uint32_t page = 0; page < 2; ++page) {
    machine_.PageAt(page)->referenced.Store(false);
    Pmap::TestAndClearReferenced(machine_.system, *machine_.PageAt(page));
  }
  Word(machine_.space, 0);
  std::vector<PageStatus> pages;
  ASSERT_EQ(machine_.space->Query(machine_.At(0), 2 * kTestPageSize, &pages), Result::kOk);
  ASSERT_FALSE(machine_.PageAt(0)->referenced.Load());
  EXPECT_TRUE(pages[0].referenced);
  EXPECT_FALSE(pages[1].referenced);
}

TEST_F(AdviseTest, AQuerySeesThroughTheChainAndWhatIsMappedHereAlone) {
  Space* child = machine_.space->Fork();
  machine_.Store(child, machine_.At(0), 1);
  std::vector<PageStatus> pages;
  ASSERT_EQ(child->Query(machine_.At(0), 2 * kTestPageSize, &pages), Result::kOk);
  EXPECT_TRUE(pages[0].resident && pages[0].mapped);
  EXPECT_TRUE(pages[1].resident && !pages[1].mapped);
  child->Exit();
}

}  // namespace
}  // namespace vm
