// Writing out the dirty pages of a file's object, and bringing memory and file into step.
#include "vm/object_clean.h"

#include "tests/vm/files.h"
#include "vm/page_busy.h"

namespace vm {
namespace {

constexpr Address kPage = kTestPageSize;

class PageCleanTest : public testing::Test {
 protected:
  PageCleanTest() : base_(machine_.Shared(kPages)) {}

  void Store(std::uint32_t page, std::uint64_t value) {
    machine_.Store(machine_.space, base_ + page * kPage, value);
  }
  std::uint64_t InFile(std::uint32_t page) { return machine_.file.WordAt(page * kPage); }
  Result Clean(CleanOptions options = {}, Pindex first = 0, Pindex last = 0) {
    locking::WriteGuard vnode_guard(machine_.vnode->lock);
    Object& object = *machine_.vnode->object;
    ObjectGuard guard(object.lock);
    return CleanPages(machine_.system, object, first, last, options);
  }
  bool MightBeDirty() {
    ObjectGuard guard(machine_.object().lock);
    return machine_.object().might_be_dirty;
  }

  static constexpr std::uint32_t kPages = 24;
  FileMachine machine_{kPages};
  const Address base_;
};

TEST_F(PageCleanTest, WritesWhatIsDirtyInClusters) {
  for (const std::uint32_t page : {1u, 2u, 3u, 8u}) Store(page, 10 + page);
  EXPECT_TRUE(MightBeDirty());
  EXPECT_EQ(Clean(), Result::kOk);
  EXPECT_EQ(machine_.file.writes.Get(), 2u);
  for (const std::uint32_t page : {1u, 2u, 3u, 8u}) EXPECT_EQ(InFile(page), 10 + page);
  EXPECT_FALSE(MightBeDirty());
  EXPECT_EQ(Clean(), Result::kOk);
  EXPECT_EQ(machine_.file.writes.Get(), 2u) << "nothing is left to write";
  ExpectSound(machine_.system);
}

TEST_F(PageCleanTest, ACleanOfAPartLeavesTheRestToTheNext) {
  for (const bool front : {true, false}) {
    Store(0, 7);
    Store(kPages - 1, 7);
    EXPECT_EQ(front ? Clean({}, 0, 1) : Clean({}, kPages - 1, kPages), Result::kOk);
    EXPECT_TRUE(MightBeDirty());
    EXPECT_EQ(Clean(), Result::kOk);
    EXPECT_FALSE(MightBeDirty());
    EXPECT_EQ(InFile(0), 7u);
    EXPECT_EQ(InFile(kPages - 1), 7u);
  }
}

TEST_F(PageCleanTest, AClusterReachesBackFromTheRange) {
  for (const std::uint32_t page : {4u, 5u, 6u, 7u}) Store(page, 10 + page);
  EXPECT_EQ(Clean({}, 6, 7), Result::kOk);
  EXPECT_EQ(machine_.file.writes.Get(), 1u);
  for (const std::uint32_t page : {4u, 5u, 6u, 7u}) EXPECT_EQ(InFile(page), 10 + page);
  EXPECT_TRUE(MightBeDirty()) << "the rest was not looked at";
}

TEST_F(PageCleanTest, AClusterIsNotLongerThanATransfer) {
  for (std::uint32_t page = 0; page < kPages; ++page) Store(page, 10 + page);
  EXPECT_EQ(Clean(), Result::kOk);
  EXPECT_EQ(machine_.file.writes.Get(), 2u);
  for (std::uint32_t page = 0; page < kPages; ++page) EXPECT_EQ(InFile(page), 10 + page);
}

TEST_F(PageCleanTest, AClusterThatReachesBackIsNotLongerThanATransfer) {
  for (std::uint32_t page = 0; page < kPages; ++page) Store(page, 10 + page);
  EXPECT_EQ(Clean({}, 20, 21), Result::kOk);
  EXPECT_EQ(machine_.file.writes.Get(), 1u);
  EXPECT_EQ(machine_.Count(Event::kPageOut), kClusterPages);
}

TEST_F(PageCleanTest, AStoreAfterwardsMakesItDirtyAgain) {
  Store(0, 1);
  Clean();
  Store(0, 2);
  EXPECT_TRUE(MightBeDirty());
  EXPECT_EQ(Clean(), Result::kOk);
  EXPECT_EQ(InFile(0), 2u);
}

TEST_F(PageCleanTest, ASynchronousOneWritesWhatBecomesDirtyMeanwhile) {
  Store(0, 1);
  Store(9, 1);
  bool stored = false;
  machine_.file.during_write = [&] {
    if (machine_.file.writes.Get() != 2 || std::exchange(stored, true)) return;
    Store(0, 2);  // the scan has passed it
  };
  EXPECT_EQ(Clean({.mode = SyncMode::kSynchronous}), Result::kOk);
  EXPECT_EQ(InFile(0), 2u);
  EXPECT_FALSE(MightBeDirty());
}

TEST_F(PageCleanTest, AnAsynchronousOneLeavesItAndKnowsThatItDoes) {
  Store(0, 1);
  Store(9, 1);
  bool stored = false;
  machine_.file.during_write = [&] {
    if (machine_.file.writes.Get() == 2 && !std::exchange(stored, true)) Store(0, 2);
  };
  EXPECT_EQ(Clean(), Result::kOk);
  EXPECT_EQ(InFile(0), 1u);
  EXPECT_TRUE(MightBeDirty());
}

TEST_F(PageCleanTest, WhoNeverStopsWritingDoesNotKeepItForEver) {
  Store(0, 1);
  Store(9, 1);
  machine_.file.during_write = [&] { Store(machine_.file.writes.Get() % 2 == 0 ? 0 : 9, 2); };
  EXPECT_EQ(Clean({.mode = SyncMode::kSynchronous}), Result::kOk);
  machine_.file.during_write = nullptr;
  EXPECT_LE(machine_.file.writes.Get(), 2 * (kMaxCleanRescans + 2));
  EXPECT_TRUE(MightBeDirty());
}

TEST_F(PageCleanTest, AWriteThatEndsEarlyGoesOnWhereItDid) {
  for (const std::uint32_t page : {1u, 2u, 3u}) Store(page, 10 + page);
  machine_.file.short_write = kPage;
  EXPECT_EQ(Clean(), Result::kOk);
  EXPECT_EQ(machine_.file.writes.Get(), 3u);
  for (const std::uint32_t page : {1u, 2u, 3u}) EXPECT_EQ(InFile(page), 10 + page);
}

TEST_F(PageCleanTest, AWriteThatEndsBeforeItsRangeIsMadeAgainForIt) {
  for (const std::uint32_t page : {1u, 2u, 3u}) Store(page, 10 + page);
  machine_.file.short_write = kPage;
  EXPECT_EQ(machine_.space->Sync(base_ + 3 * kPage, kPage, SyncMode::kSynchronous, Invalidate::kNo),
            Result::kOk);
  EXPECT_EQ(InFile(3), 13u);
  EXPECT_EQ(InFile(1), 11u) << "its neighbours were taken along as far as that went";
  EXPECT_NE(InFile(2), 12u);
}

TEST_F(PageCleanTest, APageThatCannotBeWrittenIsPassedOverAndReported) {
  for (const std::uint32_t page : {1u, 2u}) Store(page, 10 + page);
  {
    PageRoleGuard guard(machine_.system.queues().PageLock(*machine_.PageOfFile(1)));
    machine_.system.queues().Deactivate(*machine_.PageOfFile(1));
  }
  machine_.file.fail_writes = Result::kNoSpace;
  EXPECT_EQ(Clean(), Result::kNoSpace);
  EXPECT_EQ(machine_.file.writes.Get(), 2u) << "each was tried once as the first";
  EXPECT_TRUE(MightBeDirty());
  EXPECT_NE(machine_.PageOfFile(1)->dirty.Load(), 0u);
  EXPECT_EQ(machine_.PageOfFile(1)->queue, PageQueue::kActive);
  machine_.file.fail_writes = Result::kOk;
  EXPECT_EQ(Clean(), Result::kOk);
  EXPECT_EQ(InFile(2), 12u);
}

// The file says neither that it failed nor that it is full.
TEST_F(PageCleanTest, AWriteThatNeverGetsAWholePageDownIsAnError) {
  Store(1, 11);
  machine_.file.short_write = kPage - 8;
  EXPECT_EQ(Clean(), Result::kIoError);
  EXPECT_NE(machine_.PageOfFile(1)->dirty.Load(), 0u);
  EXPECT_TRUE(MightBeDirty());
}

TEST_F(PageCleanTest, PagesThatNeedNoSyncStayDirtyIfAskedTo) {
  Store(1, 11);
  Store(2, 12);
  machine_.PageOfFile(1)->nosync = true;
  EXPECT_EQ(Clean({.skip_nosync = true}), Result::kOk);
  EXPECT_EQ(InFile(1), FileMachine::ValueOf(1));
  EXPECT_EQ(InFile(2), 12u);
  EXPECT_TRUE(MightBeDirty());
  EXPECT_EQ(Clean(), Result::kOk);
  EXPECT_EQ(InFile(1), 11u);
}

TEST_F(PageCleanTest, ABusyPageIsWaitedForAndThenWritten) {
  Store(3, 13);
  Object& object = machine_.object();
  Page* page = machine_.PageOfFile(3);
  {
    ObjectGuard guard(object.lock);
    PagingBegin(object);
    BusyPage(object, *page);
  }
  locking::Thread cleaner("cleaner", [&] { EXPECT_EQ(Clean(), Result::kOk); });
  for (;;) {
    ObjectGuard guard(object.lock);
    if (!page->wanted) continue;
    UnbusyPage(machine_.system, object, *page);
    PagingEnd(machine_.system, object);
    break;
  }
  cleaner.Join();
  EXPECT_EQ(InFile(3), 13u);
}

// ---- Sync of a range of memory ----

class SyncTest : public PageCleanTest {
 protected:
  Result Sync(std::uint32_t first, std::uint32_t count, Invalidate invalidate = Invalidate::kNo,
              SyncMode mode = SyncMode::kSynchronous) {
    return machine_.space->Sync(base_ + first * kPage, count * kPage, mode, invalidate);
  }
};

TEST_F(SyncTest, WritesTheRangeToTheFile) {
  Store(2, 12);
  Store(20, 30);
  EXPECT_EQ(Sync(2, 1), Result::kOk);
  EXPECT_EQ(InFile(2), 12u);
  EXPECT_EQ(InFile(20), FileMachine::ValueOf(20));
  EXPECT_NE(machine_.PageOfFile(2), nullptr) << "what is written stays";
  EXPECT_EQ(Sync(0, kPages, Invalidate::kNo, SyncMode::kAsynchronous), Result::kOk);
  EXPECT_EQ(InFile(20), 30u);
}

TEST_F(SyncTest, ReachesTheFileBehindAPrivateMapping) {
  const Address own = machine_.MapFile(machine_.space, 4, Space::Sharing::kPrivate, 4);
  machine_.Store(machine_.space, own, 99);  // a shadow in front of page 4
  Store(5, 15);
  Store(3, 13);
  EXPECT_EQ(machine_.space->Sync(own, 4 * kPage, SyncMode::kSynchronous, Invalidate::kNo),
            Result::kOk);
  EXPECT_EQ(InFile(5), 15u);
  EXPECT_EQ(InFile(4), FileMachine::ValueOf(4)) << "what is private stays so";
  EXPECT_EQ(InFile(3), FileMachine::ValueOf(3)) << "not in the range";
}

TEST_F(SyncTest, InvalidatedMemoryIsReadAgain) {
  Store(1, 11);
  machine_.Load(machine_.space, base_ + 2 * kPage);
  EXPECT_EQ(Sync(1, 2, Invalidate::kYes), Result::kOk);
  EXPECT_EQ(machine_.PageOfFile(1), nullptr);
  machine_.file.SetWord(kPage, 77);
  EXPECT_EQ(machine_.Load(machine_.space, base_ + kPage), 77u);
  ExpectSound(machine_.system);
}

TEST_F(SyncTest, WhatCouldNotBeWrittenIsNotForgotten) {
  Store(1, 11);
  machine_.file.fail_writes = Result::kIoError;
  EXPECT_EQ(Sync(0, 4, Invalidate::kYes), Result::kIoError);
  EXPECT_EQ(machine_.Load(machine_.space, base_ + kPage), 11u);
  machine_.file.fail_writes = Result::kOk;
}

TEST_F(SyncTest, WiredMemoryIsNotInvalidatedAndHolesAreErrors) {
  ASSERT_EQ(machine_.space->Wire(base_, kPage), Result::kOk);
  EXPECT_EQ(Sync(0, 2, Invalidate::kYes), Result::kInvalidArgument);
  EXPECT_EQ(Sync(0, 2), Result::kOk);
  EXPECT_EQ(Sync(0, kPages + 1), Result::kInvalidAddress);
  ASSERT_EQ(machine_.space->Unwire(base_, kPage), Result::kOk);
}

TEST_F(SyncTest, AnonymousMemoryHasNothingToBeInStepWith) {
  const Address own = machine_.Map(machine_.space, 2);
  EXPECT_EQ(machine_.space->Sync(own, 2 * kPage, SyncMode::kSynchronous, Invalidate::kYes),
            Result::kOk);
  machine_.Store(machine_.space, own, 5);
  EXPECT_EQ(machine_.space->Sync(own, 2 * kPage, SyncMode::kSynchronous, Invalidate::kYes),
            Result::kOk);
  EXPECT_EQ(machine_.Load(machine_.space, own), 5u);
}

TEST_F(SyncTest, AFileThatCannotBeMadeSafeIsReportedBySynchronousOnes) {
  Store(1, 11);
  machine_.file.fail_sync = true;
  EXPECT_EQ(Sync(0, 2, Invalidate::kNo, SyncMode::kAsynchronous), Result::kOk);
  EXPECT_EQ(Sync(0, 2), Result::kIoError);
  machine_.file.fail_sync = false;
}

}  // namespace
}  // namespace vm
