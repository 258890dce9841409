// Clusters in a pager map that is too small for all of them, under exploration: places are never
// given twice, and whoever waits for room is woken in every schedule.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "locking/explore/check.h"
#include "locking/thread.h"
#include "locking/witness/scoped_witness.h"
#include "tests/vm/machine.h"
#include "vm/check.h"
#include "vm/counters.h"
#include "vm/page_alloc.h"
#include "vm/pager/pager_map.h"

namespace vm {
namespace {

namespace explore = locking::explore;

// Of each thread; no two fit together, save the small ones.
constexpr std::uint32_t kClusters[] = {16, 9, 5, 5};

// Stores do this to what they are given.
void Transfer(const PagerWindow& window, std::byte mark) {
  for (const std::span<std::byte> bytes : window.bytes()) std::ranges::fill(bytes, mark);
  locking::Yield();
  for (const std::span<std::byte> bytes : window.bytes())
    explore::Expect(bytes.front() == mark && bytes.back() == mark, "no two reach one frame");
}

std::uint64_t TransferTogether() {
  locking::ScopedWitness witnessed;
  Machine machine;
  System& system = machine.system;
  std::vector<std::vector<Page*>> pages;
  for (const std::uint32_t count : kClusters) {
    pages.emplace_back();
    for (std::uint32_t i = 0; i < count; ++i)
      pages.back().push_back(AllocateUnownedPage(system, {}));
  }
  std::vector<locking::Thread> threads;
  for (std::size_t thread = 0; thread < pages.size(); ++thread)
    threads.emplace_back("transfer", [&, thread] {
      for (std::uint32_t round = 0; round < 2; ++round) {
        const PagerWindow window(system.pager_map(), pages[thread], MapIn::kWait);
        Transfer(window, static_cast<std::byte>(thread + 1));
      }
    });
  for (locking::Thread& thread : threads) thread.Join();
  for (const std::vector<Page*>& cluster : pages)
    for (Page* page : cluster) FreeUnownedPage(system, *page);
  explore::Expect(CheckSystem(system).empty(), "nothing is left in the map");
  return system.counters().Get(Event::kPagerMapWait);
}

TEST(PagerMapExplored, WhoeverWaitsForRoomIsWoken) {
  std::uint64_t waits = 0;
  const explore::Result result =
      explore::Check([&] { waits += TransferTogether(); }, {.executions = 1'000});
  for (const explore::Failure& failure : result.failures)
    ADD_FAILURE() << locking::FormatFinding(failure.finding);
  EXPECT_GT(waits, 0u);
}

}  // namespace
}  // namespace vm
