// The page daemon at work: machines that are short of memory, and the decision that it is
// exhausted.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "tests/vm/paging.h"
#include "vm/page_busy.h"
#include "vm/pageout.h"

namespace vm {
namespace {

TEST(PageDaemon, MoreMemoryThanThereAreFramesIsUsable) {
  PagingMachine machine(64, 512);
  machine.system.Start();
  machine.MapPages(200);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    machine.Fill(0, 200, round);
    machine.ExpectFilled(0, 200, round);
  }
  EXPECT_GT(machine.Count(Event::kPageOut), 0u);
  EXPECT_EQ(machine.Count(Event::kOutOfMemory), 0u);
}

TEST(PageDaemon, SeveralThreadsShareAShortMachine) {
  constexpr std::uint32_t kThreads = 3;
  constexpr std::uint32_t kEach = 60;
  PagingMachine machine(64, 1024);
  machine.system.Start();
  machine.MapPages(kThreads * kEach);
  std::vector<locking::Thread> threads;
  for (std::uint32_t thread = 0; thread < kThreads; ++thread)
    threads.emplace_back("worker", [&machine, thread] {
      for (std::uint64_t round = 1; round <= 4; ++round) {
        machine.Fill(thread * kEach, kEach, round);
        machine.ExpectFilled(thread * kEach, kEach, round);
      }
    });
  for (locking::Thread& thread : threads) thread.Join();
  EXPECT_EQ(machine.Count(Event::kOutOfMemory), 0u);
}

// Stores to consecutive pages until that fails; returns how many stores succeeded.
std::uint32_t FillUntilFailure(PagingMachine& machine, Result* failure, std::uint32_t pages = 128) {
  for (std::uint32_t page = 0; page < pages; ++page) {
    *failure = machine.space->Store(machine.system.cpu(0), machine.At(page) + 8,
                                    PagingMachine::ValueOf(page, 0));
    if (*failure != Result::kOk) return page;
  }
  return 128;
}

TEST(PageDaemon, WithoutSwapAnAccessFailsCleanlyAndMemoryGivenBackHelps) {
  PagingMachine machine(64, 0);
  machine.system.Start();
  const Address other = machine.Map(machine.space, 10);
  for (std::uint32_t page = 0; page < 10; ++page)
    machine.Store(machine.space, other + page * kTestPageSize, 1);
  machine.MapPages(128);
  Result failure = Result::kOk;
  const std::uint32_t stored = FillUntilFailure(machine, &failure);
  EXPECT_EQ(failure, Result::kOutOfMemory);
  EXPECT_GT(stored, 40u);
  EXPECT_GT(machine.Count(Event::kOutOfMemory), 0u);
  machine.ExpectFilled(0, stored);
  EXPECT_EQ(machine.space->Unmap(other, 10 * kTestPageSize), Result::kOk);
  machine.Fill(stored, 5);
  machine.ExpectFilled(0, stored + 5);
}

TEST(PageDaemon, AFullSwapEndsInOutOfMemoryAndLosesNothing) {
  PagingMachine machine(64, 20);
  machine.system.Start();
  machine.MapPages(128);
  Result failure = Result::kOk;
  const std::uint32_t stored = FillUntilFailure(machine, &failure);
  EXPECT_EQ(failure, Result::kOutOfMemory);
  EXPECT_GT(stored, 70u);
  EXPECT_EQ(machine.system.swap().used(), 20u);
}

TEST(PageDaemon, AStoreThatAlwaysFailsEndsInOutOfMemory) {
  PagingMachine machine(64, 64);
  machine.store->fail_writes = true;
  machine.system.Start();
  machine.MapPages(128);
  Result failure = Result::kOk;
  const std::uint32_t stored = FillUntilFailure(machine, &failure);
  EXPECT_EQ(failure, Result::kOutOfMemory);
  EXPECT_GT(machine.Count(Event::kPageOutError), 0u);
  machine.ExpectFilled(0, stored);
  EXPECT_EQ(machine.system.swap().used(), 0u);
}

// As those of the other clusters under way are, at any time.
TEST(PageDaemon, WhereEachWriteFailsAPageThatIsPassedOverKeepsNobodyWaiting) {
  PagingMachine machine(64, 64);
  machine.store->fail_writes = true;
  const Address other = machine.Map(machine.space, 1);
  machine.Store(machine.space, other, 1);
  Page& busy = *machine.FirstPage(machine.space, other);
  Object& owner = *busy.object;
  {
    ObjectGuard guard(owner.lock);
    ShareBusyPage(owner, busy);
  }
  machine.system.Start();
  machine.MapPages(128);
  Result failure = Result::kOk;
  const std::uint32_t stored = FillUntilFailure(machine, &failure);
  EXPECT_EQ(failure, Result::kOutOfMemory);
  machine.ExpectFilled(0, stored);
  ObjectGuard guard(owner.lock);
  UnshareBusyPage(machine.system, owner, busy);
}

TEST(PageDaemon, EveryWaiterIsToldThatThereIsNoMemory) {
  PagingMachine machine(64, 0);
  machine.system.Start();
  machine.MapPages(256);  // of which each worker wants 64, more than there are frames
  std::atomic<int> told{0};
  std::vector<locking::Thread> threads;
  for (std::uint32_t thread = 0; thread < 4; ++thread)
    threads.emplace_back("worker", [&machine, &told, thread] {
      for (std::uint32_t page = thread; page < 256; page += 4) {
        const Result result =
            machine.space->Store(machine.system.cpu(thread), machine.At(page), page);
        if (result == Result::kOk) continue;
        EXPECT_EQ(result, Result::kOutOfMemory);
        ++told;
        return;
      }
    });
  for (locking::Thread& thread : threads) thread.Join();
  EXPECT_EQ(told.load(), 4);
}

TEST(PageDaemon, AReferencedCleanPageIsTakenBeforeMemoryIsCalledExhausted) {
  PagingMachine machine(64, 0);
  machine.system.Start();
  machine.MapPages(128);
  // Clean pages only, each referenced when the daemon looks.
  for (std::uint32_t page = 0; page < 128; ++page)
    EXPECT_EQ(machine.Load(machine.space, machine.At(page)), 0u);
  EXPECT_EQ(machine.Count(Event::kOutOfMemory), 0u);
}

TEST(PageDaemon, ActiveCleanPagesAreTakenWhenNothingInactiveCanBe) {
  PagingMachine machine(64, 0);
  machine.MapPages(128);
  machine.Fill(0, 40);
  machine.DeactivatePages(0, 40);  // more than the inactive target, and no swap to write them to
  machine.system.Start();
  for (std::uint32_t page = 40; page < 128; ++page)
    EXPECT_EQ(machine.Load(machine.space, machine.At(page)), 0u);
  EXPECT_EQ(machine.Count(Event::kOutOfMemory), 0u);
  machine.ExpectFilled(0, 40);
}

TEST(PageDaemon, StopEndsAWait) {
  PagingMachine machine(64, 0);  // and no daemon
  machine.MapPages(128);
  Result failure = Result::kOk;
  locking::Thread waiter("waiter", [&] { FillUntilFailure(machine, &failure); });
  while (machine.Count(Event::kPageWait) == 0) locking::Yield();
  machine.system.Stop();
  waiter.Join();
  EXPECT_EQ(failure, Result::kOutOfMemory);
}

TEST(PageDaemon, ItCanBeStartedAgain) {
  PagingMachine machine(64, 512);
  machine.MapPages(150);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    machine.system.Start();
    machine.Fill(0, 150, round);
    machine.ExpectFilled(0, 150, round);
    machine.system.Stop();
  }
}

}  // namespace
}  // namespace vm
