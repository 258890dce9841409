// Startup: where memory lies, what its descriptors take, and what holes are.
#include "vm/segments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/vm/machine.h"
#include "vm/check.h"
#include "vm/contiguous.h"
#include "vm/page_alloc.h"

namespace vm {
namespace {

constexpr Address kPage = kTestPageSize;

std::string ErrorOf(const std::vector<PhysicalRange>& ranges) {
  std::string error;
  EXPECT_EQ(PlanFrames(ranges, kTestPageSize, sizeof(Page), &error).frames, 0u);
  return error;
}

TEST(Segments, RangesAreCutToWholePages) {
  std::string error;
  const FramePlan plan = PlanFrames({{kPage / 2, 100 * kPage - 1},
                                     {110 * kPage + 1, 111 * kPage + 1},
                                     {120 * kPage, 130 * kPage}},
                                    kTestPageSize, 1, &error);
  EXPECT_EQ(error, "");
  ASSERT_EQ(plan.memory.size(), 2u) << "the second holds no whole page";
  EXPECT_EQ(plan.memory[0].first, 0u);  // page 1 of the addresses
  EXPECT_EQ(plan.memory[1].first, 119u);
  EXPECT_EQ(plan.memory[1].count, 10u);
  EXPECT_EQ(plan.frames, 129u);
}

TEST(Segments, TheLargestPaysForTheDescriptors) {
  std::string error;
  const FramePlan plan =
      PlanFrames({{0, 10 * kPage}, {20 * kPage, 60 * kPage}, {70 * kPage, 80 * kPage}},
                 kTestPageSize, 64, &error);
  EXPECT_EQ(plan.metadata.count, 80 * 64 / kTestPageSize);
  EXPECT_EQ(plan.metadata.first, 50u);
  EXPECT_EQ(plan.memory[1].count, 30u);
  EXPECT_EQ(plan.usable, 50u);
}

TEST(Segments, WhatCannotBeIsRefused) {
  EXPECT_NE(ErrorOf({{0, 64 * kPage}, {63 * kPage, 80 * kPage}}).find("overlap"),
            std::string::npos);
  EXPECT_NE(ErrorOf({{kPage, 0}}).find("overlap"), std::string::npos);
  EXPECT_NE(ErrorOf({}).find("no room"), std::string::npos);
  EXPECT_NE(ErrorOf({{0, kPage}}).find("no room"), std::string::npos);
  EXPECT_NE(ErrorOf({{0, kPage}, {kPage << 40, kPage << 41}}).find("too many"), std::string::npos);
  EXPECT_NE(ValidateConfig({.memory = {{0, 2 * kPage}}, .page_size = kTestPageSize}), "");
}

TEST(Segments, MemoryWithHolesHasThePagesThatAreAskedFor) {
  for (const std::uint32_t page_size : {512u, 4096u, 32768u}) {
    for (const std::uint32_t pages : {32u, 63u, 64u, 1000u, 100'000u}) {
      for (const std::uint32_t holes : {1u, 3u, 16u}) {
        std::string error;
        const FramePlan plan = PlanFrames(MemoryWithHoles(pages, page_size, sizeof(Page), holes),
                                          page_size, sizeof(Page), &error);
        EXPECT_EQ(error, "");
        EXPECT_EQ(plan.usable, pages) << holes << " holes, pages of " << page_size;
        EXPECT_EQ(plan.memory.size(), holes + 1);
      }
    }
  }
}

// Sixteen frames, a hole of sixteen, and sixty-four.
class HolesTest : public testing::Test {
 protected:
  static bool InAHole(const Page& page) { return page.frame >= 16 && page.frame < 32; }
  bool IsMetadata(const Page& page) const { return page.frame >= 96 - metadata_; }

  const std::uint32_t metadata_ =
      static_cast<std::uint32_t>((96 * sizeof(Page) + kPage - 1) / kPage);
  System system_{{.memory = {{0, 16 * kPage}, {32 * kPage, 96 * kPage}},
                  .page_size = kTestPageSize,
                  .cpus = 1}};
};

TEST_F(HolesTest, TheMachineHasWhatIsUsable) {
  EXPECT_EQ(system_.config().pages, 80 - metadata_);
  EXPECT_EQ(system_.pages().size(), 96u);
  EXPECT_EQ(system_.free_queue().free_count(), 80 - metadata_);
  for (const Page& page : system_.pages())
    EXPECT_EQ(page.identity == PageIdentity::kAbsent, InAHole(page) || IsMetadata(page))
        << page.frame;
  ExpectSound(system_);
  EXPECT_TRUE(CheckNoLeaks(system_).empty());
}

// Of each colour.
TEST_F(HolesTest, TheLowestMemoryIsHandedOutLast) {
  std::vector<Page*> taken;
  while (Page* page = AllocateUnownedPage(system_, {.alloc_class = AllocClass::kInterrupt}, 3)) {
    if (ColorOf(page->frame) == 3) {
      EXPECT_EQ(page->frame < 16, taken.size() == 3) << page->frame;
    }
    taken.push_back(page);
  }
  EXPECT_EQ(taken.size(), 80 - metadata_);
  for (Page* page : taken) FreeUnownedPage(system_, *page);
}

TEST_F(HolesTest, ARunLiesBesideAHoleAndNotInIt) {
  std::span<Page> run;
  ASSERT_EQ(AllocateContiguous(system_, {.count = 12, .low = 10}, &run), Result::kOk);
  EXPECT_EQ(run[0].frame, 32u);
  FreeContiguous(system_, run);
  ASSERT_EQ(AllocateContiguous(system_, {.count = 16}, &run), Result::kOk);
  EXPECT_EQ(run[0].frame, 0u);
  FreeContiguous(system_, run);
}

}  // namespace
}  // namespace vm
