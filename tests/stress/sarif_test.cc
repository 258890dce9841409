// SARIF: what stands in it, and that it is SARIF, by the official schema and a validator.
#include "stress/report/sarif.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "stress/config/rules.h"
#include "tests/stress/command.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

CountedFinding Reversal() {
  locking::Finding finding;
  finding.id = "LK02";
  finding.tier = "provable";
  finding.title = "lock order reversal: a -> b -> a";
  finding.classes = {"a", "b"};
  finding.signature = "LK02: a -> b; b -> a";
  finding.threads = {{"one", "took a", {}, {"F()", "main()"}, "dir/a file.cc:1"},
                     {"one", "then took b", {}, {"F()"}, "b.cc:2"},
                     {"two", "took b", {}, {}, "b.cc:3"},
                     {"two", "then took a", {}, {}, "/abs/a.cc:4"}};
  return {finding, 3, true};
}

CountedFinding Invariant() {
  locking::Finding finding;
  finding.id = "INV-21";
  finding.title = "something broke";
  finding.signature = "INV-21: something broke";
  finding.threads = {{"one", "", {}, {"F()"}}};
  return {finding, 1, true};
}

CountedFinding Gated() {
  CountedFinding counted = Reversal();
  counted.finding.tier = "gated";
  counted.fails = false;
  return counted;
}

class Sarif : public CommandTest {
 protected:
  // Empty: it keeps to the schema.
  std::string Errors(const std::string& document) {
    const std::string files = std::string(std::getenv("TEST_SRCDIR")) + "/vmstress/";
    const std::string command = "/usr/bin/python3 -B " + files + "tests/stress/validate_json.py " +
                                files + "third_party/sarif/sarif-2.1.0.json " + folder_ + "/" +
                                Write("document", document) + " >" + folder_ + "/errors 2>&1";
    const int status = std::system(command.c_str());
    const std::string errors = Read("errors");
    return status == 0 ? errors : "failed: " + errors;
  }
  static const Json& RunOf(const Json& log) { return log["runs"][0]; }
};

TEST_F(Sarif, KeepsToTheSchema) {
  const Json log = SarifLog("lockorder", {Reversal(), Invariant(), Gated()},
                            {{"warning", "something was dropped"}, {"note", "expired"}});
  EXPECT_EQ(Errors(log.dump()), "");
  EXPECT_EQ(Errors(SarifLog("lockorder", {}, {}).dump()), "");
}

TEST_F(Sarif, TheValidatorSeesWhatBreaksTheSchema) {
  const Json sound = SarifLog("lockorder", {Reversal()}, {});
  Json broken = sound;
  broken["runs"][0]["results"][0]["level"] = "fatal";
  EXPECT_NE(Errors(broken.dump()).find("fatal"), std::string::npos);
  broken = sound;
  broken["runs"][0]["tool"]["driver"].erase("name");
  EXPECT_NE(Errors(broken.dump()).find("name"), std::string::npos);
  broken = sound;
  broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0;
  EXPECT_NE(Errors(broken.dump()).find("startLine"), std::string::npos);
}

TEST_F(Sarif, HasTheRulesOfThePageWithTheirText) {
  const Json log = SarifLog("lockorder", {Invariant()}, {});
  const Json& rules = RunOf(log)["tool"]["driver"]["rules"];
  ASSERT_EQ(rules.size(), Rules().size() + 1);
  for (std::size_t i = 0; i < Rules().size(); ++i) {
    EXPECT_EQ(rules[i]["id"], Rules()[i].id);
    EXPECT_EQ(rules[i]["shortDescription"]["text"], Rules()[i].title);
    EXPECT_EQ(rules[i]["help"]["markdown"], Rules()[i].text);
    EXPECT_FALSE(Rules()[i].text.empty()) << Rules()[i].id;
  }
  EXPECT_EQ(rules[1]["id"], "LK02");
  EXPECT_EQ(rules[1]["name"], "TwoClassesAreTakenInBothOrders");
  EXPECT_EQ(rules.back()["id"], "INV-21");
  EXPECT_EQ(RunOf(log)["results"][0]["ruleIndex"], rules.size() - 1);
}

TEST_F(Sarif, AResultShowsBothSidesAndItsFingerprint) {
  const Json log = SarifLog("lockorder", {Reversal(), Gated()}, {});
  const Json& result = RunOf(log)["results"][0];
  EXPECT_EQ(result["ruleId"], "LK02");
  EXPECT_EQ(result["ruleIndex"], 1);
  EXPECT_EQ(result["level"], "error");
  EXPECT_EQ(RunOf(log)["results"][1]["level"], "note");
  EXPECT_EQ(result["fingerprints"]["signature/v1"], "LK02: a -> b; b -> a");
  EXPECT_EQ(result["occurrenceCount"], 3);
  EXPECT_EQ(result["properties"]["tier"], "provable");
  const Json& primary = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(primary["artifactLocation"]["uri"], "b.cc");
  EXPECT_EQ(primary["artifactLocation"]["uriBaseId"], "%SRCROOT%");
  EXPECT_EQ(primary["region"]["startLine"], 2);
  const Json& related = result["relatedLocations"];
  ASSERT_EQ(related.size(), 3u);
  EXPECT_EQ(related[0]["physicalLocation"]["artifactLocation"]["uri"], "dir/a%20file.cc");
  EXPECT_EQ(related[2]["physicalLocation"]["artifactLocation"]["uri"], "file:///abs/a.cc");
  const Json& flows = result["codeFlows"][0]["threadFlows"];
  ASSERT_EQ(flows.size(), 2u);
  EXPECT_EQ(flows[0]["id"], "one");
  EXPECT_EQ(flows[0]["locations"].size(), 2u);
  EXPECT_EQ(flows[0]["locations"][0]["stack"]["frames"].size(), 2u);
  EXPECT_EQ(flows[1]["locations"][1]["location"]["message"]["text"], "two: then took a");
}

TEST_F(Sarif, LockorderReportsWhatTheBookDoesNotApprove) {
  Write("book.toml",
        "order = [[\"object\", \"map\"]]\n[[exception]]\nfrom = \"a\"\nto = \"b\"\nsite = \"s\"\n"
        "reason = \"r\"\nexpires = 2020-01-01\n");
  const Outcome outcome = Run({"lockorder", "--book=book.toml", "--format=sarif"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(Errors(outcome.out), "");
  const Json log = Json::parse(outcome.out);
  std::set<std::string> fingerprints;
  bool cycle = false;
  for (const Json& result : RunOf(log)["results"]) {
    EXPECT_EQ(result["level"], "error");
    EXPECT_FALSE(result["locations"].empty());
    EXPECT_FALSE(result["relatedLocations"].empty());
    fingerprints.insert(result["fingerprints"]["signature/v1"]);
    cycle = cycle || result["message"]["text"] == "lock order cycle: map -> object -> map";
  }
  EXPECT_TRUE(fingerprints.contains("LK12: map -> object"));
  EXPECT_TRUE(cycle);
  const Json& notice = RunOf(log)["invocations"][0]["toolExecutionNotifications"][0];
  EXPECT_NE(notice["message"]["text"].get<std::string>().find("expired"), std::string::npos);
}

}  // namespace
}  // namespace stress
