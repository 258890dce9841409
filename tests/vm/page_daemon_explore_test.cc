// The page daemon and those who wait for it, under exploration: no wakeup between them is lost.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "locking/explore/check.h"
#include "locking/thread.h"
#include "tests/vm/paging.h"
#include "vm/counters.h"
#include "vm/object_ranges.h"

namespace vm {
namespace {

constexpr std::uint32_t kPages = 32;
constexpr std::uint32_t kThreads = 3;
constexpr std::uint32_t kMapped = 96;

struct Endings {
  std::uint32_t served = 0;
  std::uint32_t told = 0;
};

// Each thread dirties every third page of one region that fits into neither memory nor swap.
Endings FillBeyondMemory(std::uint32_t swap_slots) {
  PagingMachine machine(kPages, swap_slots);
  machine.system.Start();
  machine.MapPages(kMapped);
  std::vector<Endings> endings(kThreads);
  {
    std::vector<locking::Thread> threads;
    for (std::uint32_t thread = 0; thread < kThreads; ++thread)
      threads.emplace_back("worker", [&machine, &endings, thread] {
        for (std::uint32_t page = thread; page < kMapped; page += kThreads) {
          const Result result =
              machine.space->Store(machine.system.cpu(thread), machine.At(page), page);
          if (result == Result::kOk) {
            ++endings[thread].served;
            continue;
          }
          if (result != Result::kOutOfMemory) locking::FailInvariant("FAILED", ResultName(result));
          ++endings[thread].told;
          return;
        }
      });
    for (locking::Thread& thread : threads) thread.Join();
  }
  Endings sum;
  for (const Endings& ending : endings) {
    sum.served += ending.served;
    sum.told += ending.told;
  }
  return sum;
}

class OutOfMemoryWithSwap : public testing::TestWithParam<std::uint32_t> {};

TEST_P(OutOfMemoryWithSwap, EveryWaiterIsServedOrToldInEverySchedule) {
  Endings sum;
  const locking::explore::Result result = locking::explore::Check(
      [&] {
        const Endings endings = FillBeyondMemory(GetParam());
        sum.served += endings.served;
        sum.told += endings.told;
      },
      {.test = "out-of-memory", .executions = 60, .max_steps = 1'000'000});
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.executions, 60u);
  for (const locking::explore::Failure& failure : result.failures)
    ADD_FAILURE() << "execution " << failure.execution << "\n"
                  << locking::FormatFinding(failure.finding);
  EXPECT_EQ(sum.told, kThreads * result.executions);
  EXPECT_GT(sum.served, GetParam());
}

// A write to a page whose source is in swap takes two pages, and in the whole machine there is one.
Result CopyWithOnePageToBeHad() {
  PagingMachine machine(kPages, 1);
  machine.MapPages(1);
  machine.Fill(0, 1);
  machine.PageOut(0, 1);
  machine.Evict(0, 1);
  Space* child = machine.space->Fork();
  const Address one = machine.Map(machine.space, 1);
  machine.Store(machine.space, one, 1);
  const Address rest = machine.Map(machine.space, kMapped);
  machine.system.Start();
  Cpu& cpu = machine.system.cpu(0);
  for (Address va = rest; machine.space->Store(cpu, va, 1) == Result::kOk;) va += kTestPageSize;
  machine.space->Unmap(one, kTestPageSize);
  const Result result = machine.space->Store(cpu, machine.At(0), 1);
  child->Exit();
  machine.ExpectFilled(0, 1);
  return result;
}

// What it has populated so far stands where the page daemon looks, and is not to be had.
TEST(OutOfMemory, WhoPopulatesAnObjectIsToldInEverySchedule) {
  const locking::explore::Result result = locking::explore::Check(
      []() LOCKING_NO_ANALYSIS {
        PagingMachine machine(kPages, /*swap_slots=*/0);
        machine.MapPages(kMapped);
        machine.Fill(0, 2);
        machine.system.Start();
        Object* object = machine.FirstObject();
        ObjectGuard guard(object->lock);
        if (PopulateObject(machine.system, *object, 0, kMapped))
          locking::FailInvariant("FAILED", "more pages are resident than there are");
      },
      {.test = "populate", .executions = 20, .max_steps = 200'000});
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.executions, 20u);
  for (const locking::explore::Failure& failure : result.failures)
    ADD_FAILURE() << "execution " << failure.execution << "\n"
                  << locking::FormatFinding(failure.finding);
}

TEST(OutOfMemory, AFaultThatNeedsTwoPagesIsToldThatThereIsOnlyOneInEverySchedule) {
  const locking::explore::Result result = locking::explore::Check(
      [] {
        if (CopyWithOnePageToBeHad() != Result::kOutOfMemory)
          locking::FailInvariant("FAILED", "a copy is made of a page that is not there");
      },
      {.test = "one-page", .executions = 60, .max_steps = 1'000'000});
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.executions, 60u);
  for (const locking::explore::Failure& failure : result.failures)
    ADD_FAILURE() << "execution " << failure.execution << "\n"
                  << locking::FormatFinding(failure.finding);
}

// Whether a pass began while the daemon was paused.
bool ScansWhilePaused() {
  PagingMachine machine(kPages, 0);
  machine.system.Start();
  machine.MapPages(kMapped);
  locking::Thread worker("worker", [&machine] {
    for (std::uint32_t page = 0; page < kPages / 2; ++page)
      machine.Store(machine.space, machine.At(page), page);
  });
  worker.Join();
  machine.system.Pause();
  const std::uint64_t scans = machine.Count(Event::kDaemonScan);
  machine.system.free_queue().WakeDaemon();
  for (int i = 0; i < 20; ++i) locking::Yield();
  const bool scanned = machine.Count(Event::kDaemonScan) != scans;
  machine.system.Resume();
  while (machine.Count(Event::kDaemonScan) == scans) locking::Yield();
  return scanned;
}

TEST(PausedPageDaemon, BeginsNoPassUntilItIsResumed) {
  bool scanned = false;
  const locking::explore::Result result =
      locking::explore::Check([&] { scanned |= ScansWhilePaused(); },
                              {.test = "paused-daemon", .executions = 100, .max_steps = 1'000'000});
  ASSERT_EQ(result.error, "");
  EXPECT_TRUE(result.failures.empty());
  EXPECT_EQ(result.executions, 100u);
  EXPECT_FALSE(scanned);
}

INSTANTIATE_TEST_SUITE_P(SwapSlots, OutOfMemoryWithSwap, testing::Values(0u, 8u, 24u));

}  // namespace
}  // namespace vm
