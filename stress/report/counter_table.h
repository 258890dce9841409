// CounterTable: what a machine does, a line every second, as vmstat prints it.
#ifndef STRESS_REPORT_COUNTER_TABLE_H_
#define STRESS_REPORT_COUNTER_TABLE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stress {

// Figures of a machine by name: pages of each kind now, events since it began.
using NamedCounts = std::vector<std::pair<std::string, std::uint64_t>>;

class CounterTable {
 public:
  static constexpr std::uint64_t kIntervalNs = 1'000'000'000;

  // When the next line is due, in time since the start of the run.
  std::uint64_t due_ns() const { return due_ns_; }
  // The line of this moment, with the heading where a screen begins; rates are of the time since
  // the line before.
  std::string Next(std::uint64_t elapsed_ns, const NamedCounts& counts);

 private:
  NamedCounts last_;
  std::uint64_t last_ns_ = 0;
  std::uint64_t due_ns_ = kIntervalNs;
  std::uint32_t lines_ = 0;
};

}  // namespace stress

#endif  // STRESS_REPORT_COUNTER_TABLE_H_
