// The clean machine under exploration: no schedule of any small load may fail.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "locking/explore/check.h"
#include "tests/vm/workload.h"

namespace vm {
namespace {

std::uint64_t Executions() {
  const char* text = std::getenv("EXPLORE_EXECUTIONS");
  return text == nullptr ? 150 : std::strtoull(text, nullptr, 10);
}

class ExploreVm : public testing::TestWithParam<Workload> {};

TEST_P(ExploreVm, NoScheduleFails) {
  const Workload& workload = GetParam();
  EventCounts sums{};
  const locking::explore::Result result = locking::explore::Check(
      [&] {
        const EventCounts counts = RunWorkload(workload, locking::explore::Seed());
        for (std::size_t i = 0; i < counts.size(); ++i) sums[i] += counts[i];
      },
      {.test = workload.name, .executions = Executions(), .max_steps = 1'000'000});
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.executions, Executions());
  for (const locking::explore::Failure& failure : result.failures)
    ADD_FAILURE() << "execution " << failure.execution << "\n"
                  << locking::FormatFinding(failure.finding);
  for (const Event event : workload.events)
    EXPECT_GT(sums[static_cast<std::size_t>(event)], 0u) << EventName(event);
  RecordProperty("executions", static_cast<int>(result.executions));
  std::printf("%s: %llu executions, %.0f a second, %llu points\n", workload.name,
              static_cast<unsigned long long>(result.executions), result.executions_per_second,
              static_cast<unsigned long long>(result.scheduling_points));
}

INSTANTIATE_TEST_SUITE_P(Workloads, ExploreVm, testing::ValuesIn(Workloads()),
                         [](const testing::TestParamInfo<Workload>& info) {
                           return std::string(info.param.name);
                         });

class NativeVm : public testing::TestWithParam<Workload> {};

TEST_P(NativeVm, ManyOperationsOnOsThreads) {
  Workload workload = GetParam();
  workload.operations = 400;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) RunWorkload(workload, seed);
}

INSTANTIATE_TEST_SUITE_P(Workloads, NativeVm, testing::ValuesIn(Workloads()),
                         [](const testing::TestParamInfo<Workload>& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace vm
