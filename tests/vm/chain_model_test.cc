// Random chains of shadows against a model: what is read through the front is the same before and
// after a collapse, a bypass, a split and an extension, wherever the contents are (INV-38).
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "locking/random.h"
#include "tests/vm/machine.h"
#include "vm/check.h"
#include "vm/object_ranges.h"
#include "vm/page_alloc.h"
#include "vm/page_blocks.h"
#include "vm/pager/pager.h"
#include "vm/reclaim.h"

namespace vm {
namespace {

constexpr Pindex kSize = 12;  // pages of the object at the back
constexpr std::uint32_t kMaxDepth = 6;

// Each object is known by one map entry or shadow, and by `kept` more.
class RandomChain {
 public:
  explicit RandomChain(std::uint64_t seed) : machine_(256, 256), random_(seed) {
    front_ = AllocateObject(system_, ObjectType::kDefault, kSize);
    Fill(*front_, kSize);
    for (std::uint32_t depth = random_.Below(kMaxDepth); depth > 0; --depth) AddShadow();
  }
  ~RandomChain() {
    for (Object* object : kept_) DeallocateObject(system_, object);
    DeallocateObject(system_, front_);
    for (const locking::Finding& finding : CheckNoLeaks(system_))
      ADD_FAILURE() << locking::FormatFinding(finding);
  }

  void Collapse() {
    ObjectGuard guard(front_->lock);
    CollapseObject(system_, *front_);
  }

  // Splits a random part off, and gives it back after a look at it.
  void Split() {
    const Pindex offset = random_.Below(static_cast<std::uint32_t>(view_.size()));
    const Pindex size = 1 + random_.Below(static_cast<std::uint32_t>(view_.size() - offset));
    ReferenceObject(front_);
    {
      ObjectGuard guard(front_->lock);
      front_->one_mapping = true;
    }
    Object* part = SplitObject(system_, *front_, offset, size);
    ASSERT_NE(part, nullptr);
    for (Pindex i = 0; i < size; ++i) EXPECT_EQ(Read(part, i), view_[offset + i]) << "part " << i;
    DeallocateObject(system_, part);
    // Nothing maps there any more.
    for (Pindex i = offset; i < offset + size; ++i) unknown_.insert(i);
  }

  void Extend() {
    {
      ObjectGuard guard(front_->lock);
      if (front_->backing != nullptr) return;
    }
    ASSERT_TRUE(CoalesceObject(system_, front_, 0, view_.size(), 3, Reserved::kNo));
    view_.resize(view_.size() + 3);
  }

  void ExpectSameContents() {
    for (Pindex i = 0; i < view_.size(); ++i) {
      if (!unknown_.contains(i)) {
        EXPECT_EQ(Read(front_, i), view_[i]) << "page " << i;
      }
    }
  }
  std::uint64_t Count(Event event) { return system_.counters().Get(event); }

 private:
  void AddShadow() {
    const auto room = static_cast<std::uint32_t>(view_.size());
    Pindex offset = random_.Below(room);
    const Pindex size = 1 + random_.Below(static_cast<std::uint32_t>(room - offset));
    std::vector<std::uint64_t> seen(view_.begin() + static_cast<std::ptrdiff_t>(offset),
                                    view_.begin() + static_cast<std::ptrdiff_t>(offset + size));
    ReferenceObject(front_);  // else there would be no shadow
    Object* backer = front_;
    ShadowObject(system_, &front_, &offset, size);
    if (random_.Percent(50)) {
      kept_.push_back(backer);
    } else {
      ObjectGuard guard(backer->lock);
      --backer->ref_count;
    }
    view_ = seen;
    Fill(*front_, size);
  }

  // Some pages get contents, some of these go to swap, and some of those are not resident after it.
  void Fill(Object& object, Pindex size) {
    view_.resize(size);
    const std::uint32_t percent = random_.Below(101);
    ObjectGuard guard(object.lock);
    for (Pindex i = 0; i < size; ++i) {
      if (!random_.Percent(percent)) continue;
      view_[i] = ++last_value_;
      Page* page = AllocatePage(system_, object, i, {});
      ASSERT_NE(page, nullptr);
      ZeroPage(system_, *page);
      Word(*page) = view_[i];
      page->zeroed = false;
      page->valid = system_.AllBlocks();
      DirtyPage(system_, *page);
      {
        PageRoleGuard role_guard(system_.queues().PageLock(*page));
        system_.queues().Activate(*page);
      }
      if (random_.Percent(40)) PageOut(object, *page);
    }
  }
  void PageOut(Object& object, Page& page) LOCKING_REQUIRES(object.lock) {
    Page* const pages[] = {&page};
    EXPECT_EQ(system_.swap().PageOut(object, pages), 1u);
    if (!random_.Percent(60)) return;
    {
      PageRoleGuard role_guard(system_.queues().PageLock(page));
      system_.queues().Deactivate(page);
    }
    EXPECT_EQ(ReclaimPage(system_, object, page), Reclaimed::kYes);
  }
  std::uint64_t& Word(const Page& page) {
    return *reinterpret_cast<std::uint64_t*>(system_.FrameBytes(page).data());
  }
  // What a load through `object` would give.
  std::uint64_t Read(Object* object, Pindex index) LOCKING_NO_ANALYSIS {
    while (object != nullptr) {
      ObjectGuard guard(object->lock);
      Page* page = LookupPage(*object, index);
      if (page == nullptr && object->pager != nullptr && object->pager->HasPage(*object, index)) {
        EXPECT_EQ(PageIn(system_, *object, index, &page), Result::kOk);
      }
      if (page != nullptr) return Word(*page);
      index += object->backing_offset;
      object = object->backing;
    }
    return 0;
  }

  Machine machine_;
  System& system_ = machine_.system;
  locking::Random random_;
  Object* front_;
  std::vector<Object*> kept_;        // with a reference more
  std::vector<std::uint64_t> view_;  // what the front shows
  std::set<Pindex> unknown_;
  std::uint64_t last_value_ = 0;
};

constexpr std::uint64_t kSeeds = 400;

TEST(ChainModel, CollapseAndBypassKeepWhatIsSeen) {
  std::uint64_t collapses = 0, bypasses = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomChain chain(seed);
    chain.Collapse();
    chain.ExpectSameContents();
    collapses += chain.Count(Event::kCollapse);
    bypasses += chain.Count(Event::kBypass);
  }
  EXPECT_GT(collapses, kSeeds / 2);
  EXPECT_GT(bypasses, 10u);
}

TEST(ChainModel, SplitKeepsWhatIsSeenOnBothSides) {
  for (std::uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomChain chain(seed);
    chain.Split();
    chain.ExpectSameContents();
  }
}

TEST(ChainModel, AnExtensionKeepsWhatIsSeenAndAddsZeroes) {
  std::uint64_t extended = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomChain chain(seed);
    chain.Collapse();
    chain.Extend();
    chain.ExpectSameContents();
    extended += chain.Count(Event::kCoalesce);
  }
  EXPECT_GT(extended, 10u);
}

}  // namespace
}  // namespace vm
