#include "stress/run/scalability_law.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

namespace stress {
namespace {

// threads/rate is linear in 1/rate(1), sigma/rate(1) and kappa/rate(1). A row holds the three terms
// of a point, divided by threads/rate, so that the row's value is 1 and its error a relative one.
constexpr std::size_t kTerms = 3;
using Row = std::array<double, kTerms>;

// Solves the least squares of sum(row x) = 1 for the terms in `used`; the others are 0. Nothing
// when the points do not determine them.
std::optional<Row> Solve(const std::vector<Row>& rows, std::span<const std::size_t> used) {
  const std::size_t n = used.size();
  std::array<std::array<double, kTerms + 1>, kTerms> equations{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) equations[i][j] += row[used[i]] * row[used[j]];
      equations[i][n] += row[used[i]];
    }
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t k = i + 1; k < n; ++k)
      if (std::abs(equations[k][i]) > std::abs(equations[pivot][i])) pivot = k;
    std::swap(equations[i], equations[pivot]);
    if (equations[i][i] == 0) return std::nullopt;
    for (std::size_t k = 0; k < n; ++k) {
      if (k == i) continue;
      const double factor = equations[k][i] / equations[i][i];
      for (std::size_t j = i; j <= n; ++j) equations[k][j] -= factor * equations[i][j];
    }
  }
  Row solution{};
  for (std::size_t i = 0; i < n; ++i) solution[used[i]] = equations[i][n] / equations[i][i];
  return solution;
}

double SquaredError(const std::vector<Row>& rows, const Row& solution) {
  double sum = 0;
  for (const Row& row : rows) {
    double value = 0;
    for (std::size_t i = 0; i < kTerms; ++i) value += row[i] * solution[i];
    sum += (value - 1) * (value - 1);
  }
  return sum;
}

}  // namespace

double ScalabilityLaw::RateOf(double threads) const {
  return rate_of_one * threads / (1 + sigma * (threads - 1) + kappa * threads * (threads - 1));
}

std::optional<std::uint64_t> ScalabilityLaw::Peak() const {
  constexpr double kNever = 1e6;  // threads; beyond, kappa is noise
  if (sigma >= 1) return 1;
  const double peak = std::sqrt((1 - sigma) / kappa);
  if (!(peak < kNever)) return std::nullopt;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(peak));
}

std::optional<ScalabilityLaw> FitScalabilityLaw(std::span<const MeasuredRate> points) {
  std::set<double> different;
  for (const MeasuredRate& point : points) different.insert(point.threads);
  if (different.size() < kPointsOfAFit) return std::nullopt;
  // In units of the largest number, which keeps the three terms of one size.
  const double most = *different.rbegin();
  std::vector<Row> rows;
  for (const auto& [threads, rate] : points) {
    const double weight = rate / threads;
    rows.push_back(
        {weight, weight * (threads - 1) / most, weight * threads * (threads - 1) / (most * most)});
  }
  // Not negative: the best of the solutions that have one of them, or both, at 0.
  static constexpr std::size_t kChoices[][kTerms] = {{0, 1, 2}, {0, 1}, {0, 2}, {0}};
  static constexpr std::size_t kSizes[] = {3, 2, 2, 1};
  std::optional<Row> best;
  for (std::size_t choice = 0; choice < std::size(kSizes); ++choice) {
    const auto solution = Solve(rows, {kChoices[choice], kSizes[choice]});
    if (!solution.has_value() || (*solution)[0] <= 0) continue;
    if ((*solution)[1] < 0 || (*solution)[2] < 0) continue;
    if (!best.has_value() || SquaredError(rows, *solution) < SquaredError(rows, *best))
      best = solution;
  }
  if (!best.has_value()) return std::nullopt;
  const auto [one, serial, agreement] = *best;
  return ScalabilityLaw{1 / one, serial / most / one, agreement / (most * most) / one};
}

}  // namespace stress
