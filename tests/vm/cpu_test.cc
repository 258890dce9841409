// Simulated CPUs: translation, the bits they set, and what a shootdown leaves of their caches.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "locking/thread.h"
#include "tests/vm/mapped_object.h"

namespace vm {
namespace {

constexpr Address kVa = 5 * kTestPageSize;
constexpr Protection kRead = Protection::kRead;

bool CachesFrame(Cpu& cpu, Frame frame) {
  const auto cached = cpu.CachedTranslations();
  return std::any_of(cached.begin(), cached.end(), [&](auto& slot) { return slot.frame == frame; });
}

TEST(Cpu, LoadsWhatAnyCpuStored) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  EXPECT_TRUE(test.Store(pmap, kVa + 8, 17, 0));
  EXPECT_EQ(test.Load(pmap, kVa + 8, 0), 17u);
  EXPECT_EQ(test.Load(pmap, kVa + 8, 3), 17u);
  EXPECT_EQ(test.Load(pmap, kVa, 3), 0u);
}

TEST(Cpu, FaultsWithoutAMappingOrARight) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  EXPECT_EQ(test.Load(pmap, kVa), ~0ull);  // no table
  test.Enter(pmap, kVa + kTestPageSize, 0, kRead);
  EXPECT_EQ(test.Load(pmap, kVa), ~0ull);  // no entry
  EXPECT_EQ(test.Load(pmap, kVa + kTestPageSize), 0u);
  EXPECT_FALSE(test.Store(pmap, kVa + kTestPageSize, 1));  // cached for reading
}

TEST(Cpu, LoadsSetTheReferencedBitAndStoresTheModifiedOne) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  EXPECT_EQ(Pmap::TestAndClearReferenced(test.system, test.page(0)), 0u);
  test.Load(pmap, kVa);
  EXPECT_FALSE(Pmap::IsModified(test.system, test.page(0)));
  EXPECT_EQ(Pmap::TestAndClearReferenced(test.system, test.page(0)), 1u);
  EXPECT_TRUE(test.Store(pmap, kVa, 1));
  EXPECT_TRUE(Pmap::IsModified(test.system, test.page(0)));
  EXPECT_EQ(Pmap::TestAndClearReferenced(test.system, test.page(0)), 1u);
}

// The translation that a load cached says nothing about the modified bit.
TEST(Cpu, AStoreAfterALoadSetsTheModifiedBit) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  test.Load(pmap, kVa);
  EXPECT_TRUE(test.Store(pmap, kVa, 1));
  EXPECT_TRUE(Pmap::IsModified(test.system, test.page(0)));
}

TEST(Cpu, WordsOfOneAccessAreAllOrNothing) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  Cpu& cpu = test.system.cpu(1);
  std::uint64_t words[4] = {1, 2, 3, 4};
  EXPECT_EQ(cpu.StoreWords(pmap, kVa, words, 4), Cpu::Access::kFault);
  test.Enter(pmap, kVa, 0);
  EXPECT_EQ(cpu.StoreWords(pmap, kVa + kTestPageSize - 32, words, 4), Cpu::Access::kDone);
  std::uint64_t loaded[4] = {};
  EXPECT_EQ(cpu.LoadWords(pmap, kVa + kTestPageSize - 32, loaded, 4), Cpu::Access::kDone);
  EXPECT_TRUE(std::equal(words, words + 4, loaded));
}

TEST(Cpu, SpacesDoNotShareTranslations) {
  MappedObject test(2);
  Pmap& first = test.NewPmap();
  Pmap& second = test.NewPmap();
  test.Enter(first, kVa, 0);
  test.Enter(second, kVa, 1);
  EXPECT_TRUE(test.Store(first, kVa, 1));
  EXPECT_TRUE(test.Store(second, kVa, 2));
  EXPECT_EQ(test.Load(first, kVa), 1u);
  EXPECT_EQ(test.Load(second, kVa), 2u);
}

TEST(Cpu, TranslationsThatShareASlotReplaceEachOther) {
  constexpr std::uint32_t kMappings = 200;  // more than the cache has
  MappedObject test(3);
  Pmap& pmap = test.NewPmap();
  for (Address i = 0; i < kMappings; ++i) test.Enter(pmap, i * kTestPageSize, i % 3);
  for (Pindex i = 0; i < 3; ++i) EXPECT_TRUE(test.Store(pmap, i * kTestPageSize, i + 1));
  for (Address i = 0; i < kMappings; ++i)
    EXPECT_EQ(test.Load(pmap, i * kTestPageSize), i % 3 + 1) << i;
}

TEST(Cpu, AShootdownLeavesNoTranslationOnAnyCpu) {
  MappedObject test(2);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  test.Enter(pmap, kVa + kTestPageSize, 1);
  for (std::uint32_t cpu = 0; cpu < 4; ++cpu) {
    EXPECT_TRUE(test.Store(pmap, kVa, cpu, cpu));
    EXPECT_TRUE(test.Store(pmap, kVa + kTestPageSize, cpu, cpu));
  }
  test.RemoveAll(0);
  for (std::uint32_t cpu = 0; cpu < 4; ++cpu) {
    EXPECT_FALSE(CachesFrame(test.system.cpu(cpu), test.page(0).frame));
    EXPECT_TRUE(CachesFrame(test.system.cpu(cpu), test.page(1).frame));
  }
  EXPECT_EQ(test.system.counters().Get(Event::kShootdown), 4u);
}

TEST(Cpu, OnlyCpusThatRanThePmapAreAsked) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  EXPECT_TRUE(test.Store(pmap, kVa, 1, 2));
  pmap.Remove(kVa, kVa + kTestPageSize);
  EXPECT_EQ(test.system.counters().Get(Event::kShootdown), 1u);
}

TEST(CpuDeathTest, AnAccessAcrossTwoPagesOrBetweenWordsIsCaught) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  std::uint64_t words[2] = {};
  EXPECT_DEATH(test.system.cpu(0).LoadWords(pmap, kVa + kTestPageSize - 8, words, 2), "ACCESS");
  EXPECT_DEATH(test.system.cpu(0).Store(pmap, kVa + 4, 1), "ACCESS");
}

// Threads of one CPU take turns: an access of several words is not torn.
TEST(CpuConcurrency, ThreadsOfOneCpuTakeTurns) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  std::vector<locking::Thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back("sharer", [&, t] {
      std::uint64_t words[8];
      for (int i = 0; i < 2000; ++i) {
        std::fill(words, words + 8, t * 10000 + i);
        ASSERT_EQ(test.system.cpu(0).StoreWords(pmap, kVa, words, 8), Cpu::Access::kDone);
        ASSERT_EQ(test.system.cpu(0).LoadWords(pmap, kVa, words, 8), Cpu::Access::kDone);
        ASSERT_TRUE(std::all_of(words, words + 8, [&](auto word) { return word == words[0]; }));
      }
    });
  }
}

// A store that was done is seen by every later load, through whichever mapping and CPU.
TEST(CpuConcurrency, ACpuNeverReadsThroughAReplacedMapping) {
  MappedObject test(2);
  Pmap& pmap = test.NewPmap();
  test.Words(0)[0] = 1000;
  test.Words(1)[0] = 1001;
  test.Enter(pmap, kVa, 0, kRead);
  locking::Atomic<std::uint64_t> current{0};  // index that a load begun now may see, at least
  locking::Atomic<bool> stop{false};
  std::vector<locking::Thread> readers;
  for (std::uint32_t t = 0; t < 3; ++t) {
    readers.emplace_back("reader", [&, t] {
      while (!stop.Load()) {
        const std::uint64_t before = current.Load();
        std::uint64_t value = 0;
        if (test.system.cpu(t).Load(pmap, kVa, &value) != Cpu::Access::kDone) continue;
        // The mapping changes from one page to the other and back: with no change meanwhile, it is
        // the one that was entered last.
        if (current.Load() == before && before % 2 == 0) {
          ASSERT_EQ(value, 1000 + before / 2 % 2);
        }
      }
    });
  }
  for (std::uint64_t round = 1; round < 2000; ++round) {
    current.Store(2 * round - 1);  // odd: a change is under way
    test.Enter(pmap, kVa, round % 2, kRead);
    current.Store(2 * round);
  }
  stop.Store(true);
}

}  // namespace
}  // namespace vm
