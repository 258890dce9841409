// A circle of waits through what is no lock is seen as a possible one, too, and what is mended
// shows none.
#include <gtest/gtest.h>

#include <string>

#include "locking/explore/check.h"
#include "locking/explore/programs.h"
#include "locking/witness/scoped_witness.h"

namespace locking::explore {
namespace {

Result Witnessed(const std::string& program, const Options& options) {
  return Check(
      [body = FindProgram(program)->body] {
        ScopedWitness witnessed;
        body();
      },
      options);
}

class EachResource : public testing::TestWithParam<const char*> {};

TEST_P(EachResource, IsSeenWheneverItHappens) {
  const Result result =
      Witnessed(GetParam(), {.executions = 200, .keep_going = true, .directed_executions = 0});
  const Failure* seen = nullptr;
  for (const Failure& failure : result.failures)
    if (failure.finding.id == "LK08") seen = &failure;
  ASSERT_NE(seen, nullptr);
  EXPECT_TRUE(FailsRun(seen->finding)) << FormatFinding(seen->finding);
  std::uint64_t deadlocks = 0;
  for (const Failure& failure : result.failures)
    if (failure.finding.id == "LK09") deadlocks += failure.count;
  EXPECT_GE(seen->count, deadlocks);
}

TEST_P(EachResource, IsNotThereWhenItIsMended) {
  const Result result = Witnessed(std::string(GetParam()) + "_mended", {.executions = 2000});
  EXPECT_TRUE(result.ok()) << FormatFinding(result.failures.at(0).finding);
  for (const Failure& failure : result.failures)
    EXPECT_NE(failure.finding.id, "LK08") << FormatFinding(failure.finding);
}

INSTANTIATE_TEST_SUITE_P(Programs, EachResource,
                         testing::Values("busy_page", "event_under_lock", "page_daemon_lock",
                                         "semaphores"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           return std::string(info.param);
                         });

}  // namespace
}  // namespace locking::explore
