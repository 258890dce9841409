#include "stress/report/counter_table.h"

#include "stress/report/text.h"

namespace stress {
namespace {

constexpr double kSecond = 1e9;
constexpr std::uint32_t kLinesOfAScreen = 20;

enum class Shown : std::uint8_t { kNow, kPerSecond };
struct Column {
  const char* heading;
  const char* name;
  Shown shown;
  int width;
};
constexpr Column kColumns[] = {{"free", "free", Shown::kNow, 8},
                               {"active", "active", Shown::kNow, 8},
                               {"inactive", "inactive", Shown::kNow, 8},
                               {"wired", "wired", Shown::kNow, 6},
                               {"faults/s", "faults", Shown::kPerSecond, 9},
                               {"zero/s", "zero_fills", Shown::kPerSecond, 8},
                               {"cow/s", "cow_copies", Shown::kPerSecond, 8},
                               {"pgin/s", "page_ins", Shown::kPerSecond, 8},
                               {"pgout/s", "page_outs", Shown::kPerSecond, 8},
                               {"react/s", "reactivated", Shown::kPerSecond, 8},
                               {"scans/s", "daemon_scans", Shown::kPerSecond, 7},
                               {"busy/s", "busy_waits", Shown::kPerSecond, 7}};

std::uint64_t CountOf(const NamedCounts& counts, const std::string& name) {
  for (const auto& [known, count] : counts)
    if (known == name) return count;
  return 0;
}

std::string Heading() {
  std::string out = "time";
  for (const Column& column : kColumns) out += Format(" %*s", column.width, column.heading);
  return out + "\n";
}

}  // namespace

std::string CounterTable::Next(std::uint64_t elapsed_ns, const NamedCounts& counts) {
  std::string out = lines_++ % kLinesOfAScreen == 0 ? Heading() : "";
  const double seconds = static_cast<double>(elapsed_ns - last_ns_) / kSecond;
  out += Format("%3.0fs", static_cast<double>(elapsed_ns) / kSecond);
  for (const Column& column : kColumns) {
    const std::uint64_t now = CountOf(counts, column.name);
    const double rate =
        static_cast<double>(now - CountOf(last_, column.name)) / (seconds > 0 ? seconds : 1);
    out += Format(" %*.0f", column.width,
                  column.shown == Shown::kNow ? static_cast<double>(now) : rate);
  }
  last_ = counts;
  last_ns_ = elapsed_ns;
  while (due_ns_ <= elapsed_ns) due_ns_ += kIntervalNs;
  return out + "\n";
}

}  // namespace stress
