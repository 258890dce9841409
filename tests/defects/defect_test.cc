// Explores one load and looks at the first execution that fails.
//   --workload=NAME --executions=N --expect=ID[,ID...]
// With --expect it must report one of these ids; without it none may.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "locking/explore/check.h"
#include "locking/witness/scoped_witness.h"
#include "tests/vm/workload.h"

namespace vm {
namespace {

const Workload* g_workload = nullptr;
std::uint64_t g_executions = 0;
std::vector<std::string> g_expected;

locking::explore::Result Explore() {
  return locking::explore::Check(
      [] {
        locking::ScopedWitness witnessed;
        RunWorkload(*g_workload, locking::explore::Seed());
      },
      {.test = g_workload->name, .executions = g_executions});
}

void ExpectFound(const locking::explore::Result& result) {
  ASSERT_FALSE(result.failures.empty())
      << "nothing found in " << result.executions << " executions";
  std::set<std::string> ids;
  for (const locking::explore::Failure& failure : result.failures) {
    std::printf("found: %s in execution %llu\n%s\n", failure.finding.id.c_str(),
                static_cast<unsigned long long>(failure.execution),
                locking::FormatFinding(failure.finding).c_str());
    ids.insert(failure.finding.id);
  }
  testing::Test::RecordProperty("execution", std::to_string(*result.first_failure_execution));
  const bool as_expected = std::any_of(g_expected.begin(), g_expected.end(),
                                       [&](const std::string& id) { return ids.contains(id); });
  EXPECT_TRUE(as_expected) << "found by other ids than expected";
}

void ExpectSilence(const locking::explore::Result& result) {
  EXPECT_EQ(result.executions, g_executions);
  for (const locking::explore::Failure& failure : result.failures)
    ADD_FAILURE() << "execution " << failure.execution << "\n"
                  << locking::FormatFinding(failure.finding);
}

TEST(Exploration, EndsAsExpected) {
  const locking::explore::Result result = Explore();
  ASSERT_EQ(result.error, "");
  if (g_expected.empty())
    ExpectSilence(result);
  else
    ExpectFound(result);
}

bool TakeFlag(std::string_view argument, std::string_view name, std::string* value) {
  if (!argument.starts_with(name)) return false;
  *value = argument.substr(name.size());
  return true;
}

bool ParseFlags(int argc, char** argv) {
  std::string value;
  for (int i = 1; i < argc; ++i) {
    if (TakeFlag(argv[i], "--workload=", &value)) {
      g_workload = FindWorkload(value);
    } else if (TakeFlag(argv[i], "--executions=", &value)) {
      g_executions = std::strtoull(value.c_str(), nullptr, 10);
    } else if (TakeFlag(argv[i], "--expect=", &value)) {
      for (std::size_t from = 0; from < value.size();) {
        const std::size_t comma = std::min(value.find(',', from), value.size());
        g_expected.push_back(value.substr(from, comma - from));
        from = comma + 1;
      }
    } else {
      return false;
    }
  }
  return g_workload != nullptr && g_executions > 0;
}

}  // namespace
}  // namespace vm

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!vm::ParseFlags(argc, argv)) {
    std::fprintf(stderr, "usage: --workload=NAME --executions=N [--expect=ID,...]\n");
    return 2;
  }
  const int status = RUN_ALL_TESTS();
  // A race that was looked for and found is no reason to fail the process, but ThreadSanitizer
  // would in every exit that it knows.
  std::fflush(nullptr);
  if (!vm::g_expected.empty()) syscall(SYS_exit_group, status);
  return status;
}
