// The command, built from a VM with a defect, finds it and says so: command_test ID[,ID...] COMMAND
// FLAG... The exit code must be 1 and the JSON must hold a failure with one of the ids, which its
// replay shows again. A possible deadlock must have been confirmed.
#include "tests/stress/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace stress {
namespace {

std::string g_expected;  // between commas
std::vector<std::string> g_command;

class Defect : public CommandTest {
 protected:
  // Whatever is broken in it, it is shown.
  void ExpectMachineOf(const std::string& file) {
    const Outcome inspected = Run({"inspect", file, "--show=queues,objects,spaces,pages,check"});
    // The last is ThreadSanitizer's, where a race was planted.
    EXPECT_THAT(inspected.exit_code, testing::AnyOf(0, 1, 66))
        << inspected.exit_code << ": " << inspected.err;
    EXPECT_THAT(inspected.out, testing::ContainsRegex("\npages +[0-9]+ of 512 bytes: "));
  }
};

TEST_F(Defect, IsInTheJsonAndReplays) {
  std::vector<std::string> command = g_command;
  command.insert(command.end(), {"--json=result.json", "--save=failures"});
  const Outcome outcome = Run(command);
  ASSERT_EQ(outcome.exit_code, 1) << outcome.out << outcome.err;
  const nlohmann::json result = nlohmann::json::parse(Read("result.json"));
  EXPECT_EQ(result["verdict"], "failed");
  std::set<std::string> ids;
  for (const nlohmann::json& failure : result["failures"]) {
    const std::string id = failure["id"];
    ids.insert(id);
    if (g_expected.find("," + id + ",") == std::string::npos) continue;
    if (failure["tier"] == "provable") continue;
    std::printf("found: %s in execution %s\n", id.c_str(), failure["execution"].dump().c_str());
    const std::string replay = failure["replay"];
    const Outcome again = Run({"replay", replay.substr(replay.rfind(' ') + 1)});
    EXPECT_EQ(again.exit_code, 1) << again.err;
    EXPECT_NE(again.out.find("failed: " + id), std::string::npos) << again.out;
    ExpectMachineOf(replay.substr(replay.rfind(' ') + 1));
    return;
  }
  FAIL() << "found by other ids: " << nlohmann::json(ids).dump();
}

}  // namespace
}  // namespace stress

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 3) {
    std::fprintf(stderr, "usage: command_test ID[,ID...] COMMAND FLAG...\n");
    return 2;
  }
  stress::g_expected = "," + std::string(argv[1]) + ",";
  stress::g_command.assign(argv + 2, argv + argc);
  return RUN_ALL_TESTS();
}
