// Rosters: what each worker picks, what is used, and what may go.
#include "stress/world/roster.h"

#include <gtest/gtest.h>

#include <set>

#include "locking/atomic.h"
#include "locking/statistics.h"
#include "locking/thread.h"

namespace stress {
namespace {

const locking::LockClass kWholeList("test whole list", locking::LockKind::kMutex);
const locking::LockClass kOwnLists("test own lists", locking::LockKind::kMutex);

struct Item {
  explicit Item(int n) : number(n) {}
  const int number;
  locking::Atomic<bool> taken{false};
};

class RosterTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kWorkers = 3;

  void Add(int number) { roster_.Add(MakeShared<Item>(number)); }
  // What the worker is given in many picks.
  std::set<int> Picked(std::uint32_t worker) {
    std::set<int> numbers;
    for (int i = 0; i < 100; ++i)
      if (const Use<Item> use = roster_.Pick(worker, random_)) numbers.insert(use->number);
    return numbers;
  }
  Use<Item> PickNumber(std::uint32_t worker, int number) {
    for (;;)
      if (Use<Item> use = roster_.Pick(worker, random_); use->number == number) return use;
  }

  locking::Random random_{1};
  Roster<Item> roster_{{kWholeList, kOwnLists, kWorkers}};
};

using Numbers = std::set<int>;

TEST_F(RosterTest, EachWorkerPicksAllThatIsThere) {
  EXPECT_EQ(roster_.Pick(0, random_), nullptr);
  Add(1);
  Add(2);
  EXPECT_EQ(Picked(0), (Numbers{1, 2}));
  const Use<Item> third = roster_.AddUsed(1, MakeShared<Item>(3));
  EXPECT_EQ(third->number, 3);
  EXPECT_EQ(roster_.size(), 3u);
  // Those that are behind, and more workers than it was told of.
  for (std::uint32_t worker = 0; worker < 3 * kWorkers; ++worker)
    EXPECT_EQ(Picked(worker), (Numbers{1, 2, 3})) << worker;
}

TEST_F(RosterTest, WhatIsRemovedIsPickedByNobodyAndStaysWithWhoUsesIt) {
  for (int number = 1; number <= 3; ++number) Add(number);
  for (std::uint32_t worker = 1; worker < kWorkers; ++worker) Picked(worker);
  const Use<Item> use = PickNumber(1, 2);
  roster_.Remove(*use);
  roster_.Remove(*use);
  for (std::uint32_t worker = 0; worker < kWorkers; ++worker)
    EXPECT_EQ(Picked(worker), (Numbers{1, 3})) << worker;
  EXPECT_EQ(roster_.size(), 2u);
  EXPECT_EQ(use->number, 2);
  EXPECT_TRUE(use.item().unique()) << "nobody else holds it any more";
}

TEST_F(RosterTest, WhatAWorkerUsesIsNotTaken) {
  Add(1);
  Add(2);
  for (std::uint32_t worker = 0; worker < kWorkers; ++worker) {
    SCOPED_TRACE(worker);
    Use<Item> one = PickNumber(worker, 1);
    const Use<Item> two = PickNumber(kWorkers - 1, 2);
    EXPECT_EQ(roster_.TakeUnused(0, random_), nullptr);
    for (std::uint32_t other = 0; other < kWorkers; ++other)
      EXPECT_EQ(Picked(other), (Numbers{1, 2})) << "after a try, of " << other;
  }
  const Use<Item> two = PickNumber(1, 2);
  const Shared<Item> taken = roster_.TakeUnused(0, random_);
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->number, 1);
  EXPECT_EQ(Picked(0), Numbers{2});
}

TEST_F(RosterTest, AsManyAsAreToBeKeptAreKept) {
  for (int number = 1; number <= 3; ++number) Add(number);
  EXPECT_NE(roster_.TakeUnused(2, random_), nullptr);
  EXPECT_EQ(roster_.TakeUnused(2, random_), nullptr);
  EXPECT_EQ(roster_.size(), 2u);
}

TEST_F(RosterTest, APickTakesNoLockThatIsNotTheWorkersOwn) {
  for (int number = 1; number <= 3; ++number) Add(number);
  Picked(0);
  locking::RunContext run = locking::Self().run;
  run.statistics = true;
  const locking::RunContext former = locking::SetRunContext(run);
  locking::ResetStatistics();
  Picked(0);
  const std::vector<locking::LockStatistics> locks = locking::CollectStatistics();
  locking::SetRunContext(former);
  ASSERT_EQ(locks.size(), 1u);
  EXPECT_EQ(locks[0].name, "test own lists");
  EXPECT_EQ(locks[0].acquisitions, 100u);
}

TEST_F(RosterTest, NothingIsUsedOnceItIsTaken) {
  constexpr int kItems = 6;
  constexpr int kRounds = 2000;
  for (int number = 0; number < kItems; ++number) Add(number);
  locking::Atomic<bool> used_when_taken{false};
  locking::Atomic<int> taken_in_all{0};
  std::vector<locking::Thread> workers;
  for (std::uint32_t worker = 0; worker < kWorkers; ++worker)
    workers.emplace_back("worker", [&, worker] {
      locking::Random random(worker);
      for (int i = 0; i < kRounds; ++i) {
        const Use<Item> use = roster_.Pick(worker, random);
        if (use && use->taken.Load()) used_when_taken.Store(true);
        if (random.Percent(90)) continue;
        const Shared<Item> taken = roster_.TakeUnused(2, random);
        if (taken == nullptr) continue;
        taken->taken.Store(true);
        taken_in_all.FetchAdd(1);
        const Use<Item> added = roster_.AddUsed(worker, MakeShared<Item>(taken->number));
        if (added->taken.Load()) used_when_taken.Store(true);
      }
    });
  for (locking::Thread& worker : workers) worker.Join();
  EXPECT_FALSE(used_when_taken.Load());
  EXPECT_GT(taken_in_all.Load(), 0);
  EXPECT_EQ(roster_.size(), static_cast<std::uint32_t>(kItems));
}

}  // namespace
}  // namespace stress
