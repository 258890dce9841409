// Charges of swap space by credential: made with memory that can be written, moved with it, refused
// beyond the limit, and given back.
#include "vm/swap_charge.h"

#include "tests/vm/machine.h"

namespace vm {
namespace {

class ChargeTest : public testing::Test {
 protected:
  ~ChargeTest() override {
    EXPECT_EQ(credential_.charged(), 0u) << "a charge is never given back";
    EXPECT_EQ(machine_.system.charges().reserved(), 0u);
  }
  Result Map(Space* space, std::uint32_t pages, Protection protection, Address* start) {
    return space->MapAnonymous(0, pages * kTestPageSize, protection, Inheritance::kCopy, start);
  }

  Machine machine_;
  Credential& credential_ = machine_.system.charges().NewCredential(10);
  Space* space_ = machine_.system.CreateSpace(&credential_);
  Address va_ = 0;
};

TEST_F(ChargeTest, MemoryThatCanBeWrittenIsChargedUntilItIsUnmapped) {
  ASSERT_EQ(Map(space_, 4, Protection::kReadWrite, &va_), Result::kOk);
  EXPECT_EQ(credential_.charged(), 4u);
  machine_.Store(space_, va_, 1);
  EXPECT_EQ(credential_.charged(), 4u) << "moved to the object";
  ExpectSound(machine_.system);
  ASSERT_EQ(space_->Unmap(va_ + 3 * kTestPageSize, kTestPageSize), Result::kOk);
  EXPECT_EQ(credential_.charged(), 3u);
  ExpectSound(machine_.system);
  space_->Exit();
}

TEST_F(ChargeTest, BeyondTheLimitIsRefused) {
  ASSERT_EQ(Map(space_, 8, Protection::kReadWrite, &va_), Result::kOk);
  Address other = 0;
  EXPECT_EQ(Map(space_, 3, Protection::kReadWrite, &other), Result::kOutOfMemory);
  EXPECT_EQ(Map(space_, 2, Protection::kReadWrite, &other), Result::kOk);
  EXPECT_EQ(Map(space_, 5, Protection::kRead, &other), Result::kOk) << "it cannot be written";
  EXPECT_EQ(space_->Protect(other, kTestPageSize, Protection::kReadWrite), Result::kOutOfMemory);
  ASSERT_EQ(space_->Unmap(va_, kTestPageSize), Result::kOk);
  EXPECT_EQ(space_->Protect(other, kTestPageSize, Protection::kReadWrite), Result::kOk);
  EXPECT_EQ(credential_.charged(), 10u);
  ExpectSound(machine_.system);
  space_->Exit();
}

TEST_F(ChargeTest, ReadOnlyMemoryWithAnObjectIsChargedAsAWhole) {
  ASSERT_EQ(Map(space_, 4, Protection::kRead, &va_), Result::kOk);
  machine_.Load(space_, va_);
  EXPECT_EQ(credential_.charged(), 0u);
  ASSERT_EQ(space_->Protect(va_, kTestPageSize, Protection::kReadWrite), Result::kOk);
  EXPECT_EQ(credential_.charged(), 4u);
  ExpectSound(machine_.system);
  space_->Exit();
}

TEST_F(ChargeTest, AForkIsChargedForBothShadowsOrRefused) {
  ASSERT_EQ(Map(space_, 3, Protection::kReadWrite, &va_), Result::kOk);
  for (Address page = 0; page < 3; ++page) machine_.Store(space_, va_ + page * kTestPageSize, 1);
  Space* child = space_->Fork();
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(credential_.charged(), 9u) << "the object, and a shadow for each";
  ExpectSound(machine_.system);
  EXPECT_EQ(space_->Fork(), nullptr);
  EXPECT_EQ(credential_.charged(), 9u);
  machine_.Store(child, va_, 2);
  machine_.Store(space_, va_, 3);
  EXPECT_EQ(credential_.charged(), 9u);
  ExpectSound(machine_.system);
  child->Exit();
  // The parent's shadow took over what it shadowed, and that one's charge ended.
  EXPECT_EQ(credential_.charged(), 3u);
  ExpectSound(machine_.system);
  space_->Exit();
}

TEST_F(ChargeTest, AnObjectThatNeedsNoShadowGivesTheEntrysChargeBack) {
  ASSERT_EQ(Map(space_, 3, Protection::kReadWrite, &va_), Result::kOk);
  machine_.Store(space_, va_, 1);
  space_->Fork()->Exit();
  EXPECT_EQ(credential_.charged(), 6u);
  machine_.Store(space_, va_, 2);  // the only reference: no shadow
  EXPECT_EQ(credential_.charged(), 3u);
  ExpectSound(machine_.system);
  space_->Exit();
}

TEST_F(ChargeTest, WiredMemoryIsChargedOnceMoreForTheChildsCopy) {
  ASSERT_EQ(Map(space_, 4, Protection::kReadWrite, &va_), Result::kOk);
  ASSERT_EQ(space_->Wire(va_, 4 * kTestPageSize), Result::kOk);
  Space* child = space_->Fork();
  EXPECT_EQ(credential_.charged(), 8u);
  EXPECT_EQ(space_->Fork(), nullptr);
  ExpectSound(machine_.system);
  child->Exit();
  space_->Exit();
}

// Memory that cannot be written is not charged, and the copy that wiring makes is.
TEST_F(ChargeTest, ACopyThatWiringMakesIsCharged) {
  ASSERT_EQ(Map(space_, 4, Protection::kRead, &va_), Result::kOk);
  machine_.Load(space_, va_);
  Space* child = space_->Fork();
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(credential_.charged(), 0u);
  ASSERT_EQ(space_->Wire(va_, 4 * kTestPageSize), Result::kOk);
  EXPECT_EQ(credential_.charged(), 4u);
  ExpectSound(machine_.system);
  child->Exit();
  space_->Exit();
}

TEST_F(ChargeTest, SharedMemoryIsChargedOnce) {
  va_ = machine_.Map(space_, 6, Inheritance::kShare);
  Space* child = space_->Fork();
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(credential_.charged(), 6u);
  ExpectSound(machine_.system);
  space_->Exit();
  EXPECT_EQ(credential_.charged(), 6u);
  child->Exit();
}

TEST_F(ChargeTest, SplitAndCoalesceMoveChargesAndMakeNone) {
  ASSERT_EQ(Map(space_, 2, Protection::kReadWrite, &va_), Result::kOk);
  machine_.Store(space_, va_, 1);
  Address more = 0;
  ASSERT_EQ(Map(space_, 1, Protection::kReadWrite, &more), Result::kOk);
  EXPECT_EQ(credential_.charged(), 3u);
  ASSERT_EQ(space_->SetInheritance(more, kTestPageSize, Inheritance::kShare), Result::kOk);
  Space* child = space_->Fork();
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(machine_.system.counters().Get(Event::kSplit), 1u);
  EXPECT_EQ(credential_.charged(), 3u + 2 * 2);
  ExpectSound(machine_.system);
  child->Exit();
  space_->Exit();
}

TEST_F(ChargeTest, AnExtensionThatIsNotReservedIsRefusedWithTheLockReleased) {
  ASSERT_EQ(Map(space_, 10, Protection::kReadWrite, &va_), Result::kOk);
  machine_.Store(space_, va_, 1);
  Address more = 0;
  ASSERT_EQ(Map(space_, 1, Protection::kRead, &more), Result::kOk);
  ASSERT_EQ(more, va_ + 10 * kTestPageSize);
  {
    locking::ReadGuard guard(space_->map().lock);
    EXPECT_EQ(space_->map().Lookup(more)->object, nullptr) << "not a part of the charged object";
  }
  machine_.Store(space_, va_, 2);  // would wait for ever for a lock that was left behind
  ExpectSound(machine_.system);
  space_->Exit();
}

}  // namespace
}  // namespace vm
