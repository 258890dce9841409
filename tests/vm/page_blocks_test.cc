// Valid and dirty bits of the blocks of a page, against a model that knows each byte.
#include "vm/page_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "locking/random.h"
#include "tests/vm/mapped_object.h"

namespace vm {
namespace {

// An unmapped page of an object, and what a model that goes byte by byte says of it.
class BytewisePage {
 public:
  explicit BytewisePage(std::uint32_t page_size)
      : system_({.pages = 16, .page_size = page_size, .cpus = 1}),
        object_(*AllocateObject(system_, ObjectType::kDefault, 1)),
        values_(page_size),
        valid_(page_size / kBlockBytes),
        dirty_(page_size / kBlockBytes) {
    ObjectGuard guard(object_.lock);
    page_ = AllocatePage(system_, object_, 0, {});
    std::memset(bytes().data(), kGarbage, page_size);
  }
  ~BytewisePage() { DeallocateObject(system_, &object_); }

  void Step(locking::Random& random) {
    const auto page_size = static_cast<std::uint32_t>(values_.size());
    base_ = random.Below(page_size + 1);
    size_ = random.Below(page_size - base_ + 1);
    if (random.Percent(30)) base_ -= base_ % kBlockBytes;
    if (random.Percent(30)) size_ -= size_ % kBlockBytes;
    if (random.Percent(5)) base_ = 0, size_ = page_size;
    ObjectGuard guard(object_.lock);
    switch (random.Below(6)) {
      case 0:
        return Fill(static_cast<std::uint8_t>(1 + random.Below(200)));
      case 1:
        if (!AllTouchedValid()) return;
        SetBlocksDirty(system_, *page_, base_, size_);
        return ForTouched([&](std::uint32_t block) { dirty_[block] = true; });
      case 2:
        ClearBlocksDirty(system_, *page_, base_, size_);
        return ForTouched([&](std::uint32_t block) { dirty_[block] = false; });
      case 3:
        SetInvalid(system_, object_, *page_, base_, size_);
        return ForTouched([&](std::uint32_t block) { valid_[block] = dirty_[block] = false; });
      case 4:
        return FillTheRest(random.Percent(50) ? ZeroedBlocks::kBecomeValid
                                              : ZeroedBlocks::kStayInvalid);
      default:
        EXPECT_EQ(IsValid(system_, *page_, base_, size_), AnyValid() && AllTouchedValid());
    }
  }

  void ExpectAgreement() {
    for (std::uint32_t block = 0; block < valid_.size(); ++block) {
      ASSERT_EQ((page_->valid >> block & 1) != 0, valid_[block]) << "block " << block;
      ASSERT_EQ((page_->dirty.Peek() >> block & 1) != 0, dirty_[block]) << "block " << block;
      for (std::uint32_t i = 0; valid_[block] && i < kBlockBytes; ++i) {
        const std::uint32_t at = block * kBlockBytes + i;
        ASSERT_EQ(static_cast<std::uint8_t>(bytes()[at]), values_[at]) << "byte " << at;
      }
    }
  }

 private:
  static constexpr std::uint8_t kGarbage = 0xA5;

  std::span<std::byte> bytes() { return system_.FrameBytes(*page_); }
  bool InRange(std::uint32_t byte) const { return byte >= base_ && byte < base_ + size_; }
  std::uint32_t BytesInRange(std::uint32_t block) const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < kBlockBytes; ++i) count += InRange(block * kBlockBytes + i);
    return count;
  }
  template <typename Do>
  void ForTouched(Do act) {
    for (std::uint32_t block = 0; block < valid_.size(); ++block)
      if (BytesInRange(block) != 0) act(block);
  }
  bool AllTouchedValid() {
    bool all = true;
    ForTouched([&](std::uint32_t block) { all = all && valid_[block]; });
    return all;
  }
  bool AnyValid() const { return std::find(valid_.begin(), valid_.end(), true) != valid_.end(); }

  // A store fills the range.
  void Fill(std::uint8_t value) LOCKING_REQUIRES(object_.lock) {
    std::memset(bytes().subspan(base_, size_).data(), value, size_);
    SetValidClean(system_, object_, *page_, base_, size_);
    ForTouched([&](std::uint32_t block) {
      for (std::uint32_t i = 0; i < kBlockBytes; ++i) {
        const std::uint32_t at = block * kBlockBytes + i;
        if (InRange(at))
          values_[at] = value;
        else if (!valid_[block])
          values_[at] = 0;
      }
      valid_[block] = true;
      if (BytesInRange(block) == kBlockBytes) dirty_[block] = false;
    });
  }
  void FillTheRest(ZeroedBlocks then) {
    ZeroInvalid(system_, *page_, then);
    for (std::uint32_t block = 0; block < valid_.size(); ++block) {
      if (valid_[block]) continue;
      for (std::uint32_t i = 0; i < kBlockBytes; ++i) {
        const std::uint32_t at = block * kBlockBytes + i;
        values_[at] = 0;
        EXPECT_EQ(bytes()[at], std::byte{0}) << "byte " << at;
      }
      valid_[block] = then == ZeroedBlocks::kBecomeValid;
      if (!valid_[block]) std::memset(&bytes()[block * kBlockBytes], kGarbage, kBlockBytes);
    }
  }

  System system_;
  Object& object_;
  Page* page_;
  std::uint32_t base_ = 0;
  std::uint32_t size_ = 0;
  std::vector<std::uint8_t> values_;
  std::vector<bool> valid_;
  std::vector<bool> dirty_;
};

TEST(PageBlocks, AgreeWithAModelOfBytes) {
  for (const std::uint32_t page_size : {512u, 4096u, 32768u}) {
    locking::Random random(page_size);
    BytewisePage page(page_size);
    for (int step = 0; step < 400; ++step) {
      page.Step(random);
      page.ExpectAgreement();
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << page_size << " bytes, step " << step;
    }
  }
}

TEST(PageBlocks, ARangeTouchesABlockThatItHasAByteOf) {
  System system({.pages = 16, .page_size = 32768, .cpus = 1});
  EXPECT_EQ(BlocksTouched(system, 0, 0), 0u);
  EXPECT_EQ(BlocksTouched(system, 511, 1), 1u);
  EXPECT_EQ(BlocksTouched(system, 511, 2), 3u);
  EXPECT_EQ(BlocksTouched(system, 32767, 1), 1ull << 63);
  EXPECT_EQ(BlocksTouched(system, 0, 32768), ~0ull);
  EXPECT_EQ(BlocksCovered(system, 511, 513), 2u);
  EXPECT_EQ(BlocksCovered(system, 1, 1022), 0u);
  EXPECT_EQ(BlocksCovered(system, 0, 32768), ~0ull);
}

// One page of one block, mapped for writing.
class MappedBlocks : public testing::Test {
 protected:
  MappedBlocks() { test_.Enter(pmap_, 0, 0); }
  bool Dirty() {
    ObjectGuard guard(test_.object.lock);
    return TestDirty(test_.system, test_.object, page_);
  }

  MappedObject test_{2};
  Pmap& pmap_ = test_.NewPmap();
  Page& page_ = test_.page(0);
};

TEST_F(MappedBlocks, WhatAMappingModifiedMakesThePageDirty) {
  EXPECT_FALSE(Dirty());
  EXPECT_TRUE(test_.Store(pmap_, 0, 1));
  EXPECT_TRUE(Dirty());
  EXPECT_EQ(page_.dirty.Peek(), test_.system.AllBlocks());
}

TEST_F(MappedBlocks, SetValidCleanOfTheWholePageForgetsModifiedBits) {
  EXPECT_TRUE(test_.Store(pmap_, 0, 1));
  page_.nosync = true;
  {
    ObjectGuard guard(test_.object.lock);
    SetValidClean(test_.system, test_.object, page_, 0, kTestPageSize);
  }
  EXPECT_FALSE(Dirty());
  EXPECT_FALSE(page_.nosync);
  EXPECT_TRUE(test_.Store(pmap_, 0, 2)) << "the mapping may still write";
  EXPECT_TRUE(Dirty());
}

TEST_F(MappedBlocks, ClearBlocksDirtyKeepsModifiedBits) {
  EXPECT_TRUE(test_.Store(pmap_, 0, 1));
  page_.nosync = true;
  {
    ObjectGuard guard(test_.object.lock);
    ClearBlocksDirty(test_.system, page_, 0, kTestPageSize);
    SetValidClean(test_.system, test_.object, page_, 0, kTestPageSize - 1);
  }
  EXPECT_TRUE(page_.nosync);
  EXPECT_TRUE(Dirty());
}

TEST_F(MappedBlocks, SetInvalidUnmapsAndChangesTheGeneration) {
  ObjectGuard guard(test_.object.lock);
  const std::uint32_t generation = test_.object.generation;
  SetInvalid(test_.system, test_.object, page_, 17, 1);
  EXPECT_FALSE(Pmap::IsMapped(test_.system, page_));
  EXPECT_NE(test_.object.generation, generation);
  EXPECT_EQ(page_.valid, 0u);
  ZeroInvalid(test_.system, page_, ZeroedBlocks::kBecomeValid);
}

TEST_F(MappedBlocks, AnEmptyRangeIsValidWhereAnythingIs) {
  EXPECT_TRUE(IsValid(test_.system, page_, 0, 0));
  page_.valid = 0;
  EXPECT_FALSE(IsValid(test_.system, page_, 0, 0));
  page_.valid = test_.system.AllBlocks();
}

TEST_F(MappedBlocks, AnEmptyRangeThatBecomesValidChangesNothing) {
  page_.valid = 0;
  const auto bytes = test_.system.FrameBytes(page_);
  bytes[0] = std::byte{7};
  ObjectGuard guard(test_.object.lock);
  SetValidClean(test_.system, test_.object, page_, kBlockBytes / 2, 0);
  EXPECT_EQ(bytes[0], std::byte{7});
  EXPECT_EQ(page_.valid, 0u);
  page_.valid = test_.system.AllBlocks();
}

using MappedBlocksDeathTest = MappedBlocks;

TEST_F(MappedBlocksDeathTest, Inv52ARangeBeyondThePage) {
  EXPECT_DEATH((void)BlocksTouched(test_.system, 1, kTestPageSize), "INV-52.*beyond its page");
}

TEST_F(MappedBlocksDeathTest, Inv52ABlockIsDirtiedThatIsNotValid) {
  page_.valid = 0;
  EXPECT_DEATH(SetBlocksDirty(test_.system, page_, 0, 1), "INV-52.*not valid");
  page_.valid = test_.system.AllBlocks();
}

TEST_F(MappedBlocksDeathTest, Inv23APageOnTheCacheQueueIsDirtied) {
  EXPECT_DEATH(
      {
        Page& cached = test_.page(1);
        {
          PageRoleGuard guard(test_.system.queues().PageLock(cached));
          test_.system.queues().Cache(cached);
        }
        DirtyPage(test_.system, cached);
      },
      "INV-23.*cache queue is dirtied");
}

}  // namespace
}  // namespace vm
