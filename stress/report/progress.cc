#include "stress/report/progress.h"

#include <cstdio>

namespace stress {

ProgressLine::~ProgressLine() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::Show(std::uint64_t elapsed_ns, std::uint64_t operations, std::uint64_t faults,
                        std::uint64_t free_pages, std::uint64_t findings) {
  constexpr std::uint64_t kBetween = 500'000'000;
  constexpr double kSecond = 1e9;
  if (!enabled_ || elapsed_ns - last_ns_ < kBetween) return;
  const double seconds = static_cast<double>(elapsed_ns - last_ns_) / kSecond;
  std::fprintf(
      stderr, "\r%.0f s  %.0f operations/s  %.0f faults/s  %llu pages free  %llu findings\033[K",
      static_cast<double>(elapsed_ns) / kSecond,
      static_cast<double>(operations - last_operations_) / seconds,
      static_cast<double>(faults - last_faults_) / seconds,
      static_cast<unsigned long long>(free_pages), static_cast<unsigned long long>(findings));
  std::fflush(stderr);
  drawn_ = true;
  last_ns_ = elapsed_ns;
  last_operations_ = operations;
  last_faults_ = faults;
}

}  // namespace stress
