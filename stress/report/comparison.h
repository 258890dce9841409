// What changed between two results of one kind: Google Benchmark's JSON, or one of ours.
//
// Thread safety: none needed; pure functions.
#ifndef STRESS_REPORT_COMPARISON_H_
#define STRESS_REPORT_COMPARISON_H_

#include <string>
#include <vector>

namespace stress {

// One row of a result: samples of a figure, or a word ("clean", a trace hash).
struct ResultRow {
  std::string name;
  std::string unit;
  std::vector<double> samples;
  std::string word;
};

struct ResultRows {
  std::string kind;  // "vmstress.run/1", "Google Benchmark"
  std::vector<ResultRow> rows;
};

// Reads the text of the file `path`. Throws CommandError (2), naming the file.
ResultRows ReadResult(const std::string& text, const std::string& path);

// A table: name, A ± spread, B ± spread, change; `~` where the change lies within the spread. Rows
// that one of the two lacks say so.
std::string ComparisonTable(const ResultRows& a, const ResultRows& b);

}  // namespace stress

#endif  // STRESS_REPORT_COMPARISON_H_
