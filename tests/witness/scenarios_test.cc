// The table of scenarios, run row by row; ends with the score by family.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/witness/scenario.h"

namespace locking {
namespace {

std::vector<Scenario>& Table() {
  static std::vector<Scenario>* table = [] {
    auto* rows = new std::vector<Scenario>;
    AddLinuxScenarios(rows);
    AddReadWriteScenarios(rows);
    AddOtherValidatorScenarios(rows);
    AddTierScenarios(rows);
    AddResourceScenarios(rows);
    AddSearchScenarios(rows);
    AddInterruptScenarios(rows);
    AddBookScenarios(rows);
    AddLimitScenarios(rows);
    return rows;
  }();
  return *table;
}

struct Score {
  int right = 0;
  int all = 0;
};
std::map<std::string, Score>& Scores() {
  static auto* scores = new std::map<std::string, Score>;
  return *scores;
}

class PrintScores : public ::testing::Environment {
  void TearDown() override {
    for (const auto& [family, score] : Scores())
      std::printf("%-28s %3d of %3d\n", family.c_str(), score.right, score.all);
  }
};
const auto* const kPrintScores = ::testing::AddGlobalTestEnvironment(new PrintScores);

class ScenarioTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ScenarioTest, HasItsVerdict) {
  const Scenario& scenario = Table()[GetParam()];
  const ScenarioResult result = RunScenario(scenario);
  Score& score = Scores()[scenario.family];
  ++score.all;
  if (result.summary == scenario.expected) ++score.right;
  EXPECT_EQ(result.summary, scenario.expected)
      << scenario.family << " " << scenario.name << ": " << scenario.paths.substr(0, 200) << "\n"
      << result.text;
  EXPECT_EQ(result.observed.dropped, 0u);
  for (const Finding& finding : result.findings) {
    const bool cycle = finding.id == "LK02" || finding.id == "LK03" || finding.id == "LK07" ||
                       (finding.id == "LK06" && finding.tier != "confirmed");
    if (!cycle && finding.id != "LK08") continue;
    // The end of a thread has one side.
    ASSERT_GE(finding.threads.size(), cycle ? 4u : 3u);
    // Where releases are not nested a chain may stand that was never formed.
    if (scenario.paths.find('-') != std::string::npos || scenario.family == "Upgrades") continue;
    for (const ThreadEvidence& side : finding.threads)
      EXPECT_FALSE(side.stack.empty()) << side.what;
  }
}

std::string RowName(const ::testing::TestParamInfo<std::size_t>& info) {
  const Scenario& scenario = Table()[info.param];
  std::string name = std::to_string(info.param) + "_" + scenario.family + "_" + scenario.name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Table, ScenarioTest, ::testing::Range(std::size_t{0}, Table().size()),
                         RowName);

}  // namespace
}  // namespace locking
