#include "tests/model/register.h"

#include <gtest/gtest.h>

namespace vm {
namespace {

constexpr auto kDone = Register::Outcome::kDone;

class RegisterTest : public testing::Test {
 protected:
  void Store(std::uint64_t value) {
    word_.BeginStore(value, clock_.Now());
    word_.EndStore(value, clock_.Now(), kDone);
  }
  bool Load(std::uint64_t value) {
    const Time begin = clock_.Now();
    return word_.Loaded(value, begin, clock_.Now());
  }

  Clock clock_;
  Register word_;
};

TEST_F(RegisterTest, ReadsAsZeroAndThenAsTheLastStore) {
  EXPECT_TRUE(Load(0));
  Store(1);
  Store(2);
  EXPECT_TRUE(Load(2));
  EXPECT_FALSE(Load(1));
  EXPECT_FALSE(Load(0));
}

TEST_F(RegisterTest, ALoadMaySeeEitherSideOfAStoreThatIsUnderWay) {
  Store(1);
  const Time begin = clock_.Now();
  word_.BeginStore(2, clock_.Now());
  EXPECT_TRUE(word_.Loaded(1, begin, clock_.Now()));
  EXPECT_TRUE(word_.Loaded(2, begin, clock_.Now()));
  word_.EndStore(2, clock_.Now(), kDone);
  EXPECT_TRUE(word_.Loaded(1, begin, clock_.Now()));
  EXPECT_FALSE(Load(1));
}

TEST_F(RegisterTest, EitherOfTwoStoresAtOnceMayBeTheLast) {
  word_.BeginStore(1, clock_.Now());
  word_.BeginStore(2, clock_.Now());
  word_.EndStore(2, clock_.Now(), kDone);
  word_.EndStore(1, clock_.Now(), kDone);
  EXPECT_TRUE(Load(1));
  EXPECT_TRUE(Load(2));
  EXPECT_FALSE(Load(0));
}

TEST_F(RegisterTest, AStoreThatFailedIsNotSeen) {
  word_.BeginStore(1, clock_.Now());
  word_.EndStore(1, clock_.Now(), Register::Outcome::kNotDone);
  EXPECT_FALSE(Load(1));
  EXPECT_TRUE(Load(0));
}

TEST_F(RegisterTest, WhatIsForgottenIsThereOrZeroUntilTheNextStore) {
  Store(1);
  word_.BeginForget(clock_.Now());
  word_.EndForget(clock_.Now());
  EXPECT_TRUE(Load(1));
  EXPECT_TRUE(Load(0));
  EXPECT_FALSE(Load(1));  // it was lost
  Store(2);
  EXPECT_FALSE(Load(0));
}

TEST_F(RegisterTest, AStoreBesideAClearMayComeBeforeItOrAfter) {
  word_.BeginClear(clock_.Now());
  Store(1);
  word_.EndClear(clock_.Now(), kDone, Register::Reach::kForNow);
  EXPECT_TRUE(Load(1));
  EXPECT_TRUE(Load(0));
}

TEST_F(RegisterTest, WhatIsClearedForGoodShowsNoStoreThatWasOver) {
  word_.BeginClear(clock_.Now());
  Store(1);
  word_.BeginStore(2, clock_.Now());
  word_.EndClear(clock_.Now(), kDone, Register::Reach::kForGood);
  word_.EndStore(2, clock_.Now(), kDone);
  EXPECT_FALSE(Load(1));
  EXPECT_TRUE(Load(2));
  EXPECT_TRUE(Load(0));
}

TEST_F(RegisterTest, AClearThatFailedLeavesWhatWasThere) {
  Store(1);
  word_.BeginClear(clock_.Now());
  word_.EndClear(clock_.Now(), Register::Outcome::kNotDone, Register::Reach::kForGood);
  EXPECT_TRUE(Load(1));
  EXPECT_FALSE(Load(0));
}

TEST_F(RegisterTest, ACopyThatWaitsForAStoreForgetsWhatItsOriginMay) {
  Store(1);
  word_.BeginForget(clock_.Now());
  word_.EndForget(clock_.Now());
  const Time now = clock_.Now();
  for (const auto copied : {Register::Copied::kNow, Register::Copied::kWhenStored}) {
    Register copy(word_, now, now, copied);
    const Time begin = clock_.Now();
    EXPECT_TRUE(copy.Loaded(1, begin, clock_.Now()));
    EXPECT_EQ(copy.Loaded(0, begin, clock_.Now()), copied == Register::Copied::kWhenStored);
  }
}

TEST_F(RegisterTest, OneOfSeveralFirstValuesIsTheOneThatIsSeen) {
  Register word({3, 4});
  const Time begin = clock_.Now();
  EXPECT_FALSE(word.Loaded(0, begin, clock_.Now()));
  EXPECT_TRUE(word.Loaded(4, begin, clock_.Now()));
  EXPECT_FALSE(word.Loaded(3, begin, clock_.Now()));
}

}  // namespace
}  // namespace vm
