// Page: a Markdown page of the documentation, cut into what the tests look at: sections, rows of
// tables, fenced blocks.
#ifndef TESTS_DOCS_PAGE_H_
#define TESTS_DOCS_PAGE_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace docs {

struct Fence {
  std::string language;  // what follows the opening ```
  std::vector<std::string> lines;
  int first_line = 0;  // of `lines`, in the page, from 1
};

using Row = std::vector<std::string>;  // the cells of a table's row, trimmed

struct Section {
  std::string heading;  // without its #; empty for what comes before the first
  std::vector<std::string> prose;
  std::vector<Row> rows;  // of its tables, without heads
  std::vector<Fence> fences;
};

class Page {
 public:
  // `name` is a path of the repository: "docs/scenarios.md".
  explicit Page(std::string name);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  const std::vector<Section>& sections() const { return sections_; }
  // The section whose heading begins with `heading`; fails the test, and is empty, if there is
  // none.
  const Section& Find(std::string_view heading) const;
  std::vector<Fence> Fences() const;

 private:
  std::string name_;
  std::string text_;
  std::vector<Section> sections_;
};

// What stands between backticks, in order.
std::vector<std::string> Spans(std::string_view text);
// The rows by the code in their first cell: "`pages`" is found under "pages". A cell that names
// several gives several.
std::map<std::string, Row> RowsByCode(const Section& section);

// The absolute path of a file of the repository that the test has as data.
std::string DataPath(const std::string& name);
std::string ReadData(const std::string& name);
// Paths in the repository of the test's data files below `folder` that end in one of `suffixes`.
std::vector<std::string> DataFiles(const std::string& folder,
                                   const std::vector<std::string>& suffixes);

}  // namespace docs

#endif  // TESTS_DOCS_PAGE_H_
