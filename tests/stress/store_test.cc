// Stores that fail, and what the harness makes of it.
#include "stress/run/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "stress/config/error.h"
#include "stress/run/findings.h"
#include "stress/world/faulty_store.h"
#include "stress/world/operations.h"

namespace stress {
namespace {

constexpr std::uint32_t kPageSize = 512;
constexpr std::uint32_t kSlots = 256;
constexpr std::uint32_t kAlways = 1'000'000;

using Frame = std::array<std::byte, kPageSize>;

FaultyStore Faulty(const StoreFaults& faults, std::uint64_t seed = 1) {
  return FaultyStore(vm::MakeMemoryStore(kSlots, kPageSize), faults, seed);
}

vm::Result WriteTwo(vm::Store& store, const Frame& frame) {
  const std::array<std::span<const std::byte>, 2> pages{frame, frame};
  return store.Write(3, pages);
}

vm::Result ReadOne(vm::Store& store, std::uint32_t slot, Frame* frame) {
  const std::span<std::byte> page(*frame);
  return store.Read(slot, {&page, 1});
}

TEST(FaultyStore, WithoutRatesItIsTheStoreBehind) {
  FaultyStore store = Faulty({});
  const Frame written{std::byte{7}};
  Frame read{};
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(WriteTwo(store, written), vm::Result::kOk);
  EXPECT_EQ(ReadOne(store, 4, &read), vm::Result::kOk);
  EXPECT_EQ(read, written);
}

TEST(FaultyStore, AFailedWriteHasWrittenAPart) {
  for (const auto& [faults, expected] :
       {std::pair{StoreFaults{.write_error = kAlways}, vm::Result::kIoError},
        std::pair{StoreFaults{.full = kAlways}, vm::Result::kNoSpace}}) {
    FaultyStore store = Faulty(faults);
    const Frame written{std::byte{7}};
    EXPECT_EQ(WriteTwo(store, written), expected);
    Frame read{};
    EXPECT_EQ(ReadOne(store, 3, &read), vm::Result::kOk);
    EXPECT_EQ(read, written);
    EXPECT_EQ(ReadOne(store, 4, &read), vm::Result::kIoError) << "was written too";
  }
}

TEST(FaultyStore, AFailedReadLeavesGarbage) {
  FaultyStore store = Faulty({.read_error = kAlways});
  const Frame written{std::byte{7}};
  ASSERT_EQ(WriteTwo(store, written), vm::Result::kOk);
  Frame read = written;
  EXPECT_EQ(ReadOne(store, 3, &read), vm::Result::kIoError);
  EXPECT_NE(read, written);
}

std::vector<vm::Result> Outcomes(std::uint64_t seed) {
  FaultyStore store = Faulty({.write_error = kAlways / 4}, seed);
  std::vector<vm::Result> outcomes;
  for (int i = 0; i < 400; ++i) outcomes.push_back(WriteTwo(store, {}));
  return outcomes;
}

TEST(FaultyStore, FailsByItsRateAndBySeed) {
  const std::vector<vm::Result> outcomes = Outcomes(1);
  const auto failures = std::count(outcomes.begin(), outcomes.end(), vm::Result::kIoError);
  EXPECT_GT(failures, 60);
  EXPECT_LT(failures, 140);
  EXPECT_EQ(Outcomes(1), outcomes);
  EXPECT_NE(Outcomes(2), outcomes);
}

// ---- The oracle ----

class FailingWorld : public testing::Test {
 protected:
  // Stores to more pages than there are, and loads them back from a store that cannot be read.
  void Run(bool store_may_fail) {
    locking::RunContext run = locking::Self().run;
    run.sink = &findings;
    const locking::RunContext former = locking::SetRunContext(run);
    {
      vm::System system(
          {.pages = 64, .page_size = kPageSize, .cpus = 1, .swap_slots = kSlots},
          std::make_unique<FaultyStore>(vm::MakeMemoryStore(kSlots, kPageSize),
                                        StoreFaults{.read_error = kAlways}, std::uint64_t{1}));
      system.Start();
      World world(
          system,
          {.salt = 1, .min_spaces = 1, .commit_limit = 200, .store_may_fail = store_may_fail});
      WorkerContext context(world, 0, system.cpu(0), locking::Random(1));
      {
        SpaceUse space = PickSpace(context);
        const auto mapping =
            MapNew(context, *space, 120, vm::Protection::kReadWrite, vm::Inheritance::kCopy);
        for (const Access access : {Access::kStore, Access::kLoad})
          for (std::uint32_t page = 0; page < 120; ++page)
            Touch(context, *space, *mapping, page, access);
        refused = context.counters.refused.Get();
      }
      world.ExitAll();
      system.Stop();
    }
    locking::SetRunContext(former);
  }

  RunFindings findings{WitnessMode::kOn, {}};
  std::uint64_t refused = 0;
};

TEST_F(FailingWorld, AnErrorOfAStoreThatMayFailIsARefusal) {
  Run(true);
  EXPECT_GT(refused, 20u);
  EXPECT_TRUE(findings.All().empty());
}

TEST_F(FailingWorld, AnErrorOfAnyOtherStoreIsAFailure) {
  Run(false);
  EXPECT_EQ(refused, 0u);
  ASSERT_FALSE(findings.All().empty());
  EXPECT_EQ(findings.All()[0].finding.id, "ORACLE-ACCESS");
}

}  // namespace
}  // namespace stress
