// Zero-copy sending: what is lent stays as it is, whoever writes, and comes back to whom it
// belongs.
#include "vm/page_cow.h"

#include <vector>

#include "locking/thread.h"
#include "tests/vm/paging.h"
#include "vm/page_alloc.h"

namespace vm {
namespace {

class PageCowTest : public testing::Test {
 protected:
  PageCowTest() {
    machine_.MapPages(8);
    machine_.Fill(0, 4);
  }
  Page* Lend(std::uint32_t page) { return LendFrom(machine_.space, page); }
  Page* LendFrom(Space* space, std::uint32_t page) {
    Page* lent = nullptr;
    EXPECT_EQ(space->LendPage(machine_.At(page), &lent), Result::kOk);
    return lent;
  }
  // What the borrower of `page` sees where Fill wrote.
  std::uint64_t Sent(const Page& page) {
    return reinterpret_cast<const std::uint64_t*>(system_.FrameBytes(page).data())[1];
  }
  void Overwrite(std::uint32_t page) { machine_.Fill(page, 1, 9); }
  void ExpectOverwritten(std::uint32_t page) { machine_.ExpectFilled(page, 1, 9); }
  std::uint64_t Copies() { return system_.counters().Get(Event::kLoanCopy); }

  PagingMachine machine_{64};
  System& system_ = machine_.system;
};

TEST_F(PageCowTest, AWriteGetsACopyAndTheLentPageKeepsItsContents) {
  Page* lent = Lend(1);
  ASSERT_EQ(lent, machine_.PageAt(1)) << "nothing is copied for the loan itself";
  Overwrite(1);
  EXPECT_EQ(Sent(*lent), PagingMachine::ValueOf(1, 0));
  ExpectOverwritten(1);
  EXPECT_NE(machine_.PageAt(1), lent);
  EXPECT_EQ(lent->identity, PageIdentity::kDetached);
  EXPECT_EQ(machine_.PageAt(1)->dirty.Peek(), system_.AllBlocks());
  ExpectSound(system_);
  const std::uint32_t before = machine_.FreePages();
  ReturnPage(system_, *lent);
  EXPECT_EQ(machine_.FreePages(), before + 1);
  ExpectSound(system_);
}

TEST_F(PageCowTest, AfterTheReturnWritesGoToThePageAgain) {
  Page* lent = Lend(1);
  machine_.Load(machine_.space, machine_.At(1));
  EXPECT_EQ(machine_.space->pmap().Query(machine_.At(1)).protection, Protection::kRead)
      << "a load does not give the right to write";
  ReturnPage(system_, *lent);
  EXPECT_EQ(lent->queue, PageQueue::kInactive);
  Overwrite(1);
  EXPECT_EQ(machine_.PageAt(1), lent);
  EXPECT_EQ(Copies(), 0u);
  ExpectSound(system_);
}

TEST_F(PageCowTest, APageIsLentMoreThanOnce) {
  Page* lent = Lend(1);
  EXPECT_EQ(Lend(1), lent);
  EXPECT_EQ(lent->wire_count, 2);
  Overwrite(1);
  ReturnPage(system_, *lent);
  EXPECT_EQ(Sent(*lent), PagingMachine::ValueOf(1, 0));
  ExpectSound(system_);
  ReturnPage(system_, *lent);
  EXPECT_EQ(lent->identity, PageIdentity::kFree);
}

TEST_F(PageCowTest, TheCopyIsLentAnew) {
  Page* first = Lend(1);
  Overwrite(1);
  Page* second = Lend(1);
  EXPECT_NE(second, first);
  machine_.Fill(1, 1, 10);
  EXPECT_EQ(Sent(*first), PagingMachine::ValueOf(1, 0));
  EXPECT_EQ(Sent(*second), PagingMachine::ValueOf(1, 9));
  EXPECT_EQ(Copies(), 2u);
  ReturnPage(system_, *second);
  ReturnPage(system_, *first);
  ExpectSound(system_);
}

TEST_F(PageCowTest, WhatIsNotResidentIsFaultedIn) {
  EXPECT_EQ(machine_.PageOut(0, 4), 4u);
  EXPECT_EQ(machine_.Evict(2, 1), 1u);
  Page* lent = Lend(2);
  EXPECT_EQ(Sent(*lent), PagingMachine::ValueOf(2, 0));
  ReturnPage(system_, *lent);
  Page* zero = Lend(6);
  EXPECT_EQ(Sent(*zero), 0u);
  ReturnPage(system_, *zero);
}

TEST_F(PageCowTest, APageBehindAShadowIsLent) {
  Space* child = machine_.space->Fork();
  machine_.Store(child, machine_.At(0), 1);
  ASSERT_EQ(machine_.ChainLength(child, machine_.At(1)), 2u);
  Page* lent = LendFrom(child, 1);
  ASSERT_NE(lent, nullptr);
  EXPECT_EQ(Sent(*lent), PagingMachine::ValueOf(1, 0));
  machine_.Store(child, machine_.At(1) + 8, 77);
  EXPECT_EQ(Sent(*lent), PagingMachine::ValueOf(1, 0));
  ExpectSound(system_);
  ReturnPage(system_, *lent);
  child->Exit();
}

TEST_F(PageCowTest, APageOfABackerIsLent) {
  Space* child = machine_.space->Fork();
  Page* lent = LendFrom(child, 1);
  machine_.Store(child, machine_.At(1) + 8, 77);
  Overwrite(1);
  EXPECT_EQ(Sent(*lent), PagingMachine::ValueOf(1, 0));
  EXPECT_EQ(machine_.Load(child, machine_.At(1) + 8), 77u);
  ExpectOverwritten(1);
  ExpectSound(system_);
  child->Exit();
  ReturnPage(system_, *lent);
  ExpectSound(system_);
}

TEST_F(PageCowTest, ThePageOutlivesItsObject) {
  Page* lent = Lend(1);
  EXPECT_EQ(machine_.space->Unmap(machine_.At(0), 8 * kTestPageSize), Result::kOk);
  EXPECT_EQ(lent->identity, PageIdentity::kDetached);
  EXPECT_EQ(Sent(*lent), PagingMachine::ValueOf(1, 0));
  ReturnPage(system_, *lent);
  EXPECT_EQ(lent->identity, PageIdentity::kFree);
}

TEST_F(PageCowTest, ThePageOutlivesItsPlaceInAnObject) {
  Page* lent = Lend(1);
  EXPECT_EQ(machine_.space->Unmap(machine_.At(1), kTestPageSize), Result::kOk);
  Address again = 0;
  EXPECT_EQ(machine_.space->MapAnonymous(machine_.At(1), kTestPageSize, Protection::kReadWrite,
                                         Inheritance::kCopy, &again),
            Result::kOk);
  EXPECT_EQ(again, machine_.At(1));
  EXPECT_EQ(machine_.Load(machine_.space, machine_.At(1) + 8), 0u) << "new memory";
  Overwrite(1);
  EXPECT_EQ(Sent(*lent), PagingMachine::ValueOf(1, 0));
  EXPECT_EQ(lent->identity, PageIdentity::kDetached);
  ExpectSound(system_);
  ReturnPage(system_, *lent);
  EXPECT_EQ(lent->identity, PageIdentity::kFree);
}

TEST_F(PageCowTest, AWiredPageLeavesItsWiringsToTheCopy) {
  ASSERT_EQ(machine_.space->Wire(machine_.At(0), 4 * kTestPageSize), Result::kOk);
  Page* lent = Lend(1);
  EXPECT_EQ(lent->wire_count, 2);
  Overwrite(1);
  Page* copy = machine_.PageAt(1);
  ASSERT_NE(copy, lent);
  EXPECT_EQ(lent->wire_count, 1);
  EXPECT_EQ(copy->wire_count, 1);
  EXPECT_EQ(copy->queue, PageQueue::kNone);
  ExpectSound(system_);
  ReturnPage(system_, *lent);
  EXPECT_EQ(machine_.space->Unwire(machine_.At(0), 4 * kTestPageSize), Result::kOk);
  ExpectSound(system_);
}

// D02, vm_page.c:1747: what waits for memory looks everything up again.
TEST_F(PageCowTest, WithoutMemoryNothingChanges) {
  Page* lent = Lend(1);
  std::vector<Page*> taken;
  while (Page* page = AllocateUnownedPage(system_, {})) taken.push_back(page);
  EXPECT_EQ(machine_.space->Store(system_.cpu(0), machine_.At(1), 5), Result::kOutOfMemory);
  EXPECT_EQ(machine_.PageAt(1), lent);
  for (Page* page : taken) FreeUnownedPage(system_, *page);
  ReturnPage(system_, *lent);
  machine_.ExpectFilled(1, 1);
  ExpectSound(system_);
}

// vm_page.c:1762: the loan ends while the writer waits for memory. The page is its own again.
TEST_F(PageCowTest, ALoanThatEndsWhileTheWriterWaitsNeedsNoCopy) {
  system_.Start();
  Page* lent = Lend(1);
  std::vector<Page*> taken;
  while (Page* page = AllocateUnownedPage(system_, {.alloc_class = AllocClass::kInterrupt}))
    taken.push_back(page);
  const std::uint64_t waits = system_.counters().Get(Event::kPageWait);
  locking::Thread writer("writer", [&] {
    (void)machine_.space->Store(system_.cpu(1), machine_.At(1) + 8, PagingMachine::ValueOf(1, 9));
  });
  while (system_.counters().Get(Event::kPageWait) == waits) locking::Yield();
  ReturnPage(system_, *lent);
  for (Page* page : taken) FreeUnownedPage(system_, *page);
  writer.Join();
  system_.Stop();
  Overwrite(1);
  EXPECT_EQ(Copies(), 0u);
  ExpectSound(system_);
}

TEST_F(PageCowTest, AnUnmanagedPageIsNotLent) {
  Page* page = machine_.PageAt(1);
  Object* object = machine_.FirstObject();
  ObjectGuard guard(object->lock);
  Pmap::RemoveAll(system_, *page);
  {
    PageRoleGuard role_guard(system_.queues().PageLock(*page));
    system_.queues().Unmanage(*page);
  }
  EXPECT_FALSE(LendPage(system_, *object, *page));
  FreePage(system_, *object, *page);
}

using PageCowDeathTest = PageCowTest;

TEST_F(PageCowDeathTest, Inv27APageIsReturnedTooOften) {
  EXPECT_DEATH(ReturnPage(system_, *machine_.PageAt(1)), "INV-27.*not lent");
}

TEST_F(PageCowDeathTest, Inv18ABusyPageIsLent) {
  Object* object = machine_.FirstObject();
  Page* page = machine_.PageAt(1);
  EXPECT_DEATH(
      {
        ObjectGuard guard(object->lock);
        page->busy_owner = 1;
        (void)LendPage(system_, *object, *page);
      },
      "INV-18.*lent that is busy");
}

TEST_F(PageCowDeathTest, Inv18APageIsReplacedThatIsNotLent) {
  Object* object = machine_.FirstObject();
  Page* page = machine_.PageAt(1);
  EXPECT_DEATH(
      {
        ObjectGuard guard(object->lock);
        (void)ReplaceLentPage(system_, *object, *page);
      },
      "INV-18");
}

}  // namespace
}  // namespace vm
