// Bounds on time, with their units. Nothing is decided by them: they are generous, and what exceeds
// one ends in a report.
#ifndef LOCKING_BOUNDS_H_
#define LOCKING_BOUNDS_H_

#include <cstdint>

namespace locking {

// A sanitizer slows everything down; bounds on real time grow by this.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
inline constexpr std::uint64_t kSanitizerFactor = 10;
#else
inline constexpr std::uint64_t kSanitizerFactor = 1;
#endif
#elif defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr std::uint64_t kSanitizerFactor = 10;
#else
inline constexpr std::uint64_t kSanitizerFactor = 1;
#endif

// Between two looks of the watchdog. A deadlock is reported when two looks see the same one.
inline constexpr std::uint64_t kWatchdogPeriodNs = 200'000'000;
// Without the end of any operation, a run counts as hung.
inline constexpr std::uint64_t kStallNs = 30'000'000'000 * kSanitizerFactor;

}  // namespace locking

#endif  // LOCKING_BOUNDS_H_
