// Contiguous runs: where they lie, what goes for them, and that a search leaves nothing behind.
#include "vm/contiguous.h"

#include <cstring>
#include <vector>

#include "locking/thread.h"
#include "tests/vm/files.h"
#include "tests/vm/paging.h"
#include "vm/page_alloc.h"

namespace vm {
namespace {

class ContiguousTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kPages = 64;

  // The first frame of a run, which is given back at the end; ~0: none.
  Frame Take(const ContiguousRequest& request) {
    std::span<Page> run;
    if (AllocateContiguous(system_, request, &run) != Result::kOk) return ~Frame{0};
    EXPECT_EQ(run.size(), request.count);
    for (std::size_t i = 0; i < run.size(); ++i) {
      EXPECT_EQ(run[i].frame, run[0].frame + i);
      EXPECT_EQ(run[i].identity, PageIdentity::kContiguous);
      EXPECT_EQ(run[i].queue, PageQueue::kNone);
    }
    runs_.push_back(run);
    return run[0].frame;
  }
  void GiveBack() {
    for (const std::span<Page> run : runs_) FreeContiguous(system_, run);
    runs_.clear();
  }
  // What is on the free queue's first `frames` frames goes to somebody else.
  void Occupy(std::initializer_list<Frame> frames) {
    for (const Frame frame : frames) {
      std::span<Page> page = system_.pages().subspan(frame, 1);
      ASSERT_EQ(system_.free_queue().TryTakeRun(page).pages, 1u);
      runs_.push_back(page);
    }
  }
  ~ContiguousTest() override {
    ExpectSound(system_);
    GiveBack();
  }

  PagingMachine machine_{kPages};
  System& system_ = machine_.system;
  std::vector<std::span<Page>> runs_;
};

TEST_F(ContiguousTest, TheLowestFreeRunIsTaken) {
  EXPECT_EQ(Take({.count = 4}), 0u);
  EXPECT_EQ(Take({.count = 4}), 4u);
  EXPECT_EQ(system_.counters().Get(Event::kContiguousRun), 2u);
}

TEST_F(ContiguousTest, ARunLiesInItsRange) {
  EXPECT_EQ(Take({.count = 4, .low = 10, .high = 14}), 10u);
  EXPECT_EQ(Take({.count = 4, .low = 10, .high = 17}), ~0u) << "no room behind the first";
}

TEST_F(ContiguousTest, ARunIsAligned) {
  EXPECT_EQ(Take({.count = 3, .low = 1, .alignment = 16}), 16u);
}

TEST_F(ContiguousTest, ARunCrossesNoBoundary) {
  EXPECT_EQ(Take({.count = 5, .low = 5, .boundary = 8}), 8u);
  EXPECT_EQ(Take({.count = 3, .low = 5, .boundary = 8}), 5u);
  EXPECT_EQ(Take({.count = 8, .low = 17, .boundary = 8}), 24u);
}

TEST_F(ContiguousTest, TheSearchGoesOnBehindWhatIsTaken) {
  Occupy({1, 4, 6});
  EXPECT_EQ(Take({.count = 2}), 2u);
  EXPECT_EQ(Take({.count = 3}), 7u);
}

TEST_F(ContiguousTest, WhatCanNeverBeIsRefused) {
  std::span<Page> run;
  for (const ContiguousRequest& request :
       {ContiguousRequest{.count = 0}, ContiguousRequest{.count = kPages},
        ContiguousRequest{.count = 2, .low = 3, .high = 4}, ContiguousRequest{.alignment = 3},
        ContiguousRequest{.count = 9, .boundary = 8}, ContiguousRequest{.boundary = 6}})
    EXPECT_EQ(AllocateContiguous(system_, request, &run), Result::kInvalidArgument);
}

TEST_F(ContiguousTest, ReadsAsZeroIfAsked) {
  std::memset(system_.FrameBytes(Frame{2}).data(), 0xA5, kTestPageSize);
  EXPECT_EQ(Take({.count = 4, .zeroed = true}), 0u);
  EXPECT_EQ(system_.FrameBytes(Frame{2})[7], std::byte{0});
}

TEST_F(ContiguousTest, LeavesTheReserve) {
  const std::uint32_t most = kPages - system_.free_queue().thresholds().free_reserved;
  EXPECT_EQ(Take({.count = most + 1}), ~0u);
  EXPECT_NE(Take({.count = most}), ~0u);
}

TEST_F(ContiguousTest, PagesOfObjectsGoForARun) {
  machine_.MapPages(40);
  machine_.Fill(0, 40);
  machine_.DeactivatePages(0, 20);
  EXPECT_NE(Take({.count = 30}), ~0u);
  EXPECT_GT(system_.counters().Get(Event::kContiguousEvicted), 0u);
  GiveBack();
  machine_.ExpectFilled(0, 40);
}

TEST_F(ContiguousTest, InactivePagesGoBeforeActiveOnes) {
  machine_.MapPages(48);
  machine_.Fill(0, 48);
  machine_.DeactivatePages(24, 24);
  EXPECT_NE(Take({.count = 14}), ~0u);
  for (std::uint32_t page = 0; page < 24; ++page) EXPECT_TRUE(machine_.Resident(page)) << page;
}

TEST_F(ContiguousTest, WiredPagesStay) {
  machine_.MapPages(48);
  ASSERT_EQ(machine_.space->Wire(machine_.At(0), 48 * kTestPageSize), Result::kOk);
  machine_.Fill(0, 48);
  EXPECT_EQ(Take({.count = 30}), ~0u);
  machine_.ExpectFilled(0, 48);
  EXPECT_EQ(machine_.space->Unwire(machine_.At(0), 48 * kTestPageSize), Result::kOk);
}

TEST(ContiguousFileTest, PagesOfAFileAreWrittenToItFirst) {
  constexpr std::uint32_t kFilePages = 40;
  FileMachine machine(kFilePages);
  const Address start = machine.Shared(kFilePages);
  Cpu& cpu = machine.system.cpu(0);
  for (std::uint32_t page = 0; page < kFilePages; ++page)
    ASSERT_EQ(machine.space->Store(cpu, start + page * kTestPageSize, page), Result::kOk);
  std::span<Page> run;
  ASSERT_EQ(AllocateContiguous(machine.system, {.count = 30}, &run), Result::kOk);
  EXPECT_GT(machine.Count(Event::kContiguousEvicted), 0u);
  for (std::uint32_t page = 0; page < kFilePages; ++page) {
    if (machine.PageOfFile(page) == nullptr) {
      EXPECT_EQ(machine.file.WordAt(page * kTestPageSize), page);
    }
  }
  FreeContiguous(machine.system, run);
}

// D06: in each place where a run could begin something is in the way.
TEST_F(ContiguousTest, ASearchInVainLeavesEverythingAsItWas) {
  Occupy({3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63});
  const std::uint32_t before = machine_.FreePages();
  EXPECT_EQ(Take({.count = 4}), ~0u);
  EXPECT_EQ(machine_.FreePages(), before);
}

// D15: an object is locked before one waits for a page of it.
TEST_F(ContiguousTest, WaitsForABusyPageAndLooksAgain) {
  machine_.MapPages(48);
  machine_.Fill(0, 48);
  locking::Thread other;
  // While the first page is written, it is shared-busy, and another search meets it.
  bool started = false;
  Frame found = ~Frame{0};
  machine_.store->during_write = [&] {
    if (started) return;
    started = true;
    other = locking::Thread("other search", [&] {
      std::span<Page> run;
      if (AllocateContiguous(system_, {.count = 20}, &run) != Result::kOk) return;
      found = run[0].frame;
      FreeContiguous(system_, run);
    });
    while (system_.counters().Get(Event::kBusyWait) == 0) locking::Yield();
  };
  (void)Take({.count = 20});
  other.Join();
  machine_.store->during_write = nullptr;
  GiveBack();
  EXPECT_TRUE(started);
  machine_.ExpectFilled(0, 48);
}

using ContiguousDeathTest = ContiguousTest;

TEST_F(ContiguousDeathTest, Inv10AFreePageIsGivenBackAsPartOfARun) {
  EXPECT_DEATH(FreeContiguous(system_, system_.pages().first(1)), "INV-10.*part of a run");
}

}  // namespace
}  // namespace vm
