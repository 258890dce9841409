// Giving up pages: what may go to the cache queue or to the free queue, and what may not.
#include "vm/page_release.h"

#include "tests/vm/mapped_object.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"

namespace vm {
namespace {

class PageReleaseTest : public testing::Test {
 protected:
  // Both attempts refuse the page while it is so.
  void ExpectKept(const char* why) LOCKING_REQUIRES(object_.lock) {
    EXPECT_FALSE(TryToCachePage(system_, object_, page_)) << why;
    EXPECT_FALSE(TryToFreePage(system_, object_, page_)) << why;
    EXPECT_EQ(page_.object, &object_) << why;
  }
  std::uint32_t Free() { return system_.free_queue().free_count(); }

  MappedObject test_{3};
  System& system_ = test_.system;
  Object& object_ = test_.object;
  PageQueues& queues_ = system_.queues();
  Page& page_ = test_.page(0);
};

TEST_F(PageReleaseTest, ACleanPageGoesToTheCacheQueueUnmapped) {
  test_.Enter(test_.NewPmap(), 0, 0);
  ObjectGuard guard(object_.lock);
  EXPECT_TRUE(TryToCachePage(system_, object_, page_));
  EXPECT_EQ(page_.queue, PageQueue::kCache);
  EXPECT_EQ(page_.object, &object_);
  EXPECT_FALSE(Pmap::IsMapped(system_, page_));
  EXPECT_EQ(queues_.cache_count(), 1u);
}

TEST_F(PageReleaseTest, ACleanPageIsFreed) {
  test_.Enter(test_.NewPmap(), 0, 0);
  const std::uint32_t before = Free();
  ObjectGuard guard(object_.lock);
  EXPECT_TRUE(TryToFreePage(system_, object_, page_));
  EXPECT_EQ(Free(), before + 1);
  EXPECT_EQ(LookupPage(object_, 0), nullptr);
}

TEST_F(PageReleaseTest, APageWithNothingInItIsFreedInstead) {
  const std::uint32_t before = Free();
  ObjectGuard guard(object_.lock);
  page_.valid = 0;
  EXPECT_TRUE(TryToCachePage(system_, object_, page_));
  EXPECT_EQ(Free(), before + 1);
}

TEST_F(PageReleaseTest, WhatIsInUseStays) {
  ObjectGuard guard(object_.lock);
  PageRoleGuard role_guard(queues_.PageLock(page_));
  BusyPage(object_, page_);
  ExpectKept("busy");
  EXPECT_FALSE(CachePage(system_, object_, page_));
  UnbusyPage(system_, object_, page_);
  ShareBusyPage(object_, page_);
  ExpectKept("shared-busy");
  UnshareBusyPage(system_, object_, page_);
  queues_.Wire(page_);
  ExpectKept("wired");
  EXPECT_FALSE(CachePage(system_, object_, page_));
  queues_.Unwire(page_, PageQueues::Then::kDeactivate);
  queues_.Hold(page_);
  ExpectKept("held");
  UnholdPage(system_, page_);
  DirtyPage(system_, page_);
  ExpectKept("dirty");
  UndirtyPage(page_);
  queues_.Unmanage(page_);
  ExpectKept("unmanaged");
  EXPECT_FALSE(CachePage(system_, object_, page_));
}

TEST_F(PageReleaseTest, WhatAMappingModifiedStays) {
  Pmap& pmap = test_.NewPmap();
  test_.Enter(pmap, 0, 0);
  EXPECT_TRUE(test_.Store(pmap, 0, 1));
  ObjectGuard guard(object_.lock);
  ExpectKept("modified");
  EXPECT_EQ(page_.dirty.Peek(), system_.AllBlocks());
}

TEST_F(PageReleaseTest, AnUnmanagedPageIsOnNoQueueUntilItIsFreed) {
  ObjectGuard guard(object_.lock);
  {
    PageRoleGuard role_guard(queues_.PageLock(page_));
    queues_.Unmanage(page_);
    EXPECT_EQ(page_.queue, PageQueue::kNone);
    queues_.Activate(page_);
    queues_.Deactivate(page_);
    EXPECT_EQ(page_.queue, PageQueue::kNone);
    queues_.Wire(page_);
    queues_.Unwire(page_, PageQueues::Then::kActivate);
    EXPECT_EQ(page_.queue, PageQueue::kNone);
    EXPECT_EQ(queues_.wired_count(), 0u);
  }
  FreePage(system_, object_, page_);
  EXPECT_FALSE(page_.unmanaged);
}

// Mappings of an unmanaged page are known to their pmap alone.
TEST_F(PageReleaseTest, AnUnmanagedPageHasNoPvList) {
  {
    ObjectGuard guard(object_.lock);
    PageRoleGuard role_guard(queues_.PageLock(page_));
    queues_.Unmanage(page_);
  }
  Pmap& pmap = test_.NewPmap();
  test_.Enter(pmap, 0, 0);
  EXPECT_EQ(system_.pv_lists().in_use(), 0u);
  EXPECT_TRUE(test_.Store(pmap, 0, 5));
  EXPECT_EQ(test_.Load(pmap, 0), 5u);
  test_.RemoveAll(0);
  EXPECT_EQ(test_.Load(pmap, 0), 5u) << "nobody finds the mapping by the page";
  pmap.Protect(0, kTestPageSize, Protection::kRead);
  EXPECT_FALSE(test_.Store(pmap, 0, 6));
  test_.Enter(pmap, 0, 0);
  EXPECT_TRUE(test_.Store(pmap, 0, 6));
  pmap.Remove(0, kTestPageSize);
  EXPECT_EQ(test_.Load(pmap, 0), ~0ull);
  EXPECT_EQ(page_.dirty.Peek(), 0u);
  ObjectGuard guard(object_.lock);
  FreePage(system_, object_, page_);
}

TEST_F(PageReleaseTest, OnlyWhatLeavesTheCacheQueueIsReactivated) {
  ObjectGuard guard(object_.lock);
  PageRoleGuard role_guard(queues_.PageLock(page_));
  queues_.Deactivate(page_);
  queues_.Activate(page_);
  EXPECT_EQ(system_.counters().Get(Event::kReactivated), 0u);
  EXPECT_TRUE(CachePage(system_, object_, page_));
  queues_.Activate(page_);
  EXPECT_TRUE(CachePage(system_, object_, page_));
  queues_.Deactivate(page_);
  EXPECT_EQ(system_.counters().Get(Event::kReactivated), 2u);
}

TEST_F(PageReleaseTest, AFrameThatIsFreedAsZeroedIsHandedOutAsSuch) {
  ObjectGuard guard(object_.lock);
  FreeZeroedPage(system_, object_, page_);
  EXPECT_EQ(system_.free_queue().zeroed_count(), 1u);
  Page* page = AllocateUnownedPage(system_, {.zeroed = true});
  EXPECT_EQ(page, &page_);
  EXPECT_TRUE(page->zeroed);
  FreeUnownedPage(system_, *page);
  EXPECT_EQ(system_.free_queue().zeroed_count(), 0u) << "who had it may have written to it";
}

// Of 32 calls 28 put the page at the head and 3 at the tail; one leaves it alone.
TEST_F(PageReleaseTest, DontNeedWeighsWhereThePageGoes) {
  ObjectGuard guard(object_.lock);
  PageRoleGuard role_guard(queues_.PageLock(page_));
  Page& other = test_.page(1);
  PageRoleGuard other_guard(queues_.PageLock(other));
  std::uint32_t alone = 0, head = 0, tail = 0;
  for (std::uint32_t call = 0; call < 512; ++call) {
    queues_.Activate(page_);
    queues_.Deactivate(other);
    page_.act_count = kActInit;
    DontNeedPage(system_, object_, page_);
    if (page_.queue == PageQueue::kActive) {
      ++alone;
      EXPECT_EQ(page_.act_count, kActInit - 1);
    } else {
      ++(&queues_.inactive().front() == &page_ ? head : tail);
    }
  }
  EXPECT_EQ(alone, 16u);
  EXPECT_EQ(tail, 48u);
  EXPECT_EQ(head, 448u);
}

TEST_F(PageReleaseTest, DontNeedPutsADirtyPageAtTheTail) {
  ObjectGuard guard(object_.lock);
  PageRoleGuard role_guard(queues_.PageLock(page_));
  PageRoleGuard other_guard(queues_.PageLock(test_.page(1)));
  queues_.Deactivate(test_.page(1));
  DirtyPage(system_, page_);
  for (std::uint32_t call = 0; call < 40; ++call) {
    queues_.Activate(page_);
    DontNeedPage(system_, object_, page_);
    if (page_.queue == PageQueue::kInactive) {
      EXPECT_EQ(&queues_.inactive().back(), &page_);
    }
  }
  UndirtyPage(page_);
}

TEST_F(PageReleaseTest, DontNeedAgesWhatIsInactiveAlready) {
  ObjectGuard guard(object_.lock);
  PageRoleGuard role_guard(queues_.PageLock(page_));
  queues_.Deactivate(page_);
  page_.act_count = kActInit + 1;
  for (std::uint32_t call = 0; call < 3; ++call) DontNeedPage(system_, object_, page_);
  EXPECT_EQ(page_.act_count, kActInit - 1);
  EXPECT_EQ(page_.queue, PageQueue::kInactive);
}

}  // namespace
}  // namespace vm
