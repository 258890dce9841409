// `merge`: what one run does not show, several show together.
#include <nlohmann/json.hpp>
#include <set>

#include "tests/stress/command.h"

namespace stress {
namespace {

using nlohmann::json;

json Lock(const std::string& site) {
  return {{"instance", 1}, {"mode", "exclusive"}, {"site", site}, {"stack", json::array({"F()"})}};
}

json Edge(const std::string& from, const std::string& to, int count = 1) {
  const json sample = {{"run", ""},
                       {"thread", "worker 1"},
                       {"held", Lock(from + ".cc:1")},
                       {"taken", Lock(to + ".cc:2")}};
  const json modes = json::array({"exclusive", "exclusive"});
  return {{"from", from},
          {"to", to},
          {"count", count},
          {"modes", json::array({modes})},
          {"samples", json::array({sample})}};
}

json Finding(const std::string& tier, const std::vector<std::string>& classes) {
  return {{"id", "LK02"},
          {"tier", tier},
          {"title", "lock order reversal"},
          {"classes", classes},
          {"threads", json::array()},
          {"log_tail", json::array()},
          {"replay", ""},
          {"signature", "LK02"},
          {"count", 1}};
}

json Document(const std::vector<json>& edges) {
  return {{"schema", "vmstress.lockorder/1"},
          {"edges", edges},
          {"dropped", 0},
          {"dropped_classes", json::array()},
          {"failures", json::array()},
          {"listed", json::array()}};
}

class Merge : public CommandTest {
 protected:
  // The document that the command writes; its exit code must be `exit_code`.
  json Merged(const std::vector<std::string>& files, int exit_code,
              const std::string& book = "order = []\n") {
    std::vector<std::string> arguments = {"merge", "--book=" + Write("book.toml", book)};
    arguments.insert(arguments.end(), files.begin(), files.end());
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  }
};

TEST_F(Merge, FindsACycleThatTakesTwoRuns) {
  const char* book = "order = [[\"a\", \"b\"], [\"b\", \"c\"]]\n";
  Write("1.json", Document({Edge("a", "b"), Edge("b", "c")}).dump());
  Write("2.json", Document({Edge("c", "a")}).dump());
  Write("3.json", Document({Edge("b", "c")}).dump());
  EXPECT_EQ(Merged({"1.json"}, 0, book)["cycles"].size(), 0u);
  EXPECT_EQ(Merged({"2.json"}, 1)["cycles"].size(), 0u);
  EXPECT_EQ(Merged({"2.json", "3.json"}, 1)["cycles"].size(), 0u);
  const json merged = Merged({"1.json", "2.json"}, 1);
  ASSERT_EQ(merged["cycles"].size(), 1u);
  EXPECT_EQ(merged["cycles"][0]["classes"], json::array({"a", "b", "c"}));
  EXPECT_EQ(merged["cycles"][0]["tier"], "class-only");
  EXPECT_EQ(merged["verdict"], "failed");
}

TEST_F(Merge, UnitesCoverageAndAddsCounts) {
  const char* book = "order = [[\"a\", \"b\"], [\"b\", \"c\"], [\"c\", \"d\"]]\n";
  json second = Document({Edge("a", "b", 7), Edge("b", "c")});
  second["dropped"] = 3;
  second["dropped_classes"] = json::array({{{"class", "c"}, {"acquisitions", 3}}});
  Write("1.json", Document({Edge("a", "b", 5)}).dump());
  Write("2.json", second.dump());
  const json merged = Merged({"1.json", "2.json"}, 0, book);
  EXPECT_EQ(merged["edges"][0]["count"], 12);
  EXPECT_EQ(merged["unexercised"], json::array({{{"from", "c"}, {"to", "d"}}}));
  EXPECT_EQ(merged["dropped"], 3);
  EXPECT_EQ(merged["dropped_classes"], second["dropped_classes"]);
}

TEST_F(Merge, ThreadsOfTwoRunsAreTwo) {
  Write("1.json", Document({Edge("a", "b")}).dump());
  Write("2.json", Document({Edge("a", "b")}).dump());
  const char* book = "order = [[\"a\", \"b\"]]\n";
  Write("both.json", Merged({"1.json", "2.json"}, 0, book).dump());
  const json merged = Merged({"both.json"}, 0, book);
  const json& samples = merged["edges"][0]["samples"];
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0]["run"], "both.json: 1.json");
  EXPECT_EQ(samples[1]["run"], "both.json: 2.json");
  EXPECT_EQ(samples[1]["held"]["stack"][0], "F()");
}

TEST_F(Merge, KeepsEachCallSite) {
  std::vector<std::string> files;
  for (int i = 0; i < 20; ++i) {
    json edge = Edge("a", "b");
    edge["samples"][0]["taken"]["site"] = "b.cc:" + std::to_string(i);
    files.push_back(Write(std::to_string(i) + ".json", Document({edge}).dump()));
    files.push_back(Write(std::to_string(i) + "again.json", Document({edge}).dump()));
  }
  const json merged = Merged(files, 0, "order = [[\"a\", \"b\"]]\n");
  std::set<std::string> sites;
  for (const json& sample : merged["edges"][0]["samples"]) sites.insert(sample["taken"]["site"]);
  EXPECT_EQ(sites.size(), 20u);
  EXPECT_LT(merged["edges"][0]["samples"].size(), 40u);
}

TEST_F(Merge, AFindingOfARunFailsTheWholeAndGivesItsTier) {
  json first = Document({Edge("a", "b"), Edge("b", "a")});
  json second = first;
  first["listed"] = json::array({Finding("gated", {"b", "a"})});
  second["listed"] = json::array({Finding("gated", {"b", "a"})});
  Write("1.json", first.dump());
  Write("2.json", second.dump());
  const char* book =
      "order = [[\"a\", \"b\"]]\n[[exception]]\nfrom = \"b\"\nto = \"a\"\nsite = \"a.cc\"\n"
      "reason = \"r\"\nexpires = 2999-01-01\n";
  const json gated = Merged({"1.json", "2.json"}, 0, book);
  EXPECT_EQ(gated["listed"].size(), 1u);
  EXPECT_EQ(gated["listed"][0]["count"], 2);
  EXPECT_EQ(gated["cycles"][0]["tier"], "gated");
  second["failures"] = json::array({Finding("provable", {"b", "a"})});
  Write("2.json", second.dump());
  const json failed = Merged({"1.json", "2.json"}, 1, book);
  EXPECT_EQ(failed["failures"].size(), 1u);
  EXPECT_EQ(failed["cycles"][0]["tier"], "provable");
  EXPECT_EQ(failed["cycles"][0]["approved"], true);
}

TEST_F(Merge, ReadsWhatLockorderWrites) {
  Write("book.toml", "order = [[\"object\", \"map\"]]\n");
  ASSERT_EQ(Run({"lockorder", "--book=book.toml", "--format=json", "--out=1.json"}).exit_code, 1);
  const json once = json::parse(Read("1.json"));
  const Outcome outcome =
      Run({"merge", "1.json", "--book=book.toml", "--format=json", "--out=2.json"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  const json twice = json::parse(Read("2.json"));
  ASSERT_EQ(once["edges"].size(), twice["edges"].size());
  for (std::size_t i = 0; i < once["edges"].size(); ++i) {
    json a = once["edges"][i], b = twice["edges"][i];
    for (json& sample : a["samples"]) sample["run"] = "1.json: " + sample["run"].get<std::string>();
    EXPECT_EQ(a, b);
  }
  for (const char* key : {"failed", "unexercised", "cycles", "notes", "dropped"})
    EXPECT_EQ(once[key], twice[key]) << key;
}

}  // namespace
}  // namespace stress
