// Long chains of shadows: created, read through, collapsed, torn down, with a stack that does not
// grow with them.
#include <pthread.h>

#include "tests/vm/machine.h"
#include "vm/check.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"

namespace vm {
namespace {

constexpr std::uint32_t kLinks = 1000;

// A chain as forks whose parents exit make it, but kept from collapsing: each object has a
// reference more.
class ChainTest : public testing::Test {
 protected:
  ChainTest() : machine_(2 * kLinks + 64) {
    front_ = AllocateObject(system_, ObjectType::kDefault, kLinks);
    AddPage(*front_, 0);
    for (std::uint32_t link = 1; link < kLinks; ++link) {
      ReferenceObject(front_);
      kept_.push_back(front_);
      Pindex offset = 0;
      ShadowObject(system_, &front_, &offset, kLinks);
      AddPage(*front_, link);
    }
  }

  void AddPage(Object& object, Pindex index) {
    ObjectGuard guard(object.lock);
    Page* page = AllocatePage(system_, object, index, {});
    ASSERT_NE(page, nullptr);
    ZeroPage(system_, *page);
    system_.FrameBytes(*page)[0] = static_cast<std::byte>(index);
    page->zeroed = false;
    page->valid = system_.AllBlocks();
    DirtyPage(system_, *page);
    PageRoleGuard role_guard(system_.queues().PageLock(*page));
    system_.queues().Activate(*page);
  }
  void ExpectNothingLeft() {
    for (const locking::Finding& finding : CheckNoLeaks(system_))
      ADD_FAILURE() << locking::FormatFinding(finding);
  }

  Machine machine_;
  System& system_ = machine_.system;
  Object* front_;
  std::vector<Object*> kept_;  // from the back to the front
};

// Runs `body` on the smallest stack there is.
void OnSmallStack(const std::function<void()>& body) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* argument) -> void* {
                  (*static_cast<const std::function<void()>*>(argument))();
                  return nullptr;
                },
                const_cast<std::function<void()>*>(&body)),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST_F(ChainTest, IsTornDownFromTheFrontWithConstantStack) {
  OnSmallStack([&] {
    for (Object* object : kept_) DeallocateObject(system_, object);
    DeallocateObject(system_, front_);
  });
  ExpectNothingLeft();
}

TEST_F(ChainTest, IsTornDownFromTheBackOfItsReferences) {
  OnSmallStack([&] {
    DeallocateObject(system_, front_);
    for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept) DeallocateObject(system_, *kept);
  });
  ExpectNothingLeft();
}

TEST_F(ChainTest, APagingFrontTakesNothingFromABackerThatOthersUse) {
  {
    ObjectGuard guard(front_->lock);
    PagingBegin(*front_);
    CollapseObject(system_, *front_);
    PagingEnd(system_, *front_);
    EXPECT_EQ(front_->resident_page_count, 1u);
  }
  for (Object* object : kept_) DeallocateObject(system_, object);
  DeallocateObject(system_, front_);
}

TEST_F(ChainTest, CollapsesToOneObjectWithAllPages) {
  {
    // Nobody else refers to any of them.
    for (Object* object : kept_) {
      ObjectGuard guard(object->lock);
      --object->ref_count;
    }
    OnSmallStack([&] {
      ObjectGuard guard(front_->lock);
      CollapseObject(system_, *front_);
    });
    ObjectGuard guard(front_->lock);
    EXPECT_EQ(front_->backing, nullptr);
    EXPECT_EQ(front_->resident_page_count, kLinks);
    for (Pindex index = 0; index < kLinks; ++index) {
      const Page* page = LookupPage(*front_, index);
      ASSERT_NE(page, nullptr) << index;
      EXPECT_EQ(system_.FrameBytes(*page)[0], static_cast<std::byte>(index));
    }
  }
  EXPECT_EQ(system_.counters().Get(Event::kCollapse), kLinks - 1);
  DeallocateObject(system_, front_);
  ExpectNothingLeft();
}

TEST_F(ChainTest, IsBypassedLinkByLinkWhereTheFrontHidesIt) {
  for (Pindex index = 0; index + 1 < kLinks; ++index) AddPage(*front_, index);
  {
    ObjectGuard guard(front_->lock);
    CollapseObject(system_, *front_);
    EXPECT_EQ(front_->backing, nullptr);
  }
  EXPECT_EQ(system_.counters().Get(Event::kBypass), kLinks - 1);
  for (Object* object : kept_) {
    ObjectGuard guard(object->lock);
    EXPECT_EQ(object->shadow_count, object == kept_.back() ? 0u : 1u);
  }
  DeallocateObject(system_, front_);
  for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept) DeallocateObject(system_, *kept);
  ExpectNothingLeft();
}

}  // namespace
}  // namespace vm
