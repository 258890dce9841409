// The operating system's wait on a word, and how long to spin before it. Internal to locking/.
#ifndef LOCKING_FUTEX_H_
#define LOCKING_FUTEX_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "locking/executor.h"

namespace locking {

// Pauses of the exponential back-off before a waiter sleeps: 1, 2, 4 … this many.
inline constexpr int kMaxSpinPauses = 32;

inline void CpuPause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield" ::: "memory");
#endif
}

inline std::uint64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// Sleeps while `word` is `expected`, at most until `deadline_ns`. False: timed out.
inline bool FutexWait(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                      std::uint64_t deadline_ns = kNoDeadline) {
  timespec at{static_cast<time_t>(deadline_ns / 1'000'000'000u),
              static_cast<long>(deadline_ns % 1'000'000'000u)};
  const long result =
      syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected,
              deadline_ns == kNoDeadline ? nullptr : &at, nullptr, FUTEX_BITSET_MATCH_ANY);
  return !(result == -1 && errno == ETIMEDOUT);
}

inline int FutexWake(std::atomic<std::uint32_t>& word, int most) {
  return static_cast<int>(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, most, nullptr, nullptr, 0));
}
inline int FutexWakeAll(std::atomic<std::uint32_t>& word) { return FutexWake(word, INT_MAX); }

}  // namespace locking

#endif  // LOCKING_FUTEX_H_
