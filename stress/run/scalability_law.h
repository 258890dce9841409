// The universal scalability law (Gunther, "A Simple Capacity Model of Massively Parallel
// Transaction Systems", 1993): with n threads on n cores
//   rate(n) = rate(1) n / (1 + sigma (n - 1) + kappa n (n - 1))
// where sigma is the share of the work that is serial (waiting for locks) and kappa the cost of
// making two threads agree (moving cache lines).
//
// Thread safety: pure functions.
#ifndef STRESS_RUN_SCALABILITY_LAW_H_
#define STRESS_RUN_SCALABILITY_LAW_H_

#include <cstdint>
#include <optional>
#include <span>

namespace stress {

inline constexpr std::size_t kPointsOfAFit = 3;  // as many as it has parameters

struct MeasuredRate {
  double threads;
  double rate;  // > 0
};

struct ScalabilityLaw {
  double rate_of_one = 0;
  double sigma = 0;
  double kappa = 0;

  double RateOf(double threads) const;
  // The number of threads beyond which the rate falls; nothing: it never falls.
  std::optional<std::uint64_t> Peak() const;
};

// The law with the least squares of relative errors, sigma and kappa not negative; nothing with
// fewer than kPointsOfAFit different numbers of threads.
std::optional<ScalabilityLaw> FitScalabilityLaw(std::span<const MeasuredRate> points);

}  // namespace stress

#endif  // STRESS_RUN_SCALABILITY_LAW_H_
