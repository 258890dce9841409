// docs/seed_map.md places each function of the documents that the VM follows; the functions, files
// and tests that it names exist.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/docs/page.h"
#include "tests/docs/seed_functions.h"

namespace docs {
namespace {

constexpr std::size_t kColumns = 4;

const Page& SeedMap() {
  static const auto* page = new Page("docs/seed_map.md");
  return *page;
}

std::vector<Row> PlacedRows() {
  std::vector<Row> rows;
  for (const Section& section : SeedMap().sections())
    rows.insert(rows.end(), section.rows.begin(), section.rows.end());
  return rows;
}

std::string Text(const std::vector<std::string>& suffixes, const std::string& folder) {
  std::string text;
  for (const std::string& file : DataFiles(folder, suffixes)) text += ReadData(file);
  return text;
}

TEST(SeedMap, PlacesEachFunctionOnce) {
  std::multiset<std::string> placed;
  for (const Row& row : PlacedRows())
    for (const std::string& name : Spans(row[0])) placed.insert(name);
  for (const char* function : kSeedFunctions) EXPECT_EQ(placed.count(function), 1u) << function;
}

TEST(SeedMap, ARowSaysWhereAndBelongsToATest) {
  for (const Row& row : PlacedRows()) {
    ASSERT_EQ(row.size(), kColumns) << row[0];
    EXPECT_FALSE(Spans(row[1]).empty()) << row[0] << " has no counterpart";
    EXPECT_FALSE(Spans(row[2]).empty()) << row[0] << " has no test";
  }
}

// "`vm::FreeQueue::Put` (`vm/free_queue.h`)": each name stands in one of the row's files.
TEST(SeedMap, WhatItNamesIsDeclaredWhereItSays) {
  for (const Row& row : PlacedRows()) {
    std::string declared;
    std::vector<std::string> names;
    for (const std::string& span : Spans(row[1])) {
      if (span.starts_with("vm::"))
        names.push_back(span);
      else
        declared += ReadData(span);
    }
    EXPECT_FALSE(declared.empty()) << row[0] << " names no file";
    for (const std::string& name : names) {
      const std::string last = name.substr(name.rfind(':') + 1);
      EXPECT_TRUE(std::regex_search(declared, std::regex("\\b" + last + "\\b")))
          << row[0] << ": " << name << " is not there";
    }
  }
}

TEST(SeedMap, ItsTestsExist) {
  const std::string text = Text({".cc", ".h"}, "tests");
  std::set<std::string> tests;
  const std::regex pattern(R"(TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\))");
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
    tests.insert((*at)[1].str() + "." + (*at)[2].str());
  for (const Row& row : PlacedRows())
    for (const std::string& test : Spans(row[2]))
      EXPECT_TRUE(tests.contains(test)) << row[0] << ": there is no test " << test;
}

}  // namespace
}  // namespace docs
