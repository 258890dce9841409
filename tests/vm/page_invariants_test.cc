// The invariants of a single page, or of a taken object, each clause of them broken by itself.
#include <functional>
#include <utility>
#include <vector>

#include "locking/thread_state.h"
#include "tests/vm/mapped_object.h"
#include "vm/page_blocks.h"
#include "vm/page_busy.h"
#include "vm/page_release.h"
#include "vm/pager/pager.h"

namespace vm {
namespace {

class PageInvariantDeathTest : public testing::Test {
 protected:
  Page& page(Pindex index = 0) { return test_.page(index); }

  MappedObject test_{3};
  System& system_ = test_.system;
  PageQueues& queues_ = test_.system.queues();
  Object& object_ = test_.object;
};

TEST_F(PageInvariantDeathTest, Inv01PageOnTheFreeQueueIsInUse) {
  const std::function<void(Page&)> uses[] = {
      [](Page& page) { page.dirty.Store(1); },
      [](Page& page) { page.wire_count = 1; },
      [](Page& page) { page.hold_count = 1; },
      [](Page& page) { page.busy_owner = 1; },
      [](Page& page) { page.shared_busy = 1; },
      [](Page& page) { page.identity = PageIdentity::kDetached; },
      [this](Page& page) { page.object = &object_; },
  };
  for (const auto& use : uses) {
    EXPECT_DEATH(
        {
          for (Page& page : system_.pages())
            if (page.queue == PageQueue::kFree) use(page);
          AllocateUnownedPage(system_, {});
        },
        "INV-01.*on the free queue is in use");
  }
}

TEST_F(PageInvariantDeathTest, Inv06PageIsInsertedBeyondTheEnd) {
  EXPECT_DEATH(
      {
        ObjectGuard guard(object_.lock);
        AllocatePage(system_, object_, 3, {});
      },
      "INV-06.*inserted beyond the end");
}

TEST_F(PageInvariantDeathTest, Inv23PageInUseIsCached) {
  Pmap& pmap = test_.NewPmap();
  const std::function<void()> uses[] = {
      [&] { EXPECT_EQ(pmap.Enter(0, page(), Protection::kRead, false), Result::kOk); },
      [this] { DirtyPage(system_, page()); },
      [this] { BusyPage(object_, page()); },
      [this] { queues_.Hold(page()); },
      [this] { queues_.Wire(page()); },
      [this] { queues_.Unmanage(page()); },
  };
  for (const auto& use : uses) {
    EXPECT_DEATH(
        {
          ObjectGuard guard(object_.lock);
          PageRoleGuard role_guard(queues_.PageLock(page()));
          use();
          queues_.Cache(page());
        },
        "INV-23.*is cached that is");
  }
}

TEST_F(PageInvariantDeathTest, Inv23PartOfACachedPageIsDirtied) {
  EXPECT_DEATH(
      {
        ObjectGuard guard(object_.lock);
        CachePage(system_, object_, page());
        SetBlocksDirty(system_, page(), 0, kBlockBytes);
      },
      "INV-23.*cache queue is dirtied");
}

TEST_F(PageInvariantDeathTest, Inv36ObjectInUseIsTakenFromThePool) {
  Object* other = AllocateObject(system_, ObjectType::kDefault, 1);
  DeallocateObject(system_, other);  // the next to be taken
  const std::function<void()> uses[] = {
      [&] { other->ref_count = 1; },
      [&] { other->shadow_count = 1; },
      [&] { other->paging_in_progress = 1; },
      [&] {
        ObjectGuard guard(other->lock);
        other->size = 1;
        EXPECT_NE(AllocatePage(system_, *other, 0, {}), nullptr);
      },
  };
  for (const auto& use : uses) {
    EXPECT_DEATH(
        {
          use();
          AllocateObject(system_, ObjectType::kDefault, 1);
        },
        "INV-36.*taken from the pool that is in use");
  }
}

// Whoever reads has the page busy, and nothing in it yet.
TEST_F(PageInvariantDeathTest, Inv18PageIsReadFromSwapThatIsValidOrNotBusy) {
  const auto read = [this] {
    ObjectGuard guard(object_.lock);
    PagingBegin(object_);
    Page* const pages[] = {&page()};
    (void)system_.swap().GetPages(object_, pages, 0);
  };
  EXPECT_DEATH(
      {
        page().valid = 0;
        read();
      },
      "INV-18.*read from swap that is valid or not busy");
  EXPECT_DEATH(
      {
        page().busy_owner = locking::Self().id;
        read();
      },
      "INV-18.*read from swap that is valid or not busy");
}

TEST_F(PageInvariantDeathTest, Inv51PageIsReadFromSwapThatHasNoCopy) {
  EXPECT_DEATH(
      {
        ObjectGuard guard(object_.lock);
        PagingBegin(object_);
        page().valid = 0;
        page().busy_owner = locking::Self().id;
        Page* const pages[] = {&page()};
        (void)system_.swap().GetPages(object_, pages, 0);
      },
      "INV-51.*that has no copy");
}

class ClusterDeathTest : public PageInvariantDeathTest {
 protected:
  void Write(std::vector<Page*> pages) {
    ObjectGuard guard(object_.lock);
    WriteOut write;
    system_.swap().BeginPageOut(object_, pages, &write);
  }
};

TEST_F(ClusterDeathTest, Inv03PagesDoNotFollowOneAnother) {
  EXPECT_DEATH(Write({&page(0), &page(2)}), "INV-03.*not of consecutive pages");
}

TEST_F(ClusterDeathTest, Inv52APageIsNotValid) {
  EXPECT_DEATH(
      {
        page(1).valid = 0;
        Write({&page(0), &page(1)});
      },
      "INV-52.*written that is not valid");
}

TEST_F(ClusterDeathTest, ItIsEmptyOrTooLarge) {
  EXPECT_DEATH(Write({}), "PAGER.*empty or too large");
  EXPECT_DEATH(Write(std::vector<Page*>(kClusterPages + 1, &page(0))), "PAGER.*too large");
}

}  // namespace
}  // namespace vm
