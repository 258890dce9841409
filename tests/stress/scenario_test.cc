// The scenario parser: what it takes, and the one line it says about what it does not take.
#include "stress/config/scenario.h"

#include <gtest/gtest.h>

#include "stress/config/embedded.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/workers/kinds.h"

namespace stress {
namespace {

constexpr char kWorker[] = "[[worker]]\nkind = \"fault\"\n";

Scenario Parse(const std::string& text) { return ParseScenario(text, "s.toml", WorkerKinds()); }

// The message of the error that `text` gives, or "" when it parses.
std::string ErrorOf(const std::string& text) {
  try {
    Parse(text);
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code(), kExitUsage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

void ExpectError(const std::string& text, const std::vector<std::string>& parts) {
  const std::string error = ErrorOf(text);
  ASSERT_NE(error, "") << "accepted: " << text;
  for (const std::string& part : parts)
    EXPECT_NE(error.find(part), std::string::npos) << part << " is not in: " << error;
}

TEST(Scenario, EachShippedScenarioParsesAndSaysWhatItIs) {
  ASSERT_GE(EmbeddedScenarios().size(), 3u);
  for (const EmbeddedFile& embedded : EmbeddedScenarios()) {
    const Scenario scenario = LoadScenario(std::string(embedded.name), WorkerKinds());
    EXPECT_EQ(scenario.name, embedded.name);
    EXPECT_NE(scenario.description, "");
    EXPECT_FALSE(scenario.workers.empty());
  }
}

TEST(Scenario, ReadsEveryTable) {
  const Scenario scenario = Parse(
      "[machine]\npages = 512\npage_size = \"1KiB\"\nlocks = \"queues\"\n"
      "[run]\nthreads = 3\nduration = \"250ms\"\nseed = 9\n"
      "[[worker]]\nkind = \"fault\"\nweight = 7\npattern = \"hot\"\nhot_pages = 2\n"
      "[[worker]]\nkind = \"map\"\ncount = 2\n");
  EXPECT_EQ(scenario.settings.Number("pages"), 512u);
  EXPECT_EQ(scenario.settings.Number("page_size"), 1024u);
  EXPECT_EQ(scenario.settings.Text("locks"), "queues");
  EXPECT_EQ(scenario.settings.Number("threads"), 3u);
  EXPECT_EQ(scenario.settings.Number("duration"), 250'000'000u);
  EXPECT_EQ(scenario.settings.Number("seed"), 9u);
  ASSERT_EQ(scenario.workers.size(), 2u);
  EXPECT_EQ(scenario.workers[0].weight, 7u);
  EXPECT_EQ(scenario.workers[0].parameters.at("pattern").text, "hot");
  EXPECT_EQ(scenario.workers[0].parameters.at("hot_pages").number, 2u);
  EXPECT_EQ(scenario.workers[1].count, 2u);
}

TEST(Scenario, AKeyThatWasNotGivenHasItsDefault) {
  const Scenario scenario = Parse(kWorker);
  EXPECT_EQ(scenario.settings.Number("page_size"), 4096u);
  EXPECT_FALSE(scenario.settings.Given("page_size"));
  EXPECT_EQ(scenario.settings.Number("seed"), 0u);
}

TEST(Scenario, AFlagWinsOverTheFile) {
  Scenario scenario = Parse(std::string("[machine]\npages = 512\n") + kWorker);
  Settings flags;
  flags.Set("pages", {64, "64"}, "--pages");
  scenario.settings.Override(flags);
  EXPECT_EQ(scenario.settings.Number("pages"), 64u);
  EXPECT_EQ(scenario.settings.Origin("pages"), "--pages");
}

TEST(Scenario, AnUnknownKeyIsNamedWithLineAndNearestKey) {
  ExpectError("[machine]\npagess = 5\n", {"s.toml:2", "pagess", "[machine]", "mean pages?"});
  ExpectError("[machines]\npages = 5\n", {"s.toml:1", "machines", "mean machine?"});
  ExpectError("[[worker]]\nkind = \"fault\"\nhotpages = 2\n",
              {"s.toml:3", "hotpages", "mean hot_pages?"});
}

TEST(Scenario, AKeyInTheWrongTableIsToldWhereItBelongs) {
  ExpectError("[machine]\nthreads = 5\n", {"s.toml:2", "threads", "[run]"});
  ExpectError("pages = 5\n", {"s.toml:1", "pages", "[machine]"});
}

TEST(Scenario, AWrongTypeIsNamedWithWhatIsAccepted) {
  ExpectError("[machine]\npages = \"many\"\n", {"s.toml:2", "pages", "a string", "an integer"});
  ExpectError("[machine]\npages = 1.5\n", {"s.toml:2", "a decimal number", "an integer"});
  ExpectError("[run]\nduration = 20\n", {"s.toml:2", "duration", "20s"});
  ExpectError("[machine]\nlocks = 3\n", {"s.toml:2", "locks", "queues"});
  ExpectError("machine = 3\n", {"s.toml:1", "machine", "table"});
  ExpectError("worker = 3\n", {"s.toml:1", "[[worker]]"});
  ExpectError("[worker]\nkind = \"fault\"\n", {"s.toml:1", "[[worker]]"});
  ExpectError("worker = [1, 2]\n", {"s.toml:1", "[[worker]]"});
}

TEST(Scenario, AValueOutOfRangeIsNamedWithTheRange) {
  ExpectError("[run]\nthreads = 0\n", {"s.toml:2", "threads", "0", "from 1 to 1024"});
  ExpectError("[run]\nthreads = -1\n", {"s.toml:2", "-1", "from 1 to 1024"});
  ExpectError("[machine]\npage_size = 1000\n", {"s.toml:2", "power of two", "512", "32KiB"});
  for (const char* length : {"1", "3", "8192"})
    ExpectError("[machine]\nreservation_pages = " + std::string(length) + "\n",
                {"s.toml:2", "0, or a power of two from 2 to 4096"});
  EXPECT_EQ(ErrorOf(std::string("[machine]\nreservation_pages = 0\n") + kWorker), "");
  ExpectError("[[worker]]\nkind = \"fault\"\nweight = 0\n", {"s.toml:3", "weight"});
}

TEST(Scenario, AnUnknownWorkerKindIsNamedWithTheNearest) {
  ExpectError("[[worker]]\nkind = \"fualt\"\n", {"s.toml:2", "fualt", "mean fault?"});
  ExpectError("[[worker]]\nweight = 3\n", {"s.toml:1", "kind", "fault"});
  ExpectError("[[worker]]\nkind = 3\n", {"s.toml:2", "kind", "fault"});
}

TEST(Scenario, TomlErrorsAndDuplicatesHaveTheirLine) {
  ExpectError("[machine]\npages = \n", {"s.toml:2", "not valid TOML"});
  ExpectError("[machine]\npages = 64\npages = 65\n", {"s.toml:3", "pages"});
  ExpectError("[machine]\n[machine]\n", {"s.toml:2"});
  ExpectError("\x01\x02\xff", {"s.toml:1"});
}

TEST(Scenario, ContradictionsAreRefused) {
  ExpectError("", {"s.toml", "[[worker]]"});
  ExpectError("[[worker]]\nkind = \"fault\"\nweight = 1\ncount = 1\n", {"weight or count"});
  ExpectError(std::string("[run]\nduration = \"1s\"\noperations = 5\n") + kWorker,
              {"s.toml:3", "duration or operations"});
}

TEST(Scenario, WhatIsNotBuiltYetSaysSo) {
  ExpectError("[machine]\nanon = \"amap\"\n", {"s.toml:2", "not available in this version"});
  ExpectError("[machine]\nstore = \"uring:x\"\n", {"s.toml:2", "not available in this version"});
}

TEST(Scenario, FaultsAreRatesInAMillion) {
  const Scenario scenario = ParseScenario(
      std::string("[faults]\nstore_write_error = 50_000\n") + kWorker, "s.toml", WorkerKinds());
  EXPECT_EQ(scenario.settings.Number("store_write_error"), 50'000u);
  EXPECT_EQ(scenario.settings.Number("store_read_error"), 0u);
  ExpectError("[faults]\nstore_write_eror = 1\n",
              {"s.toml:2", "store_write_eror", "mean store_write_error?"});
  ExpectError("[faults]\nstore_full = 1000001\n", {"s.toml:2", "store_full", "1000000"});
  ExpectError("[faults]\nstore_full = 0.5\n", {"s.toml:2", "store_full", "an integer"});
}

TEST(Scenario, AnUnknownNameListsTheShippedOnes) {
  try {
    LoadScenario("mixd", WorkerKinds());
    FAIL() << "accepted";
  } catch (const CommandError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean mixed?"), std::string::npos);
  }
}

TEST(Value, UnitsAreUnderstood) {
  const Setting* duration = FindSetting("duration", kRunCommand);
  const Setting* size = FindSetting("page_size", kRunCommand);
  EXPECT_EQ(ParseValue(*duration, "5m", "x").number, 300'000'000'000u);
  EXPECT_EQ(ParseValue(*duration, "500ms", "x").number, 500'000'000u);
  EXPECT_EQ(ParseValue(*size, "4KiB", "x").number, 4096u);
  EXPECT_EQ(FormatValue(ValueType::kDuration, 90'000'000'000), "90s");
  EXPECT_EQ(FormatValue(ValueType::kSize, 64u << 20), "64MiB");
  for (const char* text : {"", "5", "s", "5 s", "5x", "0x5s", "1e3s", "99999999999999999999s"})
    EXPECT_THROW(ParseValue(*duration, text, "x"), CommandError) << text;
}

TEST(Text, EditDistanceCountsSwapsOnce) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("mixed", "mixed"), 0);
  EXPECT_EQ(EditDistance("mixde", "mixed"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  EXPECT_EQ(Nearest("zzzzzz", {"mixed", "faults"}), "");
}

TEST(Text, OneLineHasNoControlCharacters) {
  EXPECT_EQ(OneLine("a\nb\tc\x01"), "a b c ");
  EXPECT_LT(OneLine(std::string(5000, 'x')).size(), 500u);
}

// The table serves flags, files and lists: a key that breaks it breaks all of them.
TEST(SettingsTable, IsConsistent) {
  for (const Setting& setting : AllSettings()) {
    SCOPED_TRACE(setting.key);
    if (setting.commands == kNoCommand) continue;
    EXPECT_STRNE(setting.help, "");
    EXPECT_TRUE(*setting.fallback != '\0' || *setting.default_note != '\0');
    if (*setting.fallback != '\0') {
      EXPECT_NO_THROW(ParseValue(setting, setting.fallback, ""));
    }
  }
  for (const WorkerKindInfo& kind : WorkerKinds())
    for (const Setting& parameter : kind.parameters)
      EXPECT_NO_THROW(ParseValue(parameter, parameter.fallback, "")) << parameter.key;
}

}  // namespace
}  // namespace stress
