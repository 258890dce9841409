// Grab: the page of an object, resident or new, after as many sleeps as it takes.
#include "vm/page_grab.h"

#include <cstring>

#include "locking/thread.h"
#include "tests/vm/mapped_object.h"
#include "vm/page_busy.h"
#include "vm/page_release.h"

namespace vm {
namespace {

class PageGrabTest : public testing::Test {
 protected:
  static constexpr Pindex kNew = 3;  // has no page yet

  PageGrabTest() {
    ObjectGuard guard(object_.lock);
    object_.size = kNew + 1;
  }

  Page* Grab(Pindex pindex, const GrabRequest& request = {}) {
    ObjectGuard guard(object_.lock);
    return GrabPage(system_, object_, pindex, request);
  }
  void Unbusy(Page& page) {
    ObjectGuard guard(object_.lock);
    UnbusyPage(system_, object_, page);
  }
  // Puts a new page on a queue, as its taker does.
  void Settle(Page& page) {
    ObjectGuard guard(object_.lock);
    if (page.exclusively_busy()) UnbusyPage(system_, object_, page);
    PageRoleGuard role_guard(system_.queues().PageLock(page));
    system_.queues().Activate(page);
  }
  bool Wanted(Page& page) {
    ObjectGuard guard(object_.lock);
    return page.wanted;
  }
  // Grabs a page that this thread has busy; once it is asleep, `act` is called with the object
  // locked. Returns what it got.
  template <typename Act>
  Page* GrabAsleep(const GrabRequest& request, Act act) {
    Page& page = test_.page(0);
    EXPECT_NE(Grab(0), nullptr);
    Page* got = nullptr;
    locking::Thread grabber("grabber", [&] { got = Grab(0, request); });
    while (!Wanted(page)) locking::Yield();
    {
      ObjectGuard guard(object_.lock);
      act(page);
    }
    grabber.Join();
    return got;
  }

  MappedObject test_{3};
  System& system_ = test_.system;
  Object& object_ = test_.object;
};

TEST_F(PageGrabTest, GivesTheResidentPageBusy) {
  Page* page = Grab(1);
  ASSERT_EQ(page, &test_.page(1));
  EXPECT_TRUE(page->exclusively_busy());
  EXPECT_EQ(page->queue, PageQueue::kActive);
  EXPECT_NE(page->valid, 0u);
  Unbusy(*page);
  EXPECT_EQ(Grab(1, {.busy = false}), page);
  EXPECT_FALSE(page->busied());
}

TEST_F(PageGrabTest, WiresThePage) {
  Page* page = Grab(1, {.wired = true, .busy = false});
  ASSERT_EQ(page, &test_.page(1));
  Page* fresh = Grab(kNew, {.wired = true, .busy = false});
  ASSERT_NE(fresh, nullptr);
  for (Page* each : {page, fresh}) {
    EXPECT_EQ(each->wire_count, 1);
    EXPECT_EQ(each->queue, PageQueue::kNone);
    PageRoleGuard guard(system_.queues().PageLock(*each));
    system_.queues().Unwire(*each, PageQueues::Then::kActivate);
  }
}

TEST_F(PageGrabTest, TakesThePageOffTheCacheQueue) {
  {
    ObjectGuard guard(object_.lock);
    EXPECT_TRUE(CachePage(system_, object_, test_.page(1)));
  }
  Page* page = Grab(1);
  ASSERT_EQ(page, &test_.page(1));
  EXPECT_EQ(page->queue, PageQueue::kInactive);
  EXPECT_EQ(system_.counters().Get(Event::kReactivated), 1u);
  Unbusy(*page);
}

TEST_F(PageGrabTest, AllocatesWhatIsNotThere) {
  Page* page = Grab(kNew);
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->object, &object_);
  EXPECT_EQ(page->valid, 0u);
  EXPECT_TRUE(page->exclusively_busy());
  Settle(*page);
}

TEST_F(PageGrabTest, ANewPageReadsAsZeroIfAsked) {
  for (Page& page : system_.pages())
    if (page.queue == PageQueue::kFree)
      std::memset(system_.FrameBytes(page).data(), 0xA5, kTestPageSize);
  Page* page = Grab(kNew, {.zeroed = true});
  ASSERT_NE(page, nullptr);
  for (const std::byte byte : system_.FrameBytes(*page)) ASSERT_EQ(byte, std::byte{0});
  Settle(*page);
}

TEST_F(PageGrabTest, GivesNothingBeyondTheEndOfTheObject) { EXPECT_EQ(Grab(kNew + 1), nullptr); }

TEST_F(PageGrabTest, WaitsForBusy) {
  test_.page(0).referenced.Store(false);
  Page* got = GrabAsleep({}, [this](Page& page) LOCKING_NO_ANALYSIS {
    EXPECT_TRUE(page.referenced.Peek()) << "a sleeper is a use of the page";
    UnbusyPage(system_, object_, page);
  });
  EXPECT_EQ(got, &test_.page(0));
  ObjectGuard guard(object_.lock);
  got->busy_owner = locking::Self().id;  // the grabber has ended
  UnbusyPage(system_, object_, *got);
}

TEST_F(PageGrabTest, LooksAgainAfterASleep) {
  Page* got = GrabAsleep({.busy = false}, [this](Page& page) LOCKING_NO_ANALYSIS {
    FreePage(system_, object_, page);  // ends the busy, too
    EXPECT_NE(AllocateUnownedPage(system_, {}), nullptr) << "the frame goes to somebody else";
  });
  ASSERT_NE(got, nullptr);
  EXPECT_NE(got, &test_.page(0));
  EXPECT_EQ(got->object, &object_);
  Settle(*got);
  FreeUnownedPage(system_, test_.page(0));
}

TEST_F(PageGrabTest, WithoutRetryItGivesNothingAfterASleep) {
  EXPECT_EQ(
      GrabAsleep({.retry = false},
                 [this](Page& page) LOCKING_NO_ANALYSIS { UnbusyPage(system_, object_, page); }),
      nullptr);
  EXPECT_FALSE(test_.page(0).busied());
}

TEST_F(PageGrabTest, GivesNothingWhenThereIsNoMemory) {
  std::vector<Page*> taken;
  while (Page* page = AllocateUnownedPage(system_, {})) taken.push_back(page);
  EXPECT_EQ(Grab(kNew), nullptr) << "no page daemon: nobody to wait for";
  for (Page* page : taken) FreeUnownedPage(system_, *page);
}

TEST_F(PageGrabTest, WaitsForMemoryAndGoesOn) {
  system_.free_queue().Start();  // without a page daemon: nobody says that there is no memory
  std::vector<Page*> taken;
  while (Page* page = AllocateUnownedPage(system_, {.alloc_class = AllocClass::kInterrupt}))
    taken.push_back(page);
  Page* got = nullptr;
  locking::Thread grabber("grabber", [&] { got = Grab(kNew, {.busy = false}); });
  while (system_.counters().Get(Event::kPageWait) == 0) locking::Yield();
  for (Page* page : taken) FreeUnownedPage(system_, *page);
  grabber.Join();
  system_.free_queue().Stop();
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(got->pindex, kNew);
  Settle(*got);
}

TEST_F(PageGrabTest, SleepIfBusyAsksForTheKindOfBusy) {
  ObjectGuard guard(object_.lock);
  EXPECT_FALSE(SleepIfBusy(system_, object_, test_.page(0), Busy::kAny, "test"));
  ShareBusyPage(object_, test_.page(0));
  EXPECT_FALSE(SleepIfBusy(system_, object_, test_.page(0), Busy::kExclusive, "test"));
  UnshareBusyPage(system_, object_, test_.page(0));
}

}  // namespace
}  // namespace vm
