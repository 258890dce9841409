// The line of a terminal that says how a run goes on.
#ifndef STRESS_REPORT_PROGRESS_H_
#define STRESS_REPORT_PROGRESS_H_

#include <cstdint>

namespace stress {

class ProgressLine {
 public:
  explicit ProgressLine(bool enabled) : enabled_(enabled) {}
  ~ProgressLine();  // clears the line
  ProgressLine(const ProgressLine&) = delete;

  // Totals so far; the line shows rates since it was last drawn, every half second.
  void Show(std::uint64_t elapsed_ns, std::uint64_t operations, std::uint64_t faults,
            std::uint64_t free_pages, std::uint64_t findings);

 private:
  const bool enabled_;
  bool drawn_ = false;
  std::uint64_t last_ns_ = 0;
  std::uint64_t last_operations_ = 0;
  std::uint64_t last_faults_ = 0;
};

}  // namespace stress

#endif  // STRESS_REPORT_PROGRESS_H_
