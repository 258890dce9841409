// Moments: what is followed through spawns and joins, what several moments have in common.
#include "locking/moment.h"

#include <gtest/gtest.h>

namespace locking {
namespace {

TEST(Moment, BeginsWithItsThreadAlone) {
  const Moment moment(7);
  EXPECT_EQ(moment.EpochOf(7), 1u);
  EXPECT_EQ(moment.EpochOf(8), 0u);
}

TEST(Moment, FollowsTheLatestOfEachThread) {
  Moment parent(1), child(2);
  parent.BeginEpoch(1);
  child.Follow(parent);
  parent.BeginEpoch(1);
  EXPECT_EQ(child.EpochOf(1), 2u);
  EXPECT_EQ(child.EpochOf(2), 1u);
  child.Follow(Moment(1));
  EXPECT_EQ(child.EpochOf(1), 2u);
  EXPECT_EQ(parent.EpochOf(1), 3u);
}

TEST(Moment, TwoMeetInWhatBothFollow) {
  Moment early(1), late(2), stranger(3);
  late.Follow(early);
  early.BeginEpoch(1);
  Moment other(4);
  other.Follow(early);
  other.Meet(late);
  EXPECT_EQ(other.EpochOf(1), 1u);
  EXPECT_EQ(other.EpochOf(2), 0u);
  EXPECT_EQ(other.EpochOf(4), 0u);
  other.Meet(stranger);
  EXPECT_EQ(other.EpochOf(1), 0u);
}

TEST(Moment, ForgetsTheFirstOfVeryManyThreads) {
  Moment moment(100'000);
  for (std::uint32_t thread = 1; thread <= 1000; ++thread) moment.Follow(Moment(thread));
  EXPECT_EQ(moment.EpochOf(1), 0u);
  EXPECT_EQ(moment.EpochOf(1000), 1u);
  EXPECT_EQ(moment.EpochOf(100'000), 1u);
}

}  // namespace
}  // namespace locking
