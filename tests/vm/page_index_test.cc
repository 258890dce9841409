// The index of an object's pages, of each kind.
#include "vm/page_index.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "locking/random.h"
#include "vm/page_alloc.h"
#include "vm/system.h"

namespace vm {
namespace {

class EachIndex : public testing::TestWithParam<IndexKind> {
 protected:
  PageIndex index_{GetParam()};
  IndexNodePool pool_;
};

TEST_P(EachIndex, TheLastPageTakesAllNodesWithIt) {
  for (const Pindex pindex : {Pindex{0}, Pindex{63}, Pindex{64}, Pindex{4095}, Pindex{1} << 40}) {
    Page page;
    index_.Insert(pindex, &page, pool_);
    EXPECT_EQ(index_.Peek(pindex), &page);
    EXPECT_EQ(index_.Lookup(pindex), &page);
    EXPECT_EQ(index_.Remove(pindex, pool_), &page);
    EXPECT_TRUE(index_.empty()) << pindex;
    EXPECT_EQ(pool_.in_use(), 0u) << pindex;
  }
}

TEST_P(EachIndex, AgreesWithAMapUnderRandomOperations) {
  std::map<Pindex, Page*> model;
  std::vector<Page> pages(64);
  std::vector<Page*> unused;
  for (Page& page : pages) unused.push_back(&page);
  locking::Random random(1);
  for (int step = 0; step < 20'000; ++step) {
    const Pindex pindex = Pindex{random.Below(300)} << (random.Below(3) * 6);
    if (model.contains(pindex)) {
      EXPECT_EQ(index_.Remove(pindex, pool_), model[pindex]);
      unused.push_back(model[pindex]);
      model.erase(pindex);
    } else if (model.size() < 40) {
      index_.Insert(pindex, unused.back(), pool_);
      model[pindex] = unused.back();
      unused.pop_back();
    }
    const Pindex from = random.Below(20'000);
    const auto next = model.lower_bound(from);
    EXPECT_EQ(index_.LookupAtOrAfter(from), next == model.end() ? nullptr : next->second);
    const auto found = model.find(pindex);
    EXPECT_EQ(index_.Peek(pindex), found == model.end() ? nullptr : found->second);
    EXPECT_EQ(index_.Lookup(pindex), found == model.end() ? nullptr : found->second);
    EXPECT_EQ(index_.empty(), model.empty());
  }
  while (!model.empty()) {
    index_.Remove(model.begin()->first, pool_);
    model.erase(model.begin());
  }
  EXPECT_EQ(pool_.in_use(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EachIndex, testing::ValuesIn(kIndexKinds),
                         [](const testing::TestParamInfo<IndexKind>& info) {
                           return IndexKindName(info.param);
                         });

bool IsRoot(const Page& page) {
  const TreeLink* parent = TreeLinkTraits::get_parent(&page.tree_link);
  return TreeLinkTraits::get_parent(parent) == &page.tree_link;
}

TEST(SplayTree, ALookupUnderTheExclusiveLockMovesThePageToTheRootAndOthersDoNot) {
  System system({.pages = 64, .page_size = 512, .cpus = 1, .index = IndexKind::kSplay});
  constexpr Pindex kPages = 16;
  Object* object = AllocateObject(system, ObjectType::kDefault, kPages);
  Page* third = nullptr;
  {
    ObjectGuard guard(object->lock);
    for (Pindex i = 0; i < kPages; ++i) AllocatePage(system, *object, i, {});
    third = LookupPage(*object, 3);
    EXPECT_TRUE(IsRoot(*third));
    EXPECT_TRUE(IsRoot(*LookupPage(*object, 9)));
  }
  {
    locking::SharedGuard guard(object->lock);
    EXPECT_EQ(LookupPage(*object, 3), third);
    EXPECT_FALSE(IsRoot(*third));
  }
  DeallocateObject(system, object);
}

}  // namespace
}  // namespace vm
