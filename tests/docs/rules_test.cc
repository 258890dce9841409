// docs/rules.md and docs/invariants.md explain each id that the sources can report, and no other;
// the tests that they name exist.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "locking/finding.h"
#include "tests/docs/page.h"
#include "vm/check.h"

namespace docs {
namespace {

using Ids = std::set<std::string>;

bool IsInvariant(const std::string& id) { return id.starts_with("INV-"); }

// Matches of the first group in `text`.
Ids Matches(const std::string& text, const std::regex& pattern) {
  Ids found;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
    found.insert((*at)[1]);
  return found;
}

std::string CodeOnly(const std::string& text) {
  return std::regex_replace(text, std::regex("//[^\n]*|\n#[^\n]*"), "");
}

struct Sources {
  std::map<std::string, std::string> text_of;  // by path

  explicit Sources(const std::vector<std::string>& folders) {
    for (const std::string& folder : folders)
      for (const std::string& file : DataFiles(folder, {".cc", ".h"}))
        text_of[file] = CodeOnly(ReadData(file));
  }
  Ids Find(const std::regex& pattern, const std::string& below = "") const {
    Ids all;
    for (const auto& [file, text] : text_of)
      if (file.starts_with(below)) all.merge(Matches(text, pattern));
    return all;
  }
};

const Sources& ProductSources() {
  static const auto* sources = new Sources({"locking", "stress", "vm"});
  return *sources;
}

// Ids are literals; a word in capitals is one save where the command line shows a placeholder and
// where a signal is named.
Ids ReportedIds() {
  const std::regex id(R"re("(LK\d\d|INV-\d\d|[A-Z]{4,}(?:-[A-Z]+)*)")re");
  Ids ids;
  for (const auto& [file, text] : ProductSources().text_of)
    if (!file.starts_with("stress/command/")) ids.merge(Matches(text, id));
  std::erase_if(ids, [](const std::string& word) { return word.starts_with("SIG"); });
  return ids;
}

Ids RuleIdsOf(const Page& page) {
  Ids ids;
  for (const Section& section : page.sections())
    ids.merge(Matches(section.heading, std::regex(R"(\b(LK\d\d|[A-Z]{4,}(?:-[A-Z]+)*)\b)")));
  return ids;
}

const Page& RulesPage() {
  static const auto* page = new Page("docs/rules.md");
  return *page;
}
const Page& InvariantsPage() {
  static const auto* page = new Page("docs/invariants.md");
  return *page;
}

// "Suite.Name", of all tests.
const Ids& TestNames() {
  static const auto* names = [] {
    auto* all = new Ids;
    const std::regex pattern(R"(TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\))");
    for (const auto& [file, text] : Sources({"tests"}).text_of)
      for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
        all->insert((*at)[1].str() + "." + (*at)[2].str());
    return all;
  }();
  return *names;
}

void ExpectTestsExist(const Page& page) {
  const std::regex test(R"([A-Z]\w+\.[A-Z]\w+)");
  int tests = 0;
  for (const std::string& span : Spans(page.text())) {
    if (!std::regex_match(span, test)) continue;
    EXPECT_TRUE(TestNames().contains(span)) << page.name() << ": there is no test " << span;
    ++tests;
  }
  EXPECT_GE(tests, 10);
}

TEST(RulesPage, HasASectionForEachIdAndNoOther) {
  Ids expected;
  for (const std::string& id : ReportedIds())
    if (!IsInvariant(id)) expected.insert(id);
  EXPECT_EQ(RuleIdsOf(RulesPage()), expected);
}

// tests/mutants/lk02_NAME.patch: the validator without the rule, and the tests that notice it.
TEST(RulesPage, EachLockRuleHasAMutant) {
  std::set<std::string> broken;
  for (const std::string& file : DataFiles("tests/mutants", {".patch"}))
    broken.insert(file.substr(std::string("tests/mutants/").size(), 4));
  for (const std::string& id : RuleIdsOf(RulesPage())) {
    if (!id.starts_with("LK")) continue;
    EXPECT_TRUE(broken.contains("lk" + id.substr(2))) << "no mutant breaks " << id;
  }
}

TEST(RulesPage, ItsTestsExist) { ExpectTestsExist(RulesPage()); }

bool Fails(const std::string& tier) {
  locking::Finding finding;
  finding.tier = tier;
  return locking::FailsRun(finding);
}

TEST(RulesPage, SaysWhichTiersFailARun) {
  const auto rows = RowsByCode(RulesPage().Find("Tiers"));
  const Ids tiers = ProductSources().Find(std::regex(
      R"re("(confirmed|provable|gated|ordered|single-context|other-signaller|no-writer|class-only)")re"));
  for (const std::string& tier : tiers) {
    ASSERT_TRUE(rows.contains(tier)) << tier;
    const bool fails = Fails(tier);
    EXPECT_EQ(rows.at(tier)[1] == "fails", fails) << tier;
  }
  EXPECT_EQ(rows.size(), tiers.size());
}

TEST(InvariantsPage, HasEachIdThatIsCheckedAndNoOther) {
  Ids expected, named;
  for (const std::string& id : ReportedIds())
    if (IsInvariant(id)) expected.insert(id);
  for (const auto& [id, row] : RowsByCode(InvariantsPage().Find("Each invariant")))
    named.insert(id);
  EXPECT_EQ(named, expected);
}

// A row is: id, what it says, where it is checked, tests.
TEST(InvariantsPage, SaysWhatASweepSays) {
  const auto rows = RowsByCode(InvariantsPage().Find("Each invariant"));
  for (const vm::CheckedInvariant& invariant : vm::CheckedInvariants()) {
    ASSERT_TRUE(rows.contains(invariant.id)) << invariant.id;
    const Row& row = rows.at(invariant.id);
    EXPECT_TRUE(row[1].starts_with(invariant.text)) << invariant.id << ": " << invariant.text;
    const std::string prefix =
        "Sweep.Inv" + std::string(invariant.id).substr(std::string("INV-").size());
    EXPECT_NE(row[3].find(prefix), std::string::npos) << invariant.id << " lacks the test";
  }
}

TEST(InvariantsPage, SaysWhereEachIsChecked) {
  Ids swept;
  for (const vm::CheckedInvariant& invariant : vm::CheckedInvariants()) swept.insert(invariant.id);
  // The tables of sweeps begin a row with the id.
  const Ids local = ProductSources().Find(std::regex(R"re([^{]"(INV-\d\d)")re"), "vm/");
  const Ids heard = ProductSources().Find(std::regex(R"re("(INV-\d\d)")re"), "stress/");
  for (const auto& [id, row] : RowsByCode(InvariantsPage().Find("Each invariant"))) {
    const auto says = [&, &cell = row[2]](const char* place) {
      return cell.find(place) != std::string::npos;
    };
    EXPECT_EQ(says("sweep"), swept.contains(id)) << id;
    EXPECT_EQ(says("local"), local.contains(id)) << id;
    EXPECT_EQ(says("oracle") || says("run"), heard.contains(id)) << id;
  }
}

// By a test that is named after it, or a defect that is found by it.
TEST(InvariantsPage, EachThatTheVmChecksHasATestThatBreaksIt) {
  const std::string corpus = ReadData("tests/defects/corpus.bzl");
  const std::regex patch(R"(tests/defects/(\w+)\.patch)");
  for (const auto& [id, row] : RowsByCode(InvariantsPage().Find("Each invariant"))) {
    if (row[2] == "oracle" || row[2] == "run") continue;
    const std::string number = id.substr(std::string("INV-").size());
    bool broken = row[3].find(".Inv" + number) != std::string::npos;
    for (const std::string& span : Spans(row[3])) {
      std::smatch match;
      if (!std::regex_match(span, match, patch)) continue;
      const bool found =
          std::regex_search(corpus, std::regex('"' + match[1].str() + "\"[^\n]*\"" + id + '"'));
      EXPECT_TRUE(found) << id << ": " << span << " is not expected to be found by it";
      broken = broken || found;
    }
    EXPECT_TRUE(broken) << id;
  }
}

TEST(InvariantsPage, NamesEachTestThatIsNamedAfterAnId) {
  const auto rows = RowsByCode(InvariantsPage().Find("Each invariant"));
  const std::regex named(R"(.*\.Inv(\d\d)\w+)");
  for (const std::string& test : TestNames()) {
    std::smatch match;
    if (!std::regex_match(test, match, named)) continue;
    const std::string id = "INV-" + match[1].str();
    ASSERT_TRUE(rows.contains(id)) << test;
    EXPECT_NE(rows.at(id)[3].find("`" + test + "`"), std::string::npos) << test;
  }
}

TEST(InvariantsPage, ItsTestsExist) { ExpectTestsExist(InvariantsPage()); }

}  // namespace
}  // namespace docs
