// The index of an object's pages.
#include "vm/page_index.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "locking/random.h"

namespace vm {
namespace {

TEST(PageIndex, TheLastPageTakesAllNodesWithIt) {
  for (const Pindex pindex : {Pindex{0}, Pindex{63}, Pindex{64}, Pindex{4095}, Pindex{1} << 40}) {
    IndexNodePool pool;
    PageIndex index;
    Page page;
    index.Insert(pindex, &page, pool);
    EXPECT_EQ(index.Lookup(pindex), &page);
    EXPECT_EQ(index.Remove(pindex, pool), &page);
    EXPECT_TRUE(index.empty()) << pindex;
    EXPECT_EQ(pool.in_use(), 0u) << pindex;
  }
}

TEST(PageIndex, AgreesWithAMapUnderRandomOperations) {
  IndexNodePool pool;
  PageIndex index;
  std::map<Pindex, Page*> model;
  std::vector<Page> pages(64);
  locking::Random random(1);
  for (int step = 0; step < 20'000; ++step) {
    const Pindex pindex = Pindex{random.Below(300)} << (random.Below(3) * 6);
    Page* page = &pages[random.Below(64)];
    if (model.contains(pindex)) {
      EXPECT_EQ(index.Remove(pindex, pool), model[pindex]);
      model.erase(pindex);
    } else if (model.size() < 40) {
      index.Insert(pindex, page, pool);
      model[pindex] = page;
    }
    const Pindex from = random.Below(20'000);
    const auto next = model.lower_bound(from);
    EXPECT_EQ(index.LookupAtOrAfter(from), next == model.end() ? nullptr : next->second);
    EXPECT_EQ(index.empty(), model.empty());
  }
  while (!model.empty()) {
    index.Remove(model.begin()->first, pool);
    model.erase(model.begin());
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

}  // namespace
}  // namespace vm
