// A strict run of a command whose order book approves nothing.
#include <nlohmann/json.hpp>

#include "tests/stress/command.h"

namespace stress {
namespace {

using nlohmann::json;
using Strict = CommandTest;

TEST_F(Strict, AnOrderThatIsNotInTheBookFails) {
  const Outcome outcome =
      Run({"run", "--witness=strict", "--operations=100", "--seed=1", "--json=r.json"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.out;
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["verdict"], "failed");
  bool found = false;
  for (const json& failure : result["failures"]) {
    EXPECT_EQ(failure["id"], "LK12");
    if (failure["signature"] != "LK12: map -> object") continue;
    found = true;
    const std::string title = failure["title"];
    EXPECT_NE(title.find("[\"map\", \"object\"],  # vm/"), std::string::npos) << title;
    ASSERT_GE(failure["threads"].size(), 2u);
    EXPECT_FALSE(failure["threads"][0]["stack"].empty());
    EXPECT_FALSE(failure["threads"][1]["stack"].empty());
  }
  EXPECT_TRUE(found) << result["failures"].dump(1);
}

TEST_F(Strict, OnlyAStrictRunAsksTheBook) {
  EXPECT_EQ(Run({"run", "--operations=100", "--seed=1"}).exit_code, 0);
}

}  // namespace
}  // namespace stress
