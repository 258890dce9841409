// `vmstress compare`, on results that the programs wrote (tests/stress/results).
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/stress/command.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

class Compare : public CommandTest {
 protected:
  static Json Kept(const std::string& name) {
    return Json::parse(std::ifstream("tests/stress/results/" + name));
  }
  // The table of the two, which there must be.
  std::string Table(const Json& a, const Json& b) {
    Write("a.json", a.dump());
    Write("b.json", b.dump());
    const Outcome outcome = Run({"compare", "a.json", "b.json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  }
  // The last word of the row whose name is `name`.
  static std::string ChangeOf(const std::string& table, const std::string& name) {
    const std::size_t row = ("\n" + table).find("\n" + name + " ");
    if (row == std::string::npos) return "no such row in\n" + table;
    const std::string line = table.substr(row, table.find('\n', row) - row);
    return line.substr(line.rfind("  ") + 2);
  }
  static Json Scaled(Json benchmarks, double factor) {
    for (Json& run : benchmarks["benchmarks"])
      run["real_time"] = run["real_time"].get<double>() * factor;
    return benchmarks;
  }
};

TEST_F(Compare, AResultDoesNotDifferFromItself) {
  for (const char* kind : {"benchmark", "run", "explore", "scale", "lockorder", "ratios"}) {
    const Json json = Kept(std::string(kind) + ".json");
    const std::string table = Table(json, json);
    EXPECT_GT(std::count(table.begin(), table.end(), '\n'), 3) << table;
    for (const char* change : {"~", "%\n", "changed", "new", "gone"})
      EXPECT_EQ(table.find(change), std::string::npos) << change << " in\n" << table;
  }
}

TEST_F(Compare, AChangeBeyondTheSpreadIsShown) {
  const Json json = Kept("benchmark.json");
  const std::string table = Table(json, Scaled(json, 2));
  EXPECT_EQ(ChangeOf(table, "Page/alloc_free/threads:1"), "+100.0%") << table;
  EXPECT_NE(table.find("ns ± "), std::string::npos) << table;
}

TEST_F(Compare, AChangeWithinTheSpreadIsATilde) {
  const Json json = Kept("benchmark.json");
  const std::string table = Table(json, Scaled(json, 1.0001));
  EXPECT_EQ(ChangeOf(table, "Page/alloc_free/threads:1"), "~") << table;
}

TEST_F(Compare, RowsThatOnlyOneHasAreNamed) {
  const Json json = Kept("lockorder.json");
  Json fewer = json;
  const std::string edge = fewer["edges"][0]["from"].get<std::string>() + " -> " +
                           fewer["edges"][0]["to"].get<std::string>();
  fewer["edges"].erase(0);
  EXPECT_EQ(ChangeOf(Table(json, fewer), edge), "gone");
  EXPECT_EQ(ChangeOf(Table(fewer, json), edge), "new");
}

TEST_F(Compare, AnotherVerdictIsAChange) {
  const Json json = Kept("run.json");
  Json failed = json;
  failed["verdict"] = "failed";
  EXPECT_EQ(ChangeOf(Table(json, failed), "verdict"), "changed");
}

TEST_F(Compare, EachNumberOfThreadsIsComparedByItsRounds) {
  const Json json = Kept("scale.json");
  Json faster = json;
  for (Json& rate : faster["points"][1]["rounds"]) rate = 2 * rate.get<double>();
  const std::string table = Table(json, faster);
  EXPECT_EQ(ChangeOf(table, "1 thread"), "=") << table;
  EXPECT_EQ(ChangeOf(table, "2 threads"), "+100.0%") << table;
  for (const char* cell : {" 131020/s ± 0% ", " 262041/s ± 0% "})
    EXPECT_NE(table.find(cell), std::string::npos) << table;

  Json within = json;
  for (Json& rate : within["points"][1]["rounds"]) rate = 1.0001 * rate.get<double>();
  EXPECT_EQ(ChangeOf(Table(json, within), "2 threads"), "~");
}

TEST_F(Compare, AScaleOfOtherThreadsOrAnotherScenarioSaysSo) {
  const Json json = Kept("scale.json");
  Json other = json;
  other["config"]["scenario"] = "faults";
  other["points"].erase(1);
  const std::string table = Table(json, other);
  EXPECT_EQ(ChangeOf(table, "scenario"), "changed") << table;
  EXPECT_EQ(ChangeOf(table, "2 threads"), "gone") << table;
  EXPECT_EQ(ChangeOf(table, "1 thread"), "=") << table;
}

TEST_F(Compare, AScaleWithoutItsRoundsIsNoWholeResult) {
  Json json = Kept("scale.json");
  json["points"][0].erase("rounds");
  Write("a.json", json.dump());
  ExpectRefused({"compare", "a.json", "a.json"}, {"a.json", "no whole result", "vmstress.scale/1"});
}

}  // namespace
}  // namespace stress
