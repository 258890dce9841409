// Runs of the command that limit how long locks are held and waited for.
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/stress/command.h"

namespace stress {
namespace {

using nlohmann::json;
using Limited = CommandTest;

std::vector<std::string> Mixed(const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {"run", "--operations=300", "--seed=1", "--threads=2",
                                        "--pages=256"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return arguments;
}

TEST_F(Limited, AHoldThatIsTooLongFailsTheRunWhichGoesOn) {
  const Outcome outcome = Run(Mixed({"--hold-limit=1ns", "--json=r.json"}));
  EXPECT_EQ(outcome.exit_code, 1) << outcome.out;
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["verdict"], "failed");
  EXPECT_EQ(result["config"]["hold_limit_ns"], 1);
  EXPECT_EQ(result["config"]["wait_limit_ns"], 0);
  std::uint64_t operations = 0;
  for (const auto& [kind, count] : result["operations"].items())
    operations += count.get<std::uint64_t>();
  EXPECT_EQ(operations, 300u) << "all of them";
  std::set<std::string> signatures;
  for (const json& failure : result["failures"]) {
    EXPECT_EQ(failure["id"], "LK13");
    EXPECT_TRUE(signatures.insert(failure["signature"]).second) << failure["signature"];
    EXPECT_EQ(failure["count"], 1);
    EXPECT_GE(failure["threads"].size(), 2u);
    EXPECT_NE(failure["replay"].get<std::string>().find("--hold-limit=1ns"), std::string::npos);
  }
  EXPECT_GT(signatures.size(), 20u);
}

TEST_F(Limited, WithinTheLimitsItIsClean) {
  const Outcome outcome = Run(Mixed({"--hold-limit=100s", "--wait-limit=100s"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

TEST_F(Limited, TheLimitsMayStandInTheFile) {
  Write("s.toml", "[run]\nhold_limit = \"1ns\"\n[[worker]]\nkind = \"fault\"\n");
  EXPECT_EQ(Run({"run", "--scenario=s.toml", "--operations=50", "--witness=off"}).exit_code, 1);
  EXPECT_EQ(
      Run({"run", "--scenario=s.toml", "--operations=50", "--hold-limit=0", "--seed=1"}).exit_code,
      0);
  EXPECT_EQ(Run({"explore", "--scenario=s.toml", "--executions=2"}).exit_code, 0)
      << "the time of an execution is its own";
}

TEST_F(Limited, WhatIsNoDurationIsRefused) {
  ExpectRefused({"run", "--hold-limit=5"}, {"--hold-limit", "a duration with its unit"});
  ExpectRefused({"run", "--wait-limit=25h"}, {"--wait-limit", "24h"});
  ExpectRefused({"explore", "--hold-limit=1s"}, {"--hold-limit"});
  Write("s.toml", "[run]\nwait_limit = 3\n[[worker]]\nkind = \"fault\"\n");
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:2", "wait_limit"});
}

}  // namespace
}  // namespace stress
