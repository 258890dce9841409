// Random operations of every kind by one thread, against a model of the whole machine.
//
// MODEL_SEEDS in the environment says how many sequences, MODEL_FIRST_SEED which is the first.
#include <gtest/gtest.h>

#include <string>

#include "tests/model/sequence.h"

namespace vm {
namespace {

constexpr std::uint32_t kLength = 600;

struct Case {
  const char* name;
  WorldOptions options;
  std::vector<Event> events;  // that it is there for: they happen in some sequence
};

class OneThread : public testing::TestWithParam<Case> {};

TEST_P(OneThread, EveryOperationDoesWhatTheModelSays) {
  const WorldOptions& options = GetParam().options;
  const std::uint64_t first = NumberFromEnvironment("MODEL_FIRST_SEED", 1);
  const std::uint64_t seeds = NumberFromEnvironment("MODEL_SEEDS", 20);
  std::array<std::uint64_t, static_cast<std::size_t>(Event::kCount)> sums{};
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const std::vector<Operation> operations =
        RandomOperations(locking::Random(seed), WholeMachine(), kLength);
    const SequenceResult result = RunSequence(operations, options);
    if (!result.failure.empty())
      FAIL() << "seed " << seed << ": " << Explain(result, operations, options);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += result.events[i];
  }
  for (const Event event : GetParam().events)
    EXPECT_GT(sums[static_cast<std::size_t>(event)], 0u) << EventName(event);
}

INSTANTIATE_TEST_SUITE_P(
    Machines, OneThread,
    testing::Values(Case{.name = "WithPlentyOfMemory",
                         .options = {.pages = 256, .swap_slots = 256},
                         .events = {Event::kCowCopy, Event::kSplit, Event::kCoalesce,
                                    Event::kCollapse, Event::kBypass, Event::kLoanCopy,
                                    Event::kContiguousRun}},
                    Case{.name = "UnderMemoryPressure",
                         .options = {.pages = 48, .swap_slots = 256},
                         .events = {Event::kPageOut, Event::kPageIn, Event::kPageInError,
                                    Event::kPageOutError, Event::kReactivated, Event::kPageWait}},
                    Case{.name = "WithoutEnoughSwap",
                         .options = {.pages = 48, .swap_slots = 12},
                         .events = {Event::kSwapFull}},
                    Case{.name = "WithReservations",
                         .options = {.pages = 64, .swap_slots = 256, .reservation_pages = 4},
                         .events = {Event::kReservation, Event::kReservationFull,
                                    Event::kReservationBroken, Event::kReservationRenamed,
                                    Event::kContiguousRun, Event::kCollapse, Event::kPageOut}}),
    [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); });

// The model has to find what is wrong, and to say it in few words.
TEST(OneThreadModel, FindsWritesThatAreLostAndShrinksTheSequence) {
  const WorldOptions options = {.pages = 28, .swap_slots = 256, .lose_writes = true};
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::vector<Operation> operations =
        RandomOperations(locking::Random(seed), WholeMachine(), kLength / 3);
    const SequenceResult result = RunSequence(operations, options);
    if (result.id != "MODEL") continue;
    const std::vector<Operation> shortest =
        Shrink(operations, [&](const std::vector<Operation>& part) {
          return RunSequence(part, options).id == "MODEL";
        });
    EXPECT_LT(shortest.size(), kLength / 10) << Format(shortest);
    return;
  }
  FAIL() << "lost writes were not found";
}

}  // namespace
}  // namespace vm
