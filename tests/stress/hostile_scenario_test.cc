// Hostile values for each key of a scenario file. The keys follow from the tables of settings and
// of worker kinds: a new one is covered by being there.
#include <gtest/gtest.h>

#include "stress/config/error.h"
#include "stress/config/scenario.h"
#include "stress/workers/kinds.h"

namespace stress {
namespace {

// A key, and the file before and after its value.
struct Place {
  const Setting* setting;
  std::string before;
  std::string after;
};

std::vector<Place> AllPlaces() {
  const std::string worker = "\n[[worker]]\nkind = \"fault\"\n";
  std::vector<Place> places;
  for (const Setting& setting : AllSettings()) {
    const Section section = setting.section;
    if (section == Section::kFlag) continue;
    places.push_back({&setting, std::string(SectionName(section)) + "\n", worker});
  }
  for (const Setting& setting : WorkerSettings())
    places.push_back({&setting, "[[worker]]\nkind = \"fault\"\n", "\n"});
  for (const WorkerKindInfo& kind : WorkerKinds())
    for (const Setting& parameter : kind.parameters)
      places.push_back(
          {&parameter, std::string("[[worker]]\nkind = \"") + kind.name + "\"\n", "\n"});
  return places;
}

// Refused in one line that names file and line, and the key unless it is no TOML at all.
void ExpectRefused(const std::string& text, const std::string& part) {
  try {
    ParseScenario(text, "s.toml", WorkerKinds());
  } catch (const CommandError& error) {
    const std::string line = error.what();
    EXPECT_EQ(error.code(), kExitUsage);
    EXPECT_EQ(line.rfind("s.toml:", 0), 0u) << line;
    EXPECT_NE(line.find(part), std::string::npos) << part << " is not in: " << line;
    EXPECT_EQ(line.find_first_of(std::string("\n\r\0", 3)), std::string::npos) << line;
    EXPECT_LT(line.size(), 1'000u);
    return;
  }
  ADD_FAILURE() << "accepted: " << text.substr(0, 200);
}

TEST(HostileScenario, NoKeyTakesAnotherType) {
  for (const Place& place : AllPlaces()) {
    for (const char* value : {"-1", "1.5", "1e3", "nan", "inf", "-inf", "[]", "[1]", "{}",
                              "{a = 1}", "1979-05-27", "07:32:00", "-9223372036854775808"}) {
      SCOPED_TRACE(std::string(place.setting->key) + " = " + value);
      ExpectRefused(place.before + place.setting->key + " = " + value + place.after,
                    place.setting->key);
    }
    if (place.setting->type == ValueType::kBoolean) continue;
    ExpectRefused(place.before + place.setting->key + " = true" + place.after, place.setting->key);
  }
}

TEST(HostileScenario, NoKeyTakesATextThatIsNoValue) {
  for (const Place& place : AllPlaces()) {
    for (const char* value :
         {"''", "' '", "'nan'", "'-1'", "'1e3s'", "'99999999999999999999999999s'", "'0x10'",
          "\"\\u0000\"", "\"a\\nb\"", "'''\n\n'''", "\"\\u2028\"", "'\xc3\xa9'"}) {
      SCOPED_TRACE(std::string(place.setting->key) + " = " + value);
      ExpectRefused(place.before + place.setting->key + " = " + value + place.after,
                    place.setting->key);
    }
  }
}

TEST(HostileScenario, WhatIsNoTomlHasItsLine) {
  for (const Place& place : AllPlaces()) {
    for (const char* value : {"", "99999999999999999999999999", "0x", "'", "'\xff'", "\x01", "1 2",
                              "\"\\q\"", "infinite", "= 1"}) {
      SCOPED_TRACE(std::string(place.setting->key) + " = " + value);
      ExpectRefused(place.before + place.setting->key + " = " + value + place.after, "TOML");
    }
  }
}

TEST(HostileScenario, NoKeyIsTakenTwice) {
  for (const Place& place : AllPlaces()) {
    const std::string line = std::string(place.setting->key) + " = 1\n";
    ExpectRefused(place.before + line + line + place.after, place.setting->key);
  }
}

}  // namespace
}  // namespace stress
