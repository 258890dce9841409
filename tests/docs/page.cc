#include "tests/docs/page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace docs {
namespace {

namespace fs = std::filesystem;

std::string Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

bool IsRow(std::string_view line) { return line.starts_with('|'); }

// "|---|---|", below the head of a table.
bool IsRule(std::string_view line) {
  return IsRow(line) && line.find_first_not_of("|-: ") == std::string_view::npos;
}

Row CellsOf(std::string_view line) {
  Row cells;
  for (std::size_t from = 1; from < line.size();) {
    const std::size_t bar = line.find('|', from);
    if (bar == std::string_view::npos) break;
    cells.push_back(Trimmed(line.substr(from, bar - from)));
    from = bar + 1;
  }
  return cells;
}

std::string_view RootFolder() {
  static const auto* root = new std::string([] {
    const char* files = std::getenv("TEST_SRCDIR");
    return std::string(files == nullptr ? "." : files) + "/vmstress/";
  }());
  return *root;
}

}  // namespace

Page::Page(std::string name) : name_(std::move(name)), text_(ReadData(name_)) {
  std::istringstream lines(text_);
  Section* section = &sections_.emplace_back();
  bool in_fence = false;
  bool in_table = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("```")) {
      in_fence = !in_fence;
      if (in_fence) section->fences.push_back({line.substr(3), {}, number + 1});
    } else if (in_fence) {
      section->fences.back().lines.push_back(line);
    } else if (line.starts_with('#')) {
      section = &sections_.emplace_back();
      section->heading = Trimmed(line.substr(line.find_first_not_of('#')));
    } else if (IsRule(line)) {
      in_table = true;
    } else if (IsRow(line) && in_table) {
      section->rows.push_back(CellsOf(line));
    } else if (!IsRow(line)) {
      in_table = false;
      section->prose.push_back(line);
    }
  }
}

const Section& Page::Find(std::string_view heading) const {
  static const auto* none = new Section;
  for (const Section& section : sections_)
    if (section.heading.starts_with(heading)) return section;
  ADD_FAILURE() << name_ << " has no section " << heading;
  return *none;
}

std::vector<Fence> Page::Fences() const {
  std::vector<Fence> fences;
  for (const Section& section : sections_)
    fences.insert(fences.end(), section.fences.begin(), section.fences.end());
  return fences;
}

std::vector<std::string> Spans(std::string_view text) {
  std::vector<std::string> spans;
  for (std::size_t open = text.find('`'); open != std::string_view::npos;) {
    const std::size_t close = text.find('`', open + 1);
    if (close == std::string_view::npos) break;
    spans.emplace_back(text.substr(open + 1, close - open - 1));
    open = text.find('`', close + 1);
  }
  return spans;
}

std::map<std::string, Row> RowsByCode(const Section& section) {
  std::map<std::string, Row> rows;
  for (const Row& row : section.rows) {
    if (row.empty()) continue;
    for (const std::string& code : Spans(row[0]))
      EXPECT_TRUE(rows.emplace(code, row).second)
          << section.heading << " has two rows for " << code;
  }
  return rows;
}

std::string DataPath(const std::string& name) {
  return fs::absolute(std::string(RootFolder()) + name).string();
}

std::string ReadData(const std::string& name) {
  std::ifstream file(DataPath(name), std::ios::binary);
  EXPECT_TRUE(file) << name << " is no data of this test";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> DataFiles(const std::string& folder,
                                   const std::vector<std::string>& suffixes) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(DataPath(folder))) {
    const std::string name = entry.path().lexically_relative(DataPath("")).string();
    if (std::any_of(suffixes.begin(), suffixes.end(),
                    [&](const std::string& suffix) { return name.ends_with(suffix); }))
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace docs
