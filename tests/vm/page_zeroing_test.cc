// The zeroing thread: how much it zeroes, when it is woken, and that it ends.
#include "vm/page_zeroing.h"

#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <vector>

#include "locking/thread.h"
#include "locking/thread_state.h"
#include "tests/vm/machine.h"
#include "vm/page_alloc.h"

namespace vm {
namespace {

constexpr std::uint32_t kPages = 64;
const SystemConfig kConfig{
    .pages = kPages, .page_size = kTestPageSize, .cpus = 1, .idle_zero = true};

bool ZeroingThreadSleeps() {
  bool sleeps = false;
  locking::InspectNativeThreads([&](std::span<locking::ThreadState* const> threads) {
    for (const locking::ThreadState* thread : threads) {
      const bool waits = thread->waiting.sequence.load() % 2 == 1 && thread->waiting.settled.load();
      sleeps |= thread->name == "page zeroing" && waits;
    }
  });
  return sleeps;
}

// Until the thread has nothing to do any more, and knows it.
void WaitUntilZeroed(System& system, std::uint32_t pages) {
  while (system.free_queue().zeroed_count() < pages || !ZeroingThreadSleeps()) locking::Yield();
}

TEST(PageZeroing, ZeroesFourFifthsOfWhatIsFree) {
  System system(kConfig);
  for (Page& page : system.pages())
    std::memset(system.FrameBytes(page).data(), 0xA5, kTestPageSize);
  system.Start();
  WaitUntilZeroed(system, ZeroedHigh(kPages));
  system.Pause();
  EXPECT_EQ(system.free_queue().zeroed_count(), ZeroedHigh(kPages));
  EXPECT_EQ(system.free_queue().free_count(), kPages);
  EXPECT_EQ(system.counters().Get(Event::kIdleZero), ZeroedHigh(kPages));
  ExpectSound(system);
  system.Resume();
  system.Stop();
}

TEST(PageZeroing, RestsUntilTwoThirdsAreLeft) {
  System system(kConfig);
  system.Start();
  WaitUntilZeroed(system, ZeroedHigh(kPages));
  std::vector<Page*> taken;
  while (system.free_queue().zeroed_count() > ZeroedLow(system.free_queue().free_count()))
    taken.push_back(AllocateUnownedPage(system, {.zeroed = true}));
  EXPECT_EQ(system.counters().Get(Event::kIdleZero), ZeroedHigh(kPages));
  // What is freed wakes it.
  for (Page* page : taken) FreeUnownedPage(system, *page);
  WaitUntilZeroed(system, ZeroedHigh(kPages));
  system.Stop();
}

TEST(PageZeroing, AFaultFindsAZeroedFrame) {
  System system(kConfig);
  system.Start();
  WaitUntilZeroed(system, ZeroedHigh(kPages));
  Space* space = system.CreateSpace();
  Address start = 0;
  ASSERT_EQ(
      space->MapAnonymous(0, 4 * kTestPageSize, Protection::kReadWrite, Inheritance::kCopy, &start),
      Result::kOk);
  std::uint64_t value = 1;
  EXPECT_EQ(space->Load(system.cpu(0), start, &value), Result::kOk);
  EXPECT_EQ(value, 0u);
  EXPECT_EQ(system.counters().Get(Event::kReadyZeroFill), 1u);
  EXPECT_EQ(system.counters().Get(Event::kZeroFill), 1u);
  // D13: once it is valid, that it was zeroed says nothing.
  EXPECT_EQ(space->Store(system.cpu(0), start, 7), Result::kOk);
  space->Exit();
  system.Pause();
  ExpectSound(system);
  system.Resume();
  system.Stop();
}

TEST(PageZeroing, PageTablesAreZeroedWhenTheyGo) {
  System system(kConfig);  // not started
  Space* space = system.CreateSpace();
  Address start = 0;
  ASSERT_EQ(
      space->MapAnonymous(0, kTestPageSize, Protection::kReadWrite, Inheritance::kCopy, &start),
      Result::kOk);
  EXPECT_EQ(space->Store(system.cpu(0), start, 7), Result::kOk);
  space->Exit();
  EXPECT_EQ(system.free_queue().zeroed_count(), 2u);
  ExpectSound(system);
}

TEST(PageZeroing, LeavesAlonePagesThatAreScarce) {
  System system(kConfig);
  std::vector<Page*> taken;
  while (system.free_queue().free_count() > system.free_queue().thresholds().free_target)
    taken.push_back(AllocateUnownedPage(system, {}));
  system.Start();
  system.Pause();
  system.Resume();
  EXPECT_EQ(system.counters().Get(Event::kIdleZero), 0u);
  system.Stop();
  for (Page* page : taken) FreeUnownedPage(system, *page);
}

TEST(PageZeroing, AMachineThatDoesNotAskForItHasNone) {
  System system({.pages = kPages, .page_size = kTestPageSize, .cpus = 1});
  system.Start();
  system.Pause();
  system.Resume();
  system.Stop();
  EXPECT_EQ(system.free_queue().zeroed_count(), 0u);
}

}  // namespace
}  // namespace vm
