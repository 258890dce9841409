#include "stress/report/spread.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace stress {
namespace {

// Between the two samples that stand on either side of the quantile.
double Quantile(const std::vector<double>& sorted, double quantile) {
  const double place = quantile * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Spread SpreadOf(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return {Quantile(samples, 0.5), Quantile(samples, 0.25), Quantile(samples, 0.75)};
}

double PercentOf(const Spread& spread) {
  if (spread.median == 0) return 0;
  const double farther = std::max(spread.high - spread.median, spread.median - spread.low);
  return 100 * farther / std::abs(spread.median);
}

bool Overlap(const Spread& a, const Spread& b) { return a.low <= b.high && b.low <= a.high; }

std::string FormatFigure(double value) {
  const double size = std::abs(value);
  const int decimals = size >= 1000 || size == 0 ? 0
                       : size >= 100             ? 1
                       : size >= 10              ? 2
                       : size >= 1               ? 3
                                                 : 4;
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

}  // namespace stress
