// Who a page may belong to after whom.
#include "vm/page_identity.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "vm/page.h"

namespace vm {
namespace {

TEST(PageIdentity, ChangesInTheseWaysAndNoOther) {
  using enum PageIdentity;
  const std::set<std::pair<PageIdentity, PageIdentity>> legal = {
      {kFree, kObject},     {kFree, kNoObject},   {kFree, kContiguous}, {kObject, kFree},
      {kObject, kHeld},     {kObject, kDetached}, {kNoObject, kFree},   {kNoObject, kHeld},
      {kNoObject, kObject}, {kDetached, kFree},   {kDetached, kHeld},   {kHeld, kFree},
      {kContiguous, kFree}, {kContiguous, kHeld},
  };
  for (int from = 0; from < static_cast<int>(kCount); ++from) {
    for (int to = 0; to < static_cast<int>(kCount); ++to) {
      const auto pair = std::pair(static_cast<PageIdentity>(from), static_cast<PageIdentity>(to));
      EXPECT_EQ(MayBecome(pair.first, pair.second), legal.contains(pair))
          << PageIdentityName(pair.first) << " to " << PageIdentityName(pair.second);
    }
  }
}

TEST(PageIdentityDeathTest, Inv10APageGoesWhereItMayNot) {
  Page page;
  page.frame = 7;
  EXPECT_DEATH(ChangeIdentity(page, PageIdentity::kDetached),
               "INV-10.*frame 7 goes from free to detached");
}

}  // namespace
}  // namespace vm
