// Page tables, PV lists, and taking mappings and rights away while CPUs use them.
#include <gtest/gtest.h>

#include <vector>

#include "locking/random.h"
#include "locking/thread.h"
#include "tests/vm/mapped_object.h"

namespace vm {
namespace {

constexpr Address kVa = 5 * kTestPageSize;
constexpr Address kFarVa = 64 * 40 * kTestPageSize;  // needs another table page
constexpr Protection kRead = Protection::kRead;
constexpr Protection kReadWrite = Protection::kReadWrite;

TEST(Pmap, MapsWhatWasEntered) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  EXPECT_FALSE(pmap.Query(kVa).valid);
  test.Enter(pmap, kVa, 0, kRead);
  const Pmap::Mapping mapping = pmap.Query(kVa);
  EXPECT_TRUE(mapping.valid);
  EXPECT_EQ(mapping.frame, test.page(0).frame);
  EXPECT_EQ(mapping.protection, kRead);
  EXPECT_FALSE(mapping.wired);
  EXPECT_FALSE(pmap.Query(kVa + kTestPageSize).valid);
  EXPECT_FALSE(pmap.Query(kVa - kTestPageSize).valid);
  EXPECT_EQ(pmap.resident_count(), 1u);
  EXPECT_TRUE(Pmap::IsMapped(test.system, test.page(0)));
  EXPECT_FALSE(test.page(0).writeable.Peek());
}

TEST(Pmap, SpansItsWholeAddressSpaceAndNoMore) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  EXPECT_EQ(pmap.limit(), Address{64} * 64 * kTestPageSize);
  test.Enter(pmap, 0, 0);
  test.Enter(pmap, pmap.limit() - kTestPageSize, 0);
  EXPECT_TRUE(test.Store(pmap, pmap.limit() - 8, 7));
  EXPECT_EQ(test.Load(pmap, kTestPageSize - 8), 7u);
  EXPECT_FALSE(pmap.Query(pmap.limit()).valid);
  EXPECT_FALSE(test.Store(pmap, pmap.limit(), 7));
  pmap.Remove(0, ~Address{0} & ~Address{kTestPageSize - 1});
  EXPECT_EQ(pmap.resident_count(), 0u);
}

TEST(Pmap, TablePagesComeFromTheMachineAndGoBack) {
  MappedObject test(1);
  const std::uint32_t before = test.system.free_queue().free_count();
  Pmap* pmap = test.system.TakePmap();
  EXPECT_EQ(test.system.free_queue().free_count(), before);
  test.Enter(*pmap, kVa, 0);
  EXPECT_EQ(test.system.free_queue().free_count(), before - 2);  // directory and table
  test.Enter(*pmap, kFarVa, 0);
  EXPECT_EQ(test.system.free_queue().free_count(), before - 3);
  EXPECT_EQ(test.system.queues().wired_count(), 3u);
  pmap->Remove(0, pmap->limit());
  EXPECT_EQ(test.system.free_queue().free_count(), before - 3);
  pmap->Destroy();
  EXPECT_EQ(test.system.free_queue().free_count(), before);
  EXPECT_EQ(test.system.queues().wired_count(), 0u);
  test.system.ReturnPmap(pmap);
}

TEST(Pmap, SaysShortageWhenThereIsNoTablePage) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  std::vector<Page*> taken;
  while (Page* page = AllocateUnownedPage(test.system, {.alloc_class = AllocClass::kInterrupt}))
    taken.push_back(page);
  {
    ObjectGuard guard(test.object.lock);
    EXPECT_EQ(pmap.Enter(kVa, test.page(0), kRead, false), Result::kShortage);
  }
  EXPECT_EQ(pmap.resident_count(), 0u);
  EXPECT_FALSE(Pmap::IsMapped(test.system, test.page(0)));
  for (Page* page : taken) FreeUnownedPage(test.system, *page);
  test.Enter(pmap, kVa, 0);
}

TEST(Pmap, EnteringAnotherPageReplacesAndFolds) {
  MappedObject test(2);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0, kReadWrite, true);
  EXPECT_TRUE(test.Store(pmap, kVa, 1));
  EXPECT_EQ(test.page(0).dirty.Peek(), 0u);
  test.Enter(pmap, kVa, 1);
  EXPECT_EQ(test.page(0).dirty.Peek(), test.system.AllBlocks());
  EXPECT_TRUE(test.page(0).referenced.Peek());
  EXPECT_FALSE(Pmap::IsMapped(test.system, test.page(0)));
  EXPECT_EQ(test.Load(pmap, kVa), 0u);  // not out of the translation cache
  EXPECT_EQ(pmap.resident_count(), 1u);
  EXPECT_EQ(pmap.wired_count(), 0u);
}

TEST(Pmap, EnteringTheSamePageChangesRights) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0, kRead);
  EXPECT_EQ(test.Load(pmap, kVa), 0u);
  EXPECT_FALSE(test.Store(pmap, kVa, 1));
  test.Enter(pmap, kVa, 0);
  EXPECT_TRUE(test.page(0).writeable.Peek());
  EXPECT_TRUE(test.Store(pmap, kVa, 1));
  EXPECT_EQ(test.system.counters().Get(Event::kShootdown), 0u);  // an upgrade needs none
  test.Enter(pmap, kVa, 0, kRead, true);
  EXPECT_FALSE(test.Store(pmap, kVa, 2));
  EXPECT_EQ(test.Load(pmap, kVa), 1u);
  EXPECT_EQ(test.page(0).dirty.Peek(), test.system.AllBlocks());
  EXPECT_FALSE(Pmap::IsModified(test.system, test.page(0)));
  EXPECT_EQ(pmap.wired_count(), 1u);
  EXPECT_EQ(pmap.resident_count(), 1u);
}

TEST(Pmap, WiringIsCountedOncePerMapping) {
  MappedObject test(1);
  Pmap& first = test.NewPmap();
  Pmap& second = test.NewPmap();
  test.Enter(first, kVa, 0, kRead, true);
  test.Enter(second, kVa, 0, kRead);
  second.SetWired(kVa, true);
  second.SetWired(kVa, true);
  second.SetWired(kVa + kTestPageSize, true);  // nothing there
  EXPECT_EQ(second.wired_count(), 1u);
  EXPECT_EQ(Pmap::WiredMappings(test.system, test.page(0)), 2u);
  second.SetWired(kVa, false);
  first.Remove(kVa, kVa + kTestPageSize);
  EXPECT_EQ(first.wired_count(), 0u);
  EXPECT_EQ(Pmap::WiredMappings(test.system, test.page(0)), 0u);
}

TEST(Pmap, RemoveTakesTheRangeAlone) {
  MappedObject test(4);
  Pmap& pmap = test.NewPmap();
  const Address vas[] = {kVa, kVa + kTestPageSize, kFarVa, kFarVa + kTestPageSize};
  for (Pindex i = 0; i < 4; ++i) test.Enter(pmap, vas[i], i);
  for (Pindex i = 0; i < 4; ++i) EXPECT_TRUE(test.Store(pmap, vas[i], i + 1));
  pmap.Remove(vas[1], vas[3]);
  EXPECT_EQ(test.Load(pmap, vas[0]), 1u);
  EXPECT_EQ(test.Load(pmap, vas[1]), ~0ull);
  EXPECT_EQ(test.Load(pmap, vas[2]), ~0ull);
  EXPECT_EQ(test.Load(pmap, vas[3]), 4u);
  EXPECT_EQ(test.page(0).dirty.Peek(), 0u);
  EXPECT_NE(test.page(1).dirty.Peek(), 0u);
  EXPECT_NE(test.page(2).dirty.Peek(), 0u);
  EXPECT_EQ(test.page(3).dirty.Peek(), 0u);
  EXPECT_EQ(test.system.counters().Get(Event::kShootdown), 2u);  // one a table, of one CPU
}

TEST(Pmap, ProtectTakesWriteAndNeverGivesIt) {
  MappedObject test(2);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  test.Enter(pmap, kVa + kTestPageSize, 1, kRead);
  EXPECT_TRUE(test.Store(pmap, kVa, 1));
  pmap.Protect(0, pmap.limit(), kReadWrite);
  EXPECT_TRUE(test.Store(pmap, kVa, 2));
  pmap.Protect(kVa, kVa + 2 * kTestPageSize, kRead);
  EXPECT_FALSE(test.Store(pmap, kVa, 3));
  EXPECT_EQ(test.Load(pmap, kVa), 2u);
  EXPECT_EQ(test.page(0).dirty.Peek(), test.system.AllBlocks());
  EXPECT_EQ(test.page(1).dirty.Peek(), 0u);
  pmap.Protect(0, pmap.limit(), kReadWrite);
  EXPECT_FALSE(test.Store(pmap, kVa, 3));
  pmap.Protect(0, pmap.limit(), Protection::kNone);
  EXPECT_EQ(test.Load(pmap, kVa), ~0ull);
  EXPECT_EQ(pmap.resident_count(), 0u);
}

TEST(Pmap, TakingWriteFromAnUnmodifiedMappingNeedsNoShootdown) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  EXPECT_EQ(test.Load(pmap, kVa), 0u);
  test.RemoveWrite(0);
  EXPECT_EQ(test.system.counters().Get(Event::kShootdown), 0u);
  EXPECT_FALSE(test.Store(pmap, kVa, 1));
  EXPECT_EQ(test.page(0).dirty.Peek(), 0u);
}

TEST(Pmap, RemoveWriteReachesEveryMapping) {
  MappedObject test(1);
  std::vector<Pmap*> pmaps;
  for (int i = 0; i < 3; ++i) pmaps.push_back(&test.NewPmap());
  // More than one batch, and twice in each pmap.
  for (Pmap* pmap : pmaps)
    for (Address page = 0; page < 14; ++page) test.Enter(*pmap, kVa + page * kTestPageSize, 0);
  EXPECT_TRUE(test.Store(*pmaps[2], kVa, 1, 3));
  test.RemoveWrite(0);
  for (Pmap* pmap : pmaps)
    for (Address page = 0; page < 14; ++page) {
      EXPECT_FALSE(test.Store(*pmap, kVa + page * kTestPageSize, 2, 3));
      EXPECT_EQ(test.Load(*pmap, kVa + page * kTestPageSize, 3), 1u);
    }
  EXPECT_EQ(test.page(0).dirty.Peek(), test.system.AllBlocks());
  EXPECT_FALSE(test.page(0).writeable.Peek());
}

TEST(Pmap, RemoveAllReachesEveryMapping) {
  MappedObject test(2);
  Pmap& first = test.NewPmap();
  Pmap& second = test.NewPmap();
  test.Enter(first, kVa, 0);
  test.Enter(first, kFarVa, 0, kRead, true);
  test.Enter(second, kVa, 0);
  test.Enter(second, kFarVa, 1);
  EXPECT_TRUE(test.Store(second, kVa, 1));
  test.RemoveAll(0);
  EXPECT_FALSE(Pmap::IsMapped(test.system, test.page(0)));
  EXPECT_EQ(test.page(0).dirty.Peek(), test.system.AllBlocks());
  EXPECT_FALSE(test.page(0).writeable.Peek());
  EXPECT_EQ(first.resident_count(), 0u);
  EXPECT_EQ(first.wired_count(), 0u);
  EXPECT_EQ(second.resident_count(), 1u);
  EXPECT_TRUE(Pmap::IsMapped(test.system, test.page(1)));
}

TEST(Pmap, ReferencesAreCountedAndSeenAgain) {
  MappedObject test(1);
  Pmap& first = test.NewPmap();
  Pmap& second = test.NewPmap();
  test.Enter(first, kVa, 0);
  test.Enter(second, kVa, 0);
  EXPECT_EQ(Pmap::TestAndClearReferenced(test.system, test.page(0)), 0u);
  test.Load(first, kVa);
  test.Load(second, kVa);
  EXPECT_EQ(Pmap::TestAndClearReferenced(test.system, test.page(0)), 2u);
  EXPECT_EQ(Pmap::TestAndClearReferenced(test.system, test.page(0)), 0u);
  test.Load(second, kVa);  // although it was in the translation cache
  EXPECT_EQ(Pmap::TestAndClearReferenced(test.system, test.page(0)), 1u);
}

TEST(Pmap, ClearedModifiedBitComesBackWithTheNextStore) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  EXPECT_FALSE(Pmap::IsModified(test.system, test.page(0)));
  EXPECT_TRUE(test.Store(pmap, kVa, 1));
  EXPECT_TRUE(Pmap::IsModified(test.system, test.page(0)));
  {
    ObjectGuard guard(test.object.lock);
    Pmap::ClearModified(test.system, test.page(0));
  }
  EXPECT_FALSE(Pmap::IsModified(test.system, test.page(0)));
  EXPECT_TRUE(test.Store(pmap, kVa, 2));
  EXPECT_TRUE(Pmap::IsModified(test.system, test.page(0)));
  EXPECT_EQ(test.page(0).dirty.Peek(), 0u);
}

TEST(Pmap, AnotherSpaceMayUseItAfterItWasDestroyed) {
  MappedObject test(2);
  Pmap* pmap = test.system.TakePmap();
  test.Enter(*pmap, kVa, 0);
  EXPECT_TRUE(test.Store(*pmap, kVa, 1));
  pmap->Destroy();
  EXPECT_EQ(test.Load(*pmap, kVa), ~0ull);
  test.Enter(*pmap, kVa, 1);
  EXPECT_EQ(test.Load(*pmap, kVa), 0u);
  pmap->Destroy();
  test.system.ReturnPmap(pmap);
}

TEST(PmapDeathTest, AFreePageIsNotMapped) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  Page& free_page = test.system.pages().back();
  EXPECT_DEATH((void)pmap.Enter(kVa, free_page, kRead, false), "INV-42");
}

TEST(PmapDeathTest, AMappingThatThePvListDoesNotKnowIsCaught) {
  MappedObject test(1);
  Pmap& pmap = test.NewPmap();
  test.Enter(pmap, kVa, 0);
  EXPECT_DEATH(
      {
        test.page(0).pv_first = nullptr;
        pmap.Remove(kVa, kVa + kTestPageSize);
      },
      "INV-41");
}

// CPUs store through the mappings of two spaces, take some away and enter them again when they
// fault, until they are stopped.
class Writers {
 public:
  static constexpr std::uint32_t kPages = 4;

  Writers(MappedObject& test, std::uint32_t threads) : test_(test) {
    Pmap* const pmaps[] = {&test.NewPmap(), &test.NewPmap()};
    for (std::uint32_t t = 0; t < threads; ++t)
      threads_.emplace_back("writer", [this, t, &pmap = *pmaps[t % 2]] { Run(t, pmap); });
  }
  ~Writers() {
    stop_.Store(true);
    for (locking::Thread& thread : threads_) thread.Join();
  }

 private:
  void Run(std::uint32_t t, Pmap& pmap) {
    locking::Random random(t + 1);
    for (std::uint64_t value = 1; !stop_.Load(); ++value) {
      const Pindex index = random.Below(kPages);
      const Address va = kVa + index * kTestPageSize;
      // Each its own word, so that a value says whose store was lost.
      while (!test_.Store(pmap, va + t * 8, value, t)) test_.Enter(pmap, va, index);
      if (random.Below(8) == 0) pmap.Protect(va, va + kTestPageSize, kRead);
      if (random.Below(8) == 0) pmap.Remove(va, va + kTestPageSize);
      if (random.Below(8) == 0) pmap.Protect(0, kFarVa, kRead);  // the whole table
    }
  }

  MappedObject& test_;
  locking::Atomic<bool> stop_{false};
  std::vector<locking::Thread> threads_;
};

// What pageout relies on: with write access removed the frame stands still, and what changed since
// the page was last clean is known to be dirty. The kernel reads plainly: without the shootdown
// this is a data race.
TEST(PmapConcurrency, WithoutWriteAccessAFrameStandsStillAndItsChangesAreKnown) {
  MappedObject test(Writers::kPages);
  constexpr std::uint32_t kThreads = 4;
  std::uint64_t last[Writers::kPages][kThreads] = {};
  Writers writers(test, kThreads);
  locking::Random random(99);
  for (int round = 0; round < 2000; ++round) {
    const Pindex index = random.Below(Writers::kPages);
    Page& page = test.page(index);
    ObjectGuard guard(test.object.lock);
    if (random.Below(2) == 0)
      Pmap::RemoveWrite(test.system, page);
    else
      Pmap::RemoveAll(test.system, page);
    ASSERT_FALSE(Pmap::IsModified(test.system, page));
    const bool dirty = page.dirty.Exchange(0) != 0;
    for (std::uint32_t t = 0; t < kThreads; ++t) {
      const std::uint64_t value = test.Words(index)[t];
      if (!dirty) {
        ASSERT_EQ(value, last[index][t]) << "a modified bit was lost";
      }
      ASSERT_GE(value, last[index][t]) << "a store was lost";
      last[index][t] = value;
    }
  }
}

// The kernel takes a frame from the CPUs and uses it for something else.
TEST(PmapConcurrency, WithoutMappingsAFrameIsTheKernels) {
  MappedObject test(Writers::kPages);
  Writers writers(test, 4);
  locking::Random random(7);
  for (int round = 0; round < 2000; ++round) {
    const Pindex index = random.Below(Writers::kPages);
    ObjectGuard guard(test.object.lock);
    Pmap::RemoveAll(test.system, test.page(index));
    ZeroPage(test.system, test.page(index));
    for (std::uint32_t word = 0; word < kTestPageSize / 8; ++word)
      ASSERT_EQ(test.Words(index)[word], 0u);
  }
}

// Several threads enter the first mappings of a pmap: one installs each table, the others use it.
TEST(PmapConcurrency, TablesAreMadeOnce) {
  MappedObject test(1);
  for (int round = 0; round < 200; ++round) {
    Pmap* pmap = test.system.TakePmap();
    std::vector<locking::Thread> threads;
    for (std::uint32_t t = 0; t < 3; ++t) {
      threads.emplace_back("enterer", [&, t] {
        locking::SharedGuard guard(test.object.lock);
        EXPECT_EQ(pmap->Enter(kVa + t * kTestPageSize, test.page(0), kRead, false), Result::kOk);
      });
    }
    for (locking::Thread& thread : threads) thread.Join();
    EXPECT_EQ(pmap->resident_count(), 3u);
    EXPECT_EQ(test.system.queues().wired_count(), 2u);
    pmap->Destroy();
    test.system.ReturnPmap(pmap);
  }
}

// Ends of address spaces and removals by page meet on the same mappings.
TEST(PmapConcurrency, APmapIsDestroyedWhileItsMappingsAreRemoved) {
  MappedObject test(Writers::kPages);
  locking::Atomic<bool> stop{false};
  locking::Thread remover("remover", [&] {
    for (Pindex i = 0; !stop.Load(); i = (i + 1) % Writers::kPages) {
      Pmap::TestAndClearReferenced(test.system, test.page(i));
      test.RemoveAll(i);
    }
  });
  for (int round = 0; round < 500; ++round) {
    Pmap* pmap = test.system.TakePmap();
    for (Pindex i = 0; i < Writers::kPages; ++i) {
      test.Enter(*pmap, kVa + i * kTestPageSize, i);
      test.Store(*pmap, kVa + i * kTestPageSize, 1);
    }
    pmap->Destroy();
    test.system.ReturnPmap(pmap);
  }
  stop.Store(true);
  remover.Join();
}

}  // namespace
}  // namespace vm
