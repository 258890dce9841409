// Page colours: which frame an allocation is given, and which cache page goes for it.
#include "vm/page_colors.h"

#include <set>
#include <vector>

#include "locking/thread.h"
#include "tests/vm/mapped_object.h"
#include "vm/page_release.h"

namespace vm {
namespace {

TEST(PageColors, EachColourIsTriedOnceTheWantedOneFirstThenTheOpposite) {
  for (std::uint32_t wanted = 0; wanted < 2 * kColors; ++wanted) {
    std::set<std::uint32_t> tried;
    for (std::uint32_t n = 0; n < kColors; ++n) tried.insert(NthColor(wanted, n));
    EXPECT_EQ(tried.size(), kColors);
    EXPECT_EQ(NthColor(wanted, 0), wanted % kColors);
    EXPECT_EQ(NthColor(wanted, 1), (wanted + kColors / 2) % kColors);
  }
}

class PageColorsTest : public testing::Test {
 protected:
  Page* Take(std::uint64_t color) { return TakePage({}, color); }
  Page* TakePage(const AllocRequest& request, std::uint64_t color) {
    Page* page = AllocateUnownedPage(system_, request, color);
    if (page != nullptr) taken_.push_back(page);
    return page;
  }
  ~PageColorsTest() override {
    for (Page* page : taken_) FreeUnownedPage(system_, *page);
  }

  MappedObject test_{2 * kColors, 6 * kColors};
  System& system_ = test_.system;
  Object& object_ = test_.object;
  std::vector<Page*> taken_;
};

TEST_F(PageColorsTest, PagesOfAnObjectHaveColoursInARow) {
  ObjectGuard guard(object_.lock);
  for (Pindex i = 0; i < 2 * kColors; ++i)
    EXPECT_EQ(ColorOf(test_.page(i).frame), ColorOf(object_.color + i)) << i;
}

TEST_F(PageColorsTest, AWantedColourIsGivenWhileThereIsOne) {
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(ColorOf(Take(5)->frame), 5u);
}

TEST_F(PageColorsTest, AnotherColourIsGivenWhenItIsUsedUp) {
  Page* page;
  while ((page = Take(5)) != nullptr && ColorOf(page->frame) == 5) {
  }
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(ColorOf(page->frame), 5 + kColors / 2);
}

TEST_F(PageColorsTest, AShadowContinuesTheColoursOfWhatItShadows) {
  Object* shadow = &object_;
  Pindex offset = 3;
  ReferenceObject(shadow);
  ShadowObject(system_, &shadow, &offset, 4);
  {
    ObjectGuard guard(shadow->lock);
    EXPECT_EQ(shadow->color, object_.color + 3);
  }
  DeallocateObject(system_, shadow);
}

TEST_F(PageColorsTest, AZeroedPageOfAnotherColourIsBetterThanNone) {
  {
    ObjectGuard guard(object_.lock);
    FreeZeroedPage(system_, object_, test_.page(7));
  }
  Page* page = TakePage({.zeroed = true}, ColorOf(test_.page(7).frame) + 1);
  EXPECT_EQ(page, &test_.page(7));
  EXPECT_TRUE(page->zeroed);
}

// What stands on the cache queue, in an object that another thread has locked or in the caller's.
class CachePickerTest : public PageColorsTest {
 protected:
  CachePickerTest() {
    ObjectGuard guard(object_.lock);
    for (Pindex i = 0; i < 2 * kColors; ++i) CachePage(system_, object_, test_.page(i));
    while (system_.free_queue().free_count() > system_.free_queue().thresholds().free_reserved)
      taken_.push_back(system_.free_queue().TryTake(AllocClass::kInterrupt, false).page);
    for (Page* page : taken_)
      if (page->identity == PageIdentity::kFree) ChangeIdentity(*page, PageIdentity::kNoObject);
  }
  std::uint32_t Cached() { return system_.queues().cache_count(); }
};

TEST_F(CachePickerTest, TakesAPageOfTheWantedColour) {
  ASSERT_NE(Take(9), nullptr);
  EXPECT_EQ(Cached(), 2 * kColors - 1);
  for (Pindex i = 0; i < 2 * kColors; ++i) {
    if (test_.page(i).object == nullptr) {
      EXPECT_EQ(ColorOf(test_.page(i).frame), 9u);
    }
  }
}

TEST_F(CachePickerTest, EndsWhenEveryObjectIsLockedElsewhere) {
  if (system_.config().locks == LockDialect::kGiant)
    GTEST_SKIP() << "whoever has an object locked has others waiting for the one lock";
  object_.lock.Lock();
  Page* page = &test_.page(0);
  locking::Thread other("other", [&] { page = Take(0); });
  other.Join();
  object_.lock.Unlock();
  EXPECT_EQ(page, nullptr);
  EXPECT_EQ(Cached(), 2 * kColors);
}

TEST_F(CachePickerTest, APageWhoseRoleSomebodyHasIsPassedOver) {
  if (system_.config().locks != LockDialect::kPerPage)
    GTEST_SKIP() << "the role is a lock that comes before page queues in this dialect alone";
  Page& first = test_.page(0);
  PageRoleGuard guard(system_.queues().PageLock(first));
  Page* page = nullptr;
  locking::Thread("other", [&] { page = Take(ColorOf(first.frame)); }).Join();
  EXPECT_NE(page, nullptr);
  EXPECT_EQ(first.queue, PageQueue::kCache);
}

// D04: one that cannot be taken is moved off the queue, or the queue is left; it is not met again.
TEST_F(CachePickerTest, AHeldPageLeavesTheCacheQueue) {
  for (Pindex i = 0; i < 2 * kColors; ++i) {
    PageRoleGuard guard(system_.queues().PageLock(test_.page(i)));
    system_.queues().Hold(test_.page(i));
  }
  EXPECT_EQ(Take(0), nullptr);
  EXPECT_EQ(Cached(), 0u);
  EXPECT_EQ(system_.queues().inactive_count(), 2 * kColors);
  for (Pindex i = 0; i < 2 * kColors; ++i) UnholdPage(system_, test_.page(i));
}

using CachePickerDeathTest = CachePickerTest;

TEST_F(CachePickerDeathTest, Inv23AWiredPageOnTheCacheQueue) {
  for (Pindex i = 0; i < 2 * kColors; ++i) test_.page(i).wire_count = 1;
  EXPECT_DEATH(Take(0), "INV-23.*cache queue is wired");
  for (Pindex i = 0; i < 2 * kColors; ++i) test_.page(i).wire_count = 0;
}

TEST_F(CachePickerDeathTest, Inv23ADirtyPageOnTheCacheQueue) {
  for (Pindex i = 0; i < 2 * kColors; ++i) test_.page(i).dirty.Store(1);
  EXPECT_DEATH(Take(0), "INV-23.*cache queue is dirty");
  for (Pindex i = 0; i < 2 * kColors; ++i) test_.page(i).dirty.Store(0);
}

}  // namespace
}  // namespace vm
