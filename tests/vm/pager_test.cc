// What all pagers have in common: reading with neighbours, and what a write-out says of each page.
#include "vm/pager/pager.h"

#include <gtest/gtest.h>

#include "tests/vm/paging.h"

namespace vm {
namespace {

TEST(PageIn, BringsNeighboursInTheSameRead) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.Evict(0, 8);
  EXPECT_EQ(machine.Load(machine.space, machine.At(3) + 8), PagingMachine::ValueOf(3, 0));
  EXPECT_TRUE(machine.Resident(0));
  EXPECT_TRUE(machine.Resident(7));
  EXPECT_EQ(machine.Count(Event::kPageIn), 8u);
  EXPECT_EQ(machine.PageAt(3)->queue, PageQueue::kActive);
  EXPECT_EQ(machine.PageAt(4)->queue, PageQueue::kInactive) << "nobody asked for it yet";
  machine.ExpectFilled(0, 8);
}

TEST(PageIn, BringsTheNeighboursBefore) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.Evict(0, 8);
  machine.Load(machine.space, machine.At(7));
  EXPECT_EQ(machine.Count(Event::kPageIn), 8u);
  EXPECT_TRUE(machine.Resident(0));
  machine.ExpectFilled(0, 8);
}

TEST(PageIn, StopsAtAResidentNeighbour) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.Evict(0, 5);
  machine.Evict(6, 2);
  machine.Load(machine.space, machine.At(3));
  EXPECT_TRUE(machine.Resident(4));
  EXPECT_FALSE(machine.Resident(6)) << "page 5 stands between";
}

TEST(PageIn, LeavesNeighboursOutWhereMemoryIsShort) {
  PagingMachine machine(64, 64);
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.Evict(0, 8);
  const auto target = machine.system.free_queue().PagingTarget();
  ASSERT_LT(target, 0);
  const Address rest = machine.Map(machine.space, 60);
  for (Address va = rest; machine.system.free_queue().PagingTarget() < 0; va += kTestPageSize)
    machine.Store(machine.space, va, 1);
  EXPECT_EQ(machine.Load(machine.space, machine.At(3) + 8), PagingMachine::ValueOf(3, 0));
  EXPECT_FALSE(machine.Resident(4));
  EXPECT_EQ(machine.Count(Event::kPageIn), 1u);
}

TEST(PageIn, ANeighbourThatCannotBeReadIsNotMissed) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.Evict(0, 8);
  machine.store->fail_reads_of_several = true;
  EXPECT_EQ(machine.Load(machine.space, machine.At(3) + 8), PagingMachine::ValueOf(3, 0));
  EXPECT_FALSE(machine.Resident(4));
  EXPECT_EQ(machine.Count(Event::kPageInError), 0u);
  machine.store->fail_reads_of_several = false;
  machine.ExpectFilled(0, 8);
}

TEST(PageOut, SaysWhatBecameOfEachPage) LOCKING_NO_ANALYSIS {
  PagingMachine machine(64, 2);
  machine.MapPages(4);
  machine.Fill(0, 4);
  machine.PageOut(0, 1);
  Object* object = machine.FirstObject();
  ObjectGuard guard(object->lock);
  std::vector<Page*> pages;
  for (Pindex index = 0; index < 4; ++index) pages.push_back(LookupPage(*object, index));
  WriteOut write;
  EXPECT_EQ(object->pager->PageOut(*object, pages, &write), 1u);
  EXPECT_EQ(write.states[0], PutState::kClean);
  EXPECT_EQ(write.states[1], PutState::kWritten);
  EXPECT_EQ(write.states[2], PutState::kNoRoom);
  machine.store->fail_writes = true;
  pages[1]->dirty.Store(machine.system.AllBlocks());
  WriteOut failed;
  EXPECT_EQ(object->pager->PageOut(*object, {&pages[1], 1}, &failed), 0u);
  EXPECT_EQ(failed.states[0], PutState::kFailed);
  EXPECT_NE(pages[1]->dirty.Load(), 0u);
  for (Page* page : pages) page->dirty.Store(0);
}

}  // namespace
}  // namespace vm
