// Scans of the page daemon: what they free and what they keep.
#include "vm/pageout.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/vm/paging.h"
#include "vm/page_alloc.h"
#include "vm/page_busy.h"

namespace vm {
namespace {

using Sizes = std::vector<std::uint32_t>;

// 64 pages, of which the daemon wants 11 free: 3 are page tables, so 52 resident ones are a
// shortage.
constexpr std::uint32_t kPages = 64;
constexpr std::uint32_t kResident = 52;

class PageoutTest : public testing::Test {
 protected:
  // Leaves the machine short of pages: `dirty` written and `clean` only read ones.
  void MakeShort(std::uint32_t dirty, std::uint32_t clean) {
    machine.MapPages(64);
    machine.Fill(0, dirty);
    for (std::uint32_t page = dirty; page < dirty + clean; ++page)
      EXPECT_EQ(machine.Load(machine.space, machine.At(page)), 0u);
    EXPECT_GT(Target(), 0);
  }
  std::int64_t Target() { return machine.system.free_queue().PagingTarget(); }
  std::uint32_t Free() { return machine.system.free_queue().free_count(); }
  std::uint32_t Scan(std::uint32_t number) { return machine.system.daemon().Scan(number); }
  std::uint32_t CountResident(std::uint32_t first, std::uint32_t count) {
    std::uint32_t resident = 0;
    for (std::uint32_t page = first; page < first + count; ++page)
      resident += machine.Resident(page) ? 1 : 0;
    return resident;
  }
  void Touch(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t page = first; page < first + count; ++page)
      machine.Load(machine.space, machine.At(page));
  }

  PagingMachine machine{kPages, 64};
};

TEST_F(PageoutTest, AScanWithoutAShortageFreesNothing) {
  machine.MapPages(10);
  machine.Fill(0, 10);
  machine.DeactivatePages(0, 10);
  EXPECT_EQ(Scan(0), 0u);
  EXPECT_EQ(Scan(5), 0u);
  EXPECT_EQ(CountResident(0, 10), 10u);
  EXPECT_EQ(machine.Count(Event::kPageOut), 0u);
}

TEST_F(PageoutTest, CleanInactivePagesAreFreedUpToTheTarget) {
  MakeShort(0, kResident);
  machine.DeactivatePages(0, kResident);
  const std::int64_t wanted = Target();
  EXPECT_EQ(Scan(0), wanted);
  EXPECT_EQ(Target(), 0);
  EXPECT_EQ(machine.Count(Event::kPageOut), 0u);
  // From the head of the queue.
  EXPECT_EQ(CountResident(0, static_cast<std::uint32_t>(wanted)), 0u);
  EXPECT_EQ(CountResident(0, kResident), kResident - wanted);
  Touch(0, kResident);
}

TEST_F(PageoutTest, DirtyPagesGetASecondChanceThenAreWrittenAndFreed) {
  MakeShort(kResident, 0);
  machine.DeactivatePages(0, kResident);
  EXPECT_EQ(Scan(0), 0u);
  EXPECT_EQ(machine.Count(Event::kPageOut), 0u);
  EXPECT_TRUE(machine.PageAt(0)->winatcfls);
  EXPECT_GT(Scan(0), 0u);
  EXPECT_EQ(Target(), 0);
  EXPECT_GT(machine.Count(Event::kPageOut), 0u);
  machine.ExpectFilled(0, kResident);
}

TEST_F(PageoutTest, LaterPassesWriteDirtyPagesAtOnce) {
  MakeShort(kResident, 0);
  machine.DeactivatePages(0, kResident);
  EXPECT_GT(Scan(1), 0u);
  EXPECT_EQ(Target(), 0);
  machine.ExpectFilled(0, kResident);
}

TEST_F(PageoutTest, CleanPagesGoBeforeDirtyOnesAreWritten) {
  MakeShort(30, kResident - 30);
  machine.DeactivatePages(0, kResident);
  EXPECT_GT(Scan(0), 0u);
  EXPECT_EQ(Target(), 0);
  EXPECT_EQ(CountResident(0, 30), 30u);
  EXPECT_EQ(machine.Count(Event::kPageOut), 0u);
}

TEST_F(PageoutTest, LaunderingTakesTheAlignedClusterOfDirtyInactivePages) {
  MakeShort(kResident, 0);
  machine.DeactivatePages(0, kResident);
  EXPECT_GT(Scan(1), 0u);
  const Sizes sizes = machine.store->TakeWriteSizes();
  ASSERT_FALSE(sizes.empty());
  EXPECT_EQ(sizes.front(), kClusterPages);
}

TEST_F(PageoutTest, AClusterLeavesReferencedNeighboursAlone) {
  MakeShort(kResident, 0);
  machine.DeactivatePages(0, 6);  // the others are active, and were referenced just now
  EXPECT_GT(Scan(1), 0u);
  EXPECT_EQ(machine.store->TakeWriteSizes(), Sizes{6});
}

TEST_F(PageoutTest, AClusterEndsAtWhatIsHeldOrWired) {
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.DeactivatePages(0, 8);
  Page& held = *machine.PageAt(5);
  Page& wired = *machine.PageAt(2);
  {
    PageRoleGuard guard(machine.system.queues().PageLock(held));
    machine.system.queues().Hold(held);
  }
  {
    PageRoleGuard guard(machine.system.queues().PageLock(wired));
    machine.system.queues().Wire(wired);
  }
  WriteOut write;
  {
    Object& object = *machine.FirstObject();
    ObjectGuard guard(object.lock);
    BeginLaundering(machine.system, object, *LookupPage(object, 3), &write);
    EXPECT_EQ(write.page_count, 2u) << "pages 3 and 4";
    EndLaundering(machine.system, object, write, 0);
  }
  UnholdPage(machine.system, held);
  PageRoleGuard guard(machine.system.queues().PageLock(wired));
  machine.system.queues().Unwire(wired, PageQueues::Then::kActivate);
}

TEST_F(PageoutTest, PassZeroWritesALimitedNumberOfClusters) {
  machine.MapPages(128);
  for (std::uint32_t page = 0; page < 2 * kResident; page += 2) machine.Fill(page, 1);
  for (std::uint32_t page = 0; page < 2 * kResident; page += 2) {
    machine.DeactivatePages(page, 1);
    machine.PageAt(page)->winatcfls = true;
  }
  // No write makes a page clean, so that the target is never reached.
  machine.store->fail_writes = true;
  EXPECT_EQ(Scan(0), 0u);
  EXPECT_EQ(machine.store->TakeWriteSizes().size(), kMaxLaunder);
}

TEST_F(PageoutTest, ReferencedInactivePagesAreReactivated) {
  MakeShort(0, kResident);
  machine.DeactivatePages(0, kResident);
  Touch(0, 5);
  EXPECT_GT(Scan(0), 0u);
  EXPECT_EQ(CountResident(0, 5), 5u);
  for (std::uint32_t page = 0; page < 5; ++page) {
    EXPECT_EQ(machine.PageAt(page)->queue, PageQueue::kActive);
    EXPECT_GT(machine.PageAt(page)->act_count, kActInit);
  }
  EXPECT_EQ(machine.Count(Event::kReactivated), 5u);
}

// Whoever sleeps for a page, or takes it, uses it without a mapping.
TEST_F(PageoutTest, AReferenceThatNoMappingMadeCounts) {
  MakeShort(0, kResident);
  machine.DeactivatePages(0, kResident);
  machine.PageAt(0)->referenced.Store(true);
  EXPECT_GT(Scan(0), 0u);
  ASSERT_TRUE(machine.Resident(0));
  EXPECT_EQ(machine.PageAt(0)->queue, PageQueue::kActive);
  EXPECT_FALSE(machine.PageAt(0)->referenced.Load()) << "it counts once";
}

TEST_F(PageoutTest, AHotSetStaysWhileColdPagesGo) {
  MakeShort(kResident, 0);
  for (int round = 0; round < 40 && Target() > 0; ++round) {
    Touch(0, 8);
    Scan(round == 0 ? 0 : 1);
  }
  EXPECT_LE(Target(), 0);
  EXPECT_EQ(CountResident(0, 8), 8u);
  machine.ExpectFilled(0, kResident);
}

TEST_F(PageoutTest, UnreferencedActivePagesAgeUntilTheyAreInactive) {
  MakeShort(0, kResident);
  EXPECT_EQ(machine.system.queues().inactive_count(), 0u);
  Scan(0);  // finds the references of the faults
  EXPECT_EQ(machine.system.queues().inactive_count(), 0u);
  const std::uint32_t act_count = machine.PageAt(0)->act_count;
  EXPECT_GT(act_count, kActInit);
  Scan(0);
  EXPECT_EQ(machine.PageAt(0)->act_count, act_count - kActDecline);
  for (std::uint32_t round = 0; round < act_count; ++round) Scan(0);
  EXPECT_EQ(Target(), 0);
}

TEST_F(PageoutTest, WiredPagesStay) {
  MakeShort(kResident, 0);
  EXPECT_EQ(machine.space->Wire(machine.At(0), 10 * kTestPageSize), Result::kOk);
  for (std::uint32_t pass = 0; pass < 8; ++pass) Scan(pass);
  EXPECT_LE(Target(), 0);
  EXPECT_EQ(CountResident(0, 10), 10u);
  EXPECT_EQ(machine.space->Unwire(machine.At(0), 10 * kTestPageSize), Result::kOk);
}

TEST_F(PageoutTest, HeldPagesStay) {
  MakeShort(kResident, 0);
  Page* held = machine.PageAt(0);
  {
    PageRoleGuard guard(machine.system.queues().PageLock(*held));
    machine.system.queues().Hold(*held);
  }
  machine.DeactivatePages(0, kResident);
  for (std::uint32_t pass = 0; pass < 8; ++pass) Scan(pass);
  EXPECT_LE(Target(), 0);
  EXPECT_EQ(machine.PageAt(0), held);
  PageRoleGuard guard(machine.system.queues().PageLock(*held));
  EXPECT_FALSE(machine.system.queues().Unhold(*held));
}

TEST_F(PageoutTest, AHeldPageIsNotReclaimed) {
  machine.MapPages(1);
  machine.Load(machine.space, machine.At(0));
  Page* held = machine.PageAt(0);
  {
    PageRoleGuard guard(machine.system.queues().PageLock(*held));
    machine.system.queues().Hold(*held);
  }
  EXPECT_EQ(machine.Evict(0, 1), 0u);
  EXPECT_EQ(machine.PageAt(0), held);
  UnholdPage(machine.system, *held);
  EXPECT_EQ(machine.Evict(0, 1), 1u);
}

TEST_F(PageoutTest, TheLastPassTakesWhatIsReferenced) {
  MakeShort(0, kResident);
  machine.DeactivatePages(0, kResident);
  Touch(0, kResident);
  EXPECT_GT(Scan(kForcePass), 0u);
  EXPECT_EQ(Target(), 0);
  EXPECT_EQ(machine.Count(Event::kReactivated), 0u);
}

TEST_F(PageoutTest, BusyPagesArePassedOver) {
  MakeShort(0, kResident);
  machine.DeactivatePages(0, kResident);
  Object* object = machine.FirstObject();
  Page* busy = machine.PageAt(0);
  {
    ObjectGuard guard(object->lock);
    BusyPage(*object, *busy);
    PagingBegin(*object);
  }
  EXPECT_GT(Scan(kForcePass), 0u);
  EXPECT_EQ(machine.PageAt(0), busy);
  ObjectGuard guard(object->lock);
  UnbusyPage(machine.system, *object, *busy);
  PagingEnd(machine.system, *object);
}

TEST_F(PageoutTest, PagesOfALockedObjectArePassedOverWithoutWaiting) {
  if (machine.system.config().locks == LockDialect::kGiant)
    GTEST_SKIP() << "whoever has an object locked has the daemon waiting for the one lock";
  MakeShort(0, kResident);
  machine.DeactivatePages(0, kResident);
  {
    ObjectGuard guard(machine.FirstObject()->lock);
    std::uint32_t freed = ~0u;
    locking::Thread("scanner", [&] { freed = Scan(kForcePass); }).Join();
    EXPECT_EQ(freed, 0u);
  }
  EXPECT_GT(Scan(0), 0u);
}

TEST_F(PageoutTest, AScanLeavesNoMarkerBehind) {
  MakeShort(20, kResident - 20);
  machine.DeactivatePages(0, 40);
  Scan(0);
  Scan(1);
  PageRoleGuard guard(machine.system.queues().lock);
  PageQueues& queues = machine.system.queues();
  const auto is_marker = [](const Page& page) { return page.marker; };
  EXPECT_EQ(std::count_if(queues.inactive().begin(), queues.inactive().end(), is_marker), 0);
  EXPECT_EQ(std::count_if(queues.active().begin(), queues.active().end(), is_marker), 0);
  EXPECT_EQ(queues.inactive().size(), queues.inactive_count());
  EXPECT_EQ(queues.active().size(), queues.active_count());
}

TEST_F(PageoutTest, ConcurrentScansMeetEachOthersMarkers) {
  MakeShort(kResident, 0);
  std::vector<locking::Thread> scanners;
  for (int i = 0; i < 3; ++i)
    scanners.emplace_back("scanner", [&] {
      for (std::uint32_t pass = 0; pass < 8; ++pass) Scan(pass);
    });
  for (locking::Thread& scanner : scanners) scanner.Join();
  EXPECT_LE(Target(), 0);
  machine.ExpectFilled(0, kResident);
}

TEST_F(PageoutTest, WhatCannotBeWrittenIsActivated) {
  MakeShort(kResident, 0);
  machine.DeactivatePages(0, kResident);
  machine.store->fail_writes = true;
  EXPECT_EQ(Scan(1), 0u);
  EXPECT_EQ(machine.Count(Event::kPageOutError), kResident);
  for (std::uint32_t page = 0; page < kResident; ++page)
    EXPECT_NE(machine.PageAt(page)->dirty.Peek(), 0u);
  EXPECT_EQ(machine.PageAt(0)->queue, PageQueue::kActive);
  machine.store->fail_writes = false;
  machine.ExpectFilled(0, kResident);
}

TEST_F(PageoutTest, APageDirtiedDuringItsWriteOutIsKept) {
  MakeShort(kResident, 0);
  machine.DeactivatePages(0, 1);
  Page* page = machine.PageAt(0);
  machine.store->during_write = [&] { page->dirty.FetchOr(1); };
  EXPECT_EQ(Scan(1), 0u);
  EXPECT_EQ(machine.Count(Event::kPageOut), 1u);
  EXPECT_EQ(machine.PageAt(0), page);
  machine.store->during_write = nullptr;
}

TEST(PageoutCache, ALargeMachineKeepsCleanPagesOnTheCacheQueue) {
  constexpr std::uint32_t kLarge = 7000;
  PagingMachine machine(kLarge, 0);
  // Two mappings' worth of tables; the limit of one address space is 4096 pages.
  Space* other = machine.system.CreateSpace();
  machine.MapPages(4000);
  const Address other_base = machine.Map(other, 2800);
  for (std::uint32_t page = 0; page < 4000; ++page) machine.Load(machine.space, machine.At(page));
  for (std::uint32_t page = 0; page < 2800; ++page)
    machine.Load(other, other_base + page * kTestPageSize);
  machine.DeactivatePages(0, 1000);
  EXPECT_GT(machine.system.daemon().Scan(0), 0u);
  const Thresholds& thresholds = machine.system.free_queue().thresholds();
  EXPECT_EQ(machine.system.queues().cache_count(), thresholds.cache_min);
  Page* cached = machine.PageAt(0);
  ASSERT_NE(cached, nullptr);
  EXPECT_EQ(cached->queue, PageQueue::kCache);
  EXPECT_FALSE(Pmap::IsMapped(machine.system, *cached));
  EXPECT_EQ(machine.Load(machine.space, machine.At(0)), 0u);
  EXPECT_EQ(machine.PageAt(0), cached);
  EXPECT_EQ(cached->queue, PageQueue::kActive);
  other->Exit();
}

}  // namespace
}  // namespace vm
