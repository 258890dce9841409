// New memory that joins the object of the memory before it.
#include <cstring>

#include "tests/vm/paging.h"
#include "vm/object_ranges.h"
#include "vm/page_alloc.h"
#include "vm/page_busy.h"

namespace vm {
namespace {

class CoalesceTest : public testing::Test {
 protected:
  std::size_t Entries() {
    locking::ReadGuard guard(machine_.space->map().lock);
    return machine_.space->map().entries.size();
  }
  // Maps `count` pages at At(page).
  void MapAt(std::uint32_t page, std::uint32_t count,
             Protection protection = Protection::kReadWrite) {
    Address start = 0;
    ASSERT_EQ(machine_.space->MapAnonymous(machine_.At(page), count * kTestPageSize, protection,
                                           Inheritance::kCopy, &start),
              Result::kOk);
    ASSERT_EQ(start, machine_.At(page));
  }
  Pindex SizeOf(Object* object) {
    ObjectGuard guard(object->lock);
    return object->size;
  }

  PagingMachine machine_;
};

TEST_F(CoalesceTest, NewMemoryJoinsTheEntryBeforeIt) {
  machine_.MapPages(2);
  MapAt(2, 2);  // neither has an object
  EXPECT_EQ(Entries(), 1u);
  machine_.Fill(0, 4);
  MapAt(4, 2);  // the object becomes longer
  EXPECT_EQ(Entries(), 1u);
  EXPECT_EQ(SizeOf(machine_.FirstObject()), 6u);
  EXPECT_EQ(machine_.Load(machine_.space, machine_.At(4)), 0u);
  machine_.Fill(4, 2);
  machine_.ExpectFilled(0, 6);
  ExpectSound(machine_.system);
}

TEST_F(CoalesceTest, OtherRightsGetAnEntryOfTheirOwnInTheSameObject) {
  machine_.MapPages(2);
  machine_.Fill(0, 2);
  MapAt(2, 2, Protection::kRead);
  EXPECT_EQ(Entries(), 2u);
  Object* object = machine_.FirstObject();
  EXPECT_EQ(SizeOf(object), 4u);
  {
    ObjectGuard guard(object->lock);
    EXPECT_EQ(object->ref_count, 2u);
  }
  ExpectSound(machine_.system);
}

TEST_F(CoalesceTest, WhatWasThereBeforeIsNotSeenAgain) {
  machine_.MapPages(4);
  machine_.Fill(0, 4);
  machine_.PageOut(2, 2);
  machine_.Evict(3, 1);
  // As if the range had been given up with the object shared: it stays in the object.
  Object* object = machine_.FirstObject();
  ASSERT_EQ(machine_.space->Unmap(machine_.At(2), 2 * kTestPageSize), Result::kOk);
  {
    ObjectGuard guard(object->lock);
    object->size = 4;
    Page* stale = AllocatePage(machine_.system, *object, 2, {});
    std::memset(machine_.system.FrameBytes(*stale).data(), 0xff, kTestPageSize);
    stale->valid = machine_.system.AllBlocks();
    stale->dirty.Store(1);
    PageRoleGuard role_guard(machine_.system.queues().PageLock(*stale));
    machine_.system.queues().Activate(*stale);
  }
  MapAt(2, 2);
  EXPECT_EQ(Entries(), 1u);
  EXPECT_EQ(machine_.Load(machine_.space, machine_.At(2)), 0u);
  EXPECT_EQ(machine_.Load(machine_.space, machine_.At(3)), 0u);
}

// Who shared the object is gone since.
TEST_F(CoalesceTest, WhatWasLeftInSwapIsNotSeenAgain) {
  machine_.MapPages(4);
  machine_.Fill(0, 4);
  ASSERT_EQ(machine_.PageOut(2, 2), 2u);
  machine_.Evict(2, 2);
  Object* object = machine_.FirstObject();
  {
    ObjectGuard guard(object->lock);
    ReferenceObjectLocked(*object);
    object->one_mapping = false;
  }
  ASSERT_EQ(machine_.space->Unmap(machine_.At(2), 2 * kTestPageSize), Result::kOk);
  DeallocateObject(machine_.system, object);
  ASSERT_EQ(machine_.system.swap().used(), 2u);
  MapAt(2, 2);
  EXPECT_EQ(Entries(), 1u);
  EXPECT_EQ(machine_.FirstObject(), object);
  EXPECT_EQ(machine_.system.swap().used(), 0u);
  EXPECT_EQ(machine_.Load(machine_.space, machine_.At(2)), 0u);
}

TEST_F(CoalesceTest, AnObjectThatOthersUseBehindTheEntryIsLeftAlone) {
  machine_.MapPages(4);
  machine_.Fill(0, 4);
  Object* object = machine_.FirstObject();
  ReferenceObject(object);
  EXPECT_FALSE(CoalesceObject(machine_.system, object, 0, 2, 2, Reserved::kNo));
  EXPECT_TRUE(CoalesceObject(machine_.system, object, 0, 4, 2, Reserved::kNo));
  EXPECT_EQ(SizeOf(object), 6u);
  DeallocateObject(machine_.system, object);
}

TEST_F(CoalesceTest, AnObjectWithABackerIsLeftAlone) {
  machine_.MapPages(2);
  machine_.Fill(0, 2);
  Space* child = machine_.space->Fork();
  machine_.Store(machine_.space, machine_.At(0), 5);
  EXPECT_FALSE(CoalesceObject(machine_.system, machine_.FirstObject(), 0, 2, 2, Reserved::kNo));
  child->Exit();
}

TEST_F(CoalesceTest, ABusyPageInTheWayMakesAnotherEntry) {
  machine_.MapPages(4);
  machine_.Fill(0, 4);
  Object* object = machine_.FirstObject();
  Page* busy = machine_.PageAt(3);
  {
    ObjectGuard guard(object->lock);
    ShareBusyPage(*object, *busy);
  }
  EXPECT_FALSE(CoalesceObject(machine_.system, object, 0, 2, 2, Reserved::kNo));
  ObjectGuard guard(object->lock);
  UnshareBusyPage(machine_.system, *object, *busy);
}

}  // namespace
}  // namespace vm
