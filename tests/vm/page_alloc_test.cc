// Allocation: who may take how many pages, and what becomes of those who get none; freeing,
// holding, wiring and renaming.
#include "vm/page_alloc.h"

#include <vector>

#include "tests/vm/mapped_object.h"
#include "tests/vm/paging.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/page_release.h"

namespace vm {
namespace {

class PageAllocTest : public testing::Test {
 protected:
  ~PageAllocTest() override {
    for (Page* page : taken_) FreeUnownedPage(system_, *page);
  }
  bool Take(AllocClass alloc_class) {
    Page* page = AllocateUnownedPage(system_, {.alloc_class = alloc_class});
    if (page != nullptr) taken_.push_back(page);
    return page != nullptr;
  }
  // Takes as many as the class may have. Returns how many are free then.
  std::uint32_t Exhaust(AllocClass alloc_class) {
    while (Take(alloc_class)) {
    }
    return Free();
  }
  std::uint32_t Free() { return system_.free_queue().free_count(); }
  void Cache(Pindex index) {
    ObjectGuard guard(object_.lock);
    EXPECT_TRUE(CachePage(system_, object_, test_.page(index)));
  }

  MappedObject test_{3};
  System& system_ = test_.system;
  Object& object_ = test_.object;
  PageQueues& queues_ = system_.queues();
  const Thresholds& thresholds_ = system_.free_queue().thresholds();
  std::vector<Page*> taken_;
};

TEST_F(PageAllocTest, ANormalRequestLeavesTheReserve) {
  EXPECT_EQ(Exhaust(AllocClass::kNormal), thresholds_.free_reserved);
}

TEST_F(PageAllocTest, ASystemRequestDigsIntoTheReserve) {
  EXPECT_EQ(Exhaust(AllocClass::kSystem), thresholds_.interrupt_free_min);
}

TEST_F(PageAllocTest, AnInterruptTakesTheLastPage) {
  EXPECT_EQ(Exhaust(AllocClass::kInterrupt), 0u);
}

TEST_F(PageAllocTest, ACachePageGoesBeforeTheReserveIsDugInto) {
  Exhaust(AllocClass::kNormal);
  Cache(0);
  EXPECT_TRUE(Take(AllocClass::kSystem));
  EXPECT_EQ(Free(), thresholds_.free_reserved);
  EXPECT_EQ(queues_.cache_count(), 0u);
  EXPECT_EQ(system_.counters().Get(Event::kCacheReclaimed), 1u);
}

TEST_F(PageAllocTest, ACachePageThatIsHeldIsNotTaken) {
  Exhaust(AllocClass::kNormal);
  Cache(0);
  const Frame frame = test_.page(0).frame;
  {
    PageRoleGuard guard(queues_.PageLock(test_.page(0)));
    queues_.Hold(test_.page(0));
  }
  EXPECT_FALSE(Take(AllocClass::kNormal));
  EXPECT_EQ(test_.page(0).object, &object_);
  EXPECT_EQ(test_.page(0).frame, frame);
  EXPECT_EQ(system_.counters().Get(Event::kCacheReclaimed), 0u);
  UnholdPage(system_, test_.page(0));
}

TEST_F(PageAllocTest, WhoIsNotToReclaimLeavesTheCacheAlone) {
  Exhaust(AllocClass::kNormal);
  Cache(0);
  EXPECT_EQ(AllocateUnownedPage(system_, {.reclaim = false}), nullptr);
  EXPECT_EQ(queues_.cache_count(), 1u);
}

TEST_F(PageAllocTest, AnInterruptLeavesTheCacheAlone) {
  Cache(0);
  Exhaust(AllocClass::kInterrupt);
  EXPECT_EQ(queues_.cache_count(), 1u);
}

TEST_F(PageAllocTest, AFailureIsADeficitForThePageDaemon) {
  Exhaust(AllocClass::kNormal);
  EXPECT_EQ(system_.free_queue().TakeDeficit(), 1u);
  EXPECT_FALSE(Take(AllocClass::kNormal));
  EXPECT_FALSE(Take(AllocClass::kNormal));
  EXPECT_EQ(system_.free_queue().TakeDeficit(), 2u);
  EXPECT_EQ(system_.free_queue().TakeDeficit(), 0u);
}

TEST_F(PageAllocTest, APageIsInvalidAndWiredOrBusyAsAsked) {
  ObjectGuard guard(object_.lock);
  FreePage(system_, object_, test_.page(0));
  Page* page = AllocatePage(system_, object_, 0, {.wired = true, .busy = true});
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->valid, 0u);
  EXPECT_EQ(page->dirty.Peek(), 0u);
  EXPECT_EQ(page->wire_count, 1);
  EXPECT_TRUE(page->exclusively_busy());
  UnbusyPage(system_, object_, *page);
  PageRoleGuard role_guard(queues_.PageLock(*page));
  queues_.Unwire(*page, PageQueues::Then::kActivate);
}

// The only page that could be freed for the copy is of the object that the fault has locked.
TEST(LastCachePageTest, AFaultThatHasItsObjectLockedGetsItAll) {
  PagingMachine machine;
  machine.MapPages(2);
  machine.Fill(0, 2);
  Space* child = machine.space->Fork();
  EXPECT_EQ(machine.Load(child, machine.At(0) + 8), PagingMachine::ValueOf(0, 0));
  machine.PageOut(1, 1);
  Object* object = machine.FirstObject();
  std::vector<Page*> taken;
  while (Page* page = AllocateUnownedPage(machine.system, {.reclaim = false}))
    taken.push_back(page);
  {
    ObjectGuard guard(object->lock);
    EXPECT_TRUE(TryToCachePage(machine.system, *object, *LookupPage(*object, 1)));
  }
  machine.Store(child, machine.At(0) + 8, 77);
  EXPECT_EQ(machine.Count(Event::kCacheReclaimed), 1u);
  for (Page* page : taken) FreeUnownedPage(machine.system, *page);
  EXPECT_EQ(machine.Load(child, machine.At(0) + 8), 77u);
  machine.ExpectFilled(0, 2);
  child->Exit();
}

TEST_F(PageAllocTest, APageFreedWhileItIsHeldGoesBackWithTheLastHold) {
  Page& page = test_.page(0);
  {
    PageRoleGuard guard(queues_.PageLock(page));
    queues_.Hold(page);
    queues_.Hold(page);
  }
  const std::uint32_t before = Free();
  {
    ObjectGuard guard(object_.lock);
    FreeZeroedPage(system_, object_, page);
  }
  EXPECT_EQ(page.identity, PageIdentity::kHeld);
  EXPECT_FALSE(page.zeroed) << "who holds it may write to it";
  UnholdPage(system_, page);
  EXPECT_EQ(Free(), before);
  EXPECT_EQ(system_.free_queue().held_count(), 1u);
  UnholdPage(system_, page);
  EXPECT_EQ(Free(), before + 1);
  EXPECT_EQ(system_.free_queue().held_count(), 0u);
}

TEST_F(PageAllocTest, TheLastUnwireChoosesTheQueue) {
  Page& page = test_.page(0);
  PageRoleGuard guard(queues_.PageLock(page));
  queues_.Wire(page);
  queues_.Wire(page);
  EXPECT_EQ(queues_.wired_count(), 1u);
  EXPECT_EQ(page.queue, PageQueue::kNone);
  EXPECT_FALSE(queues_.Unwire(page, PageQueues::Then::kActivate));
  EXPECT_EQ(page.queue, PageQueue::kNone);
  page.winatcfls = true;
  EXPECT_TRUE(queues_.Unwire(page, PageQueues::Then::kDeactivate));
  EXPECT_EQ(page.queue, PageQueue::kInactive);
  EXPECT_FALSE(page.winatcfls);
  queues_.Wire(page);
  EXPECT_TRUE(queues_.Unwire(page, PageQueues::Then::kActivate));
  EXPECT_EQ(page.queue, PageQueue::kActive);
}

TEST_F(PageAllocTest, ActivationRaisesTheActCountToItsStart) {
  Page& page = test_.page(0);
  PageRoleGuard guard(queues_.PageLock(page));
  page.act_count = 1;
  queues_.Activate(page);
  EXPECT_EQ(page.act_count, kActInit);
  page.act_count = kActInit + 7;
  queues_.Activate(page);
  EXPECT_EQ(page.act_count, kActInit + 7);
}

TEST_F(PageAllocTest, DeactivationIsAtTheTailOrTheHead) {
  PageRoleGuard guard(queues_.PageLock(test_.page(0)));
  PageRoleGuard guard_1(queues_.PageLock(test_.page(1)));
  PageRoleGuard guard_2(queues_.PageLock(test_.page(2)));
  queues_.Deactivate(test_.page(0));
  queues_.Deactivate(test_.page(1));
  queues_.Deactivate(test_.page(2), PageQueues::Where::kHead);
  EXPECT_EQ(&queues_.inactive().front(), &test_.page(2));
  EXPECT_EQ(&queues_.inactive().back(), &test_.page(1));
  queues_.Deactivate(test_.page(0), PageQueues::Where::kHead);
  EXPECT_EQ(&queues_.inactive().front(), &test_.page(2)) << "an inactive page keeps its place";
}

TEST_F(PageAllocTest, ARenamedPageIsDirtyAndOffTheCacheQueue) {
  Cache(0);
  Object& other = *AllocateObject(system_, ObjectType::kDefault, 3);
  {
    ObjectGuard guard(object_.lock);
    ObjectGuard other_guard(other.lock);
    const std::uint32_t generation = other.generation;
    RenamePage(system_, object_, test_.page(0), other, 2);
    EXPECT_EQ(LookupPage(object_, 0), nullptr);
    EXPECT_EQ(LookupPage(other, 2), &test_.page(0));
    EXPECT_NE(other.generation, generation);
    EXPECT_EQ(test_.page(0).dirty.Peek(), system_.AllBlocks());
    EXPECT_EQ(test_.page(0).queue, PageQueue::kInactive);
  }
  DeallocateObject(system_, &other);
}

TEST_F(PageAllocTest, ARenamedPageStaysActive) {
  Object& other = *AllocateObject(system_, ObjectType::kDefault, 3);
  {
    ObjectGuard guard(object_.lock);
    ObjectGuard other_guard(other.lock);
    ASSERT_EQ(test_.page(0).queue, PageQueue::kActive);
    RenamePage(system_, object_, test_.page(0), other, 2);
    EXPECT_EQ(test_.page(0).queue, PageQueue::kActive);
  }
  DeallocateObject(system_, &other);
}

TEST_F(PageAllocTest, ACopyIsValid) {
  test_.Words(0)[3] = 77;
  test_.page(1).valid = 0;
  ObjectGuard guard(object_.lock);
  CopyPage(system_, test_.page(0), test_.page(1));
  EXPECT_EQ(test_.Words(1)[3], 77u);
  EXPECT_EQ(test_.page(1).valid, system_.AllBlocks());
}

}  // namespace
}  // namespace vm
