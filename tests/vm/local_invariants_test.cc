// The invariants that are checked at the operation itself: each is broken once, by the call that
// the contract forbids, and the run ends with its id.
#include "tests/vm/mapped_object.h"
#include "vm/object_ranges.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/page_release.h"

namespace vm {
namespace {

constexpr std::uint32_t kSomeoneElse = ~0u;  // no thread has this id

// An object of three pages, and a second one beside it.
class LocalInvariantDeathTest : public testing::Test {
 protected:
  ~LocalInvariantDeathTest() override { DeallocateObject(system_, &other_); }

  Page& page() { return test_.page(0); }

  MappedObject test_{3};
  System& system_ = test_.system;
  PageQueues& queues_ = test_.system.queues();
  Object& object_ = test_.object;
  Object& other_ = *AllocateObject(test_.system, ObjectType::kDefault, 3);
};

// `statement` ends the run with this id and title; what it needs locked it locks.
#define EXPECT_BROKEN(id, title, statement) EXPECT_DEATH(statement, id ".*" title)

TEST_F(LocalInvariantDeathTest, Inv04SecondPageAtOnePlace) {
  EXPECT_BROKEN("INV-04", "second page is inserted at one index", {
    ObjectGuard guard(object_.lock);
    Page* page = AllocateUnownedPage(system_, {});
    InsertPage(system_, object_, 0, *page);
  });
}

TEST_F(LocalInvariantDeathTest, Inv07PageThatHasAnOwnerIsInserted) {
  EXPECT_BROKEN("INV-07", "inserted that has an owner", {
    ObjectGuard guard(other_.lock);
    InsertPage(system_, other_, 0, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv07PageIsRemovedFromAnotherObject) {
  EXPECT_BROKEN("INV-07", "removed under another object's lock", {
    ObjectGuard guard(object_.lock);
    ObjectGuard other_guard(other_.lock);
    RemovePage(system_, other_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv10OwnedPageIsFreedAsUnowned) {
  EXPECT_BROKEN("INV-10", "freed as unowned", FreeUnownedPage(system_, page()));
}

TEST_F(LocalInvariantDeathTest, Inv10PageIsFreedTwice) {
  EXPECT_BROKEN("INV-10", "freed as unowned", {
    Page* page = AllocateUnownedPage(system_, {});
    FreeUnownedPage(system_, *page);
    FreeUnownedPage(system_, *page);
  });
}

TEST_F(LocalInvariantDeathTest, Inv10FreePageIsPutOnTheFreeQueue) {
  EXPECT_BROKEN("INV-10", "freed that is free or on a queue",
                system_.free_queue().Put(system_.pages().back()));
}

TEST_F(LocalInvariantDeathTest, Inv11BusyPageIsBusied) {
  EXPECT_BROKEN("INV-11", "busied that is busy", {
    ObjectGuard guard(object_.lock);
    BusyPage(object_, page());
    BusyPage(object_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv11BusyOfSomebodyElseIsEnded) {
  EXPECT_BROKEN("INV-11", "does not hold it", {
    page().busy_owner = kSomeoneElse;
    UnbusyPage(system_, object_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv12BusyPageIsShared) {
  EXPECT_BROKEN("INV-12", "shared-busied that is exclusively busy", {
    ObjectGuard guard(object_.lock);
    BusyPage(object_, page());
    ShareBusyPage(object_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv12PageIsUnsharedTooOften) {
  EXPECT_BROKEN("INV-12", "unshared that is not shared-busy", {
    ObjectGuard guard(object_.lock);
    ShareBusyPage(object_, page());
    UnshareBusyPage(system_, object_, page());
    UnshareBusyPage(system_, object_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv13PageThatSomebodyElseHasBusyIsFreed) {
  EXPECT_BROKEN("INV-13", "busy page is freed", {
    ObjectGuard guard(object_.lock);
    page().busy_owner = kSomeoneElse;
    FreePage(system_, object_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv13SharedBusyPageIsFreed) {
  EXPECT_BROKEN("INV-13", "busy page is freed", {
    ObjectGuard guard(object_.lock);
    ShareBusyPage(object_, page());
    FreePage(system_, object_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv16ThreadSleepsForAPageThatIsNotBusy) {
  EXPECT_BROKEN("INV-16", "sleeps for a page that is not busy", {
    object_.lock.Lock();
    (void)SleepWhileBusy(system_, object_, page(), "test");
  });
}

TEST_F(LocalInvariantDeathTest, Inv16ThreadSleepsUnderAnotherObjectsLock) {
  EXPECT_BROKEN("INV-16", "not its owner's", {
    ObjectGuard guard(object_.lock);
    BusyPage(object_, page());
    other_.lock.Lock();
    (void)SleepWhileBusy(system_, other_, page(), "test");
  });
}

TEST_F(LocalInvariantDeathTest, Inv18PageIsBusiedUnderAnotherObjectsLock) {
  EXPECT_BROKEN("INV-18", "busied under another object's lock", {
    ObjectGuard guard(object_.lock);
    ObjectGuard other_guard(other_.lock);
    BusyPage(other_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv18PageIsFreedUnderAnotherObjectsLock) {
  EXPECT_BROKEN("INV-18", "freed under another object's lock", {
    ObjectGuard guard(object_.lock);
    ObjectGuard other_guard(other_.lock);
    FreePage(system_, other_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv18BusyPageIsRenamed) {
  EXPECT_BROKEN("INV-18", "busy page is renamed", {
    ObjectGuard guard(object_.lock);
    ObjectGuard other_guard(other_.lock);
    BusyPage(object_, page());
    RenamePage(system_, object_, page(), other_, 0);
  });
}

TEST_F(LocalInvariantDeathTest, Inv23CachedPageIsBusied) {
  EXPECT_BROKEN("INV-23", "busied on the cache queue", {
    ObjectGuard guard(object_.lock);
    CachePage(system_, object_, page());
    BusyPage(object_, page());
  });
  EXPECT_BROKEN("INV-23", "busied on the cache queue", {
    ObjectGuard guard(object_.lock);
    CachePage(system_, object_, page());
    ShareBusyPage(object_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv23DirtyPageIsCached) {
  EXPECT_BROKEN("INV-23", "cached that is dirty", {
    ObjectGuard guard(object_.lock);
    DirtyPage(system_, page());
    CachePage(system_, object_, page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv24MarkerIsPlacedTwice) {
  EXPECT_BROKEN("INV-24", "placed twice", {
    Page marker;
    marker.marker = true;
    PageRoleGuard guard(queues_.lock);
    queues_.PlaceMarker(marker, PageQueue::kActive);
    queues_.PlaceMarker(marker, PageQueue::kActive);
  });
}

TEST_F(LocalInvariantDeathTest, Inv24PageIsPlacedAsAMarker) {
  EXPECT_BROKEN("INV-24", "marker is placed that is none", {
    Page page;
    PageRoleGuard guard(queues_.lock);
    queues_.PlaceMarker(page, PageQueue::kActive);
  });
}

TEST_F(LocalInvariantDeathTest, Inv25FreePageIsTakenOffAPagingQueue) {
  EXPECT_BROKEN("INV-25", "free page is taken off", {
    PageRoleGuard guard(queues_.PageLock(system_.pages().back()));
    queues_.Dequeue(system_.pages().back());
  });
}

TEST_F(LocalInvariantDeathTest, Inv27CountOfAPageGoesBelowZero) {
  EXPECT_BROKEN("INV-27", "unwired that is not wired", {
    PageRoleGuard guard(queues_.PageLock(page()));
    queues_.Unwire(page(), PageQueues::Then::kActivate);
  });
  EXPECT_BROKEN("INV-27", "unheld that is not held", UnholdPage(system_, page()));
}

TEST_F(LocalInvariantDeathTest, Inv27CountOfAPageOverflows) {
  constexpr std::uint32_t kTooMany = 1u << 16;
  EXPECT_BROKEN("INV-27", "wire count of a page overflows", {
    PageRoleGuard guard(queues_.PageLock(page()));
    for (std::uint32_t i = 0; i < kTooMany; ++i) queues_.Wire(page());
  });
  EXPECT_BROKEN("INV-27", "hold count of a page overflows", {
    PageRoleGuard guard(queues_.PageLock(page()));
    for (std::uint32_t i = 0; i < kTooMany; ++i) queues_.Hold(page());
  });
}

TEST_F(LocalInvariantDeathTest, Inv30WiredPageIsFreed) {
  EXPECT_BROKEN("INV-30", "wired page is freed", {
    {
      PageRoleGuard guard(queues_.PageLock(page()));
      queues_.Wire(page());
    }
    ObjectGuard guard(object_.lock);
    FreePage(system_, object_, page());
  });
  EXPECT_BROKEN("INV-30", "wired page is freed", {
    Page* page = AllocateUnownedPage(system_, {.wired = true});
    FreeUnownedPage(system_, *page);
  });
}

TEST_F(LocalInvariantDeathTest, Inv30HeldPageIsPutOnTheFreeQueue) {
  EXPECT_BROKEN("INV-30", "leaves the hold list that is not on it", {
    Page* page = AllocateUnownedPage(system_, {});
    system_.free_queue().PutUnheld(*page);
  });
}

TEST_F(LocalInvariantDeathTest, Inv32ObjectIsReleasedTooOften) {
  EXPECT_BROKEN("INV-32", "released more often than referenced", {
    {
      ObjectGuard guard(other_.lock);
      other_.ref_count = 0;
    }
    DeallocateObject(system_, &other_);
  });
}

TEST_F(LocalInvariantDeathTest, Inv36DeadObjectIsReferencedOrShadowed) {
  EXPECT_BROKEN("INV-36", "dead object is referenced", {
    other_.dead = true;
    ReferenceObject(&other_);
  });
  EXPECT_BROKEN("INV-36", "dead object is shadowed", {
    ReferenceObject(&other_);
    other_.dead = true;
    Object* shadow = &other_;
    Pindex offset = 0;
    ShadowObject(system_, &shadow, &offset, 3);
  });
}

TEST_F(LocalInvariantDeathTest, Inv36DeadObjectIsReleasedOrShadowsAnother) {
  EXPECT_BROKEN("INV-36", "dead object is released", {
    other_.dead = true;
    DeallocateObject(system_, &other_);
  });
  EXPECT_BROKEN("INV-36", "dead object shadows another", {
    ReferenceObject(&other_);
    Object* shadow = &other_;
    Pindex offset = 0;
    ShadowObject(system_, &shadow, &offset, 3);
    shadow->dead = true;
    DeallocateObject(system_, &other_);
  });
}

// D23: who sleeps with no reference to an object may find it ended.
TEST_F(LocalInvariantDeathTest, Inv36ObjectThatNobodyRefersToIsCollapsed) {
  EXPECT_BROKEN("INV-36", "collapsed that nobody refers to", {
    ObjectGuard guard(object_.lock);
    object_.ref_count = 0;
    CollapseObject(system_, object_);
  });
}

TEST_F(LocalInvariantDeathTest, Inv36ObjectEndsThatIsReferredTo) {
  EXPECT_BROKEN("INV-36", "an object ends that is still referred to", {
    other_.lock.Lock();
    TerminateObject(system_, other_);
  });
  EXPECT_BROKEN("INV-36", "an object ends that is still referred to", {
    other_.lock.Lock();
    other_.ref_count = 0;
    other_.shadow_count = 1;
    TerminateObject(system_, other_);
  });
}

TEST_F(LocalInvariantDeathTest, Inv36PageIsBusyAsItsObjectEnds) {
  EXPECT_BROKEN("INV-36", "page is busy as its object ends", {
    {
      ObjectGuard guard(object_.lock);
      BusyPage(object_, page());
    }
    DeallocateObject(system_, &object_);
  });
}

TEST_F(LocalInvariantDeathTest, Inv37PagingEndsThatNeverBegan) {
  EXPECT_BROKEN("INV-37", "ends that never began", {
    ObjectGuard guard(object_.lock);
    PagingEnd(system_, object_);
  });
}

TEST_F(LocalInvariantDeathTest, Inv37BusyPageMetByACollapseThatWaitsForNothing) {
  Object* shadow = &object_;
  Pindex offset = 0;
  ReferenceObject(&object_);
  ShadowObject(system_, &shadow, &offset, 3);
  EXPECT_BROKEN("INV-37", "busy with no paging in progress", {
    {
      ObjectGuard guard(object_.lock);
      object_.ref_count = 1;
      BusyPage(object_, page());
    }
    ObjectGuard shadow_guard(shadow->lock);
    CollapseObject(system_, *shadow);
  });
  DeallocateObject(system_, shadow);
}

TEST_F(LocalInvariantDeathTest, Inv51MoreIsReleasedThanWasCharged) {
  SwapCharges& charges = system_.charges();
  Credential& credential = charges.NewCredential(8);
  ASSERT_TRUE(charges.Reserve(credential, 2));
  EXPECT_BROKEN("INV-51", "more swap space is released", charges.Release(credential, 3));
  charges.Release(credential, 2);
}

TEST_F(LocalInvariantDeathTest, Inv51PartOfAnObjectThatIsChargedForLess) {
  EXPECT_BROKEN("INV-51", "charged for less than it has", {
    ReferenceObject(&object_);
    {
      ObjectGuard guard(object_.lock);
      object_.credential = &system_.charges().everybody();
      object_.charge = 1;
    }
    SplitObject(system_, object_, 0, 2);
  });
}

TEST_F(LocalInvariantDeathTest, Inv35BackerThatAnotherShadowUsesIsCollapsed) {
  ReferenceObject(&object_);
  Object* shadow = &object_;
  Pindex offset = 0;
  ShadowObject(system_, &shadow, &offset, 3);
  EXPECT_BROKEN("INV-35", "somebody else refers to", {
    ObjectGuard shadow_guard(shadow->lock);
    {
      ObjectGuard guard(object_.lock);
      object_.ref_count = 1;  // the shadow's own, as if nobody else had it
      object_.shadow_count = 2;
    }
    CollapseObject(system_, *shadow);
  });
  DeallocateObject(system_, shadow);
}

}  // namespace
}  // namespace vm
