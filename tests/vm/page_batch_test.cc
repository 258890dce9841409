// Page batches: they keep threads off the queues' locks, and keep nothing from whoever looks at the
// queues or is short of pages.
#include "vm/page_batch.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "locking/thread.h"
#include "tests/vm/paging.h"

namespace vm {
namespace {

class PageBatchTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kPages = 1024;
  static constexpr std::uint32_t kBatch = 16;

  PageBatchTest() {
    machine.MapPages(8 * kBatch);
    for (const std::uint32_t page : {0u, 4 * kBatch, 8 * kBatch - 1})  // with the page tables
      machine.Load(machine.space, machine.At(page));
    machine.system.free_queue().DrainBatches();
  }
  std::uint32_t Free() { return machine.system.free_queue().free_count(); }
  std::uint32_t Active() { return machine.system.queues().active_count(); }
  void Flush() {
    PageRoleGuard guard(machine.system.queues().lock);
    machine.system.queues().FlushBatches();
  }

  PagingMachine machine{kPages, 64};
};

TEST_F(PageBatchTest, PagesAreTakenFromTheFreeQueueABatchAtATime) {
  const std::uint32_t before = Free();
  machine.Fill(1, 1);
  EXPECT_EQ(Free(), before - kBatch);
  machine.Fill(2, kBatch - 1);
  EXPECT_EQ(Free(), before - kBatch);
  machine.Fill(kBatch + 1, 1);
  EXPECT_EQ(Free(), before - 2 * kBatch);
}

TEST_F(PageBatchTest, PagesAreGivenBackABatchAtATime) {
  machine.Fill(0, 3 * kBatch);
  const std::uint32_t before = machine.FreePages();
  for (std::uint32_t batch = 0; batch < 3; ++batch)
    EXPECT_EQ(machine.PageOut(batch * kBatch, kBatch), kBatch);
  EXPECT_EQ(machine.Evict(0, 2 * kBatch - 1), 2 * kBatch - 1);
  EXPECT_EQ(Free(), before);
  EXPECT_EQ(machine.Evict(2 * kBatch - 1, 1), 1u);
  EXPECT_EQ(Free(), before + kBatch);
}

TEST_F(PageBatchTest, PagesAreActivatedABatchAtATime) {
  Flush();
  const std::uint32_t before = Active();
  machine.Fill(1, kBatch - 1);
  EXPECT_EQ(Active(), before);
  EXPECT_EQ(machine.PageAt(1)->act_count, kActInit) << "whatever list it stands on";
  machine.Fill(kBatch, 1);
  EXPECT_EQ(Active(), before + kBatch);
}

TEST_F(PageBatchTest, AScanSeesWhatWasOnlyJustActivated) {
  Flush();
  const std::uint32_t before = Active();
  machine.Fill(1, 3);
  machine.system.daemon().Scan(0);
  EXPECT_EQ(Active(), before + 3);
}

TEST_F(PageBatchTest, APageIsWiredDeactivatedAndFreedFromItsBatch) {
  Flush();
  machine.Evict(0, 1);
  machine.Fill(0, 4);
  ASSERT_NE(machine.PageAt(0)->batch, 0);
  EXPECT_EQ(machine.space->Wire(machine.At(0), kTestPageSize), Result::kOk);
  machine.Deactivate(*machine.PageAt(1));
  EXPECT_EQ(machine.PageOut(2, 1), 1u);
  EXPECT_EQ(machine.Evict(2, 1), 1u);
  for (std::uint32_t page = 0; page < 2; ++page) EXPECT_EQ(machine.PageAt(page)->batch, 0);
  ExpectSound(machine.system);
  machine.ExpectFilled(0, 4);
  EXPECT_EQ(machine.space->Unwire(machine.At(0), kTestPageSize), Result::kOk);
}

TEST_F(PageBatchTest, ASmallMachineHasNone) {
  PagingMachine small(64);
  small.MapPages(8);
  const std::uint32_t free = small.system.free_queue().free_count();
  small.Fill(0, 1);
  EXPECT_EQ(small.system.free_queue().free_count(), free - 3);  // with two page tables
  EXPECT_EQ(small.system.queues().active_count(), 1u);
}

// Pages on the batch of a thread that does nothing any more are had by the next that is short.
TEST(PageBatch, AShortageEmptiesTheBatchesOfOthers) {
  PagingMachine machine(256, 0);
  machine.system.Start();
  machine.MapPages(256);
  locking::Thread other("other", [&machine] {
    const Address own = machine.Map(machine.space, 32);
    for (std::uint32_t page = 0; page < 32; ++page)
      machine.Store(machine.space, own + page * kTestPageSize, 1);
    machine.space->Unmap(own, 32 * kTestPageSize);
  });
  other.Join();
  std::uint32_t page = 0;
  while (machine.space->Store(machine.system.cpu(0), machine.At(page), 1) == Result::kOk) ++page;
  machine.system.Stop();
  EXPECT_LT(machine.FreePages(), machine.system.free_queue().thresholds().free_min);
}

}  // namespace
}  // namespace vm
