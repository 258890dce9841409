// docs/scenarios.md names every key of a scenario file as the tables of the product have it, and
// nothing else; its example is accepted.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "stress/config/embedded.h"
#include "stress/config/scenario.h"
#include "stress/workers/kinds.h"
#include "tests/docs/page.h"

namespace stress {
namespace {

using docs::Page;
using docs::Row;

const Page& ScenariosPage() {
  static const auto* page = new Page("docs/scenarios.md");
  return *page;
}

std::string TypeName(ValueType type) {
  switch (type) {
    case ValueType::kInteger:
      return "integer";
    case ValueType::kSize:
      return "size";
    case ValueType::kDuration:
      return "duration";
    case ValueType::kChoice:
      return "choice";
    case ValueType::kBoolean:
      return "boolean";
    case ValueType::kText:
      break;
  }
  return "text";
}

std::string DefaultOf(const Setting& setting) {
  if (*setting.fallback != '\0') return std::string("`") + setting.fallback + "`";
  return *setting.default_note != '\0' ? setting.default_note : "none";
}

// A row is: key, type, accepted, default, meaning.
void ExpectRows(const std::string& heading, const std::vector<const Setting*>& settings) {
  const auto rows = docs::RowsByCode(ScenariosPage().Find(heading));
  std::set<std::string> keys;
  for (const Setting* setting : settings) {
    SCOPED_TRACE(heading + " " + setting->key);
    keys.insert(setting->key);
    const auto row = rows.find(setting->key);
    if (row == rows.end()) {
      ADD_FAILURE() << "the page has no row for it";
      continue;
    }
    ASSERT_EQ(row->second.size(), 5u);
    EXPECT_EQ(row->second[1], TypeName(setting->type));
    EXPECT_EQ(row->second[2], Accepted(*setting));
    EXPECT_EQ(row->second[3], DefaultOf(*setting));
    EXPECT_NE(row->second[4], "");
  }
  for (const auto& [key, row] : rows)
    EXPECT_TRUE(keys.contains(key)) << heading << ": there is no key " << key;
}

std::vector<const Setting*> SettingsOf(Section section) {
  std::vector<const Setting*> settings;
  for (const Setting& setting : AllSettings())
    if (setting.section == section) settings.push_back(&setting);
  return settings;
}

TEST(ScenariosPage, HasEachKeyOfTheSections) {
  for (const Section section : {Section::kMachine, Section::kRun, Section::kFaults})
    ExpectRows(SectionName(section), SettingsOf(section));
}

TEST(ScenariosPage, HasEachKeyOfAnyWorker) {
  std::vector<const Setting*> settings;
  for (const Setting& setting : WorkerSettings()) settings.push_back(&setting);
  ExpectRows(SectionName(Section::kWorker), settings);
}

TEST(ScenariosPage, HasEachParameterOfEachWorker) {
  std::set<std::string> headings;
  for (const WorkerKindInfo& kind : WorkerKinds()) {
    std::vector<const Setting*> parameters;
    for (const Setting& parameter : kind.parameters) parameters.push_back(&parameter);
    const std::string heading = std::string("kind = \"") + kind.name + "\"";
    headings.insert(heading);
    ExpectRows(heading, parameters);
  }
  for (const docs::Section& section : ScenariosPage().sections())
    if (section.heading.starts_with("kind = ")) {
      EXPECT_TRUE(headings.contains(section.heading)) << section.heading << ": no such kind";
    }
}

TEST(ScenariosPage, HasEachShippedScenario) {
  const auto rows = docs::RowsByCode(ScenariosPage().Find("Shipped scenarios"));
  std::set<std::string> names;
  for (const EmbeddedFile& scenario : EmbeddedScenarios()) {
    names.emplace(scenario.name);
    EXPECT_TRUE(rows.contains(std::string(scenario.name))) << scenario.name;
  }
  for (const auto& [name, row] : rows)
    EXPECT_TRUE(names.contains(name)) << "there is no scenario " << name;
}

TEST(ScenariosPage, ItsExamplesAreAccepted) {
  int examples = 0;
  for (const docs::Fence& fence : ScenariosPage().Fences()) {
    if (fence.language != "toml") continue;
    std::string text;
    for (const std::string& line : fence.lines) text += line + "\n";
    EXPECT_NO_THROW(ParseScenario(text, "example.toml", WorkerKinds())) << text;
    ++examples;
  }
  EXPECT_GE(examples, 1);
}

}  // namespace
}  // namespace stress
