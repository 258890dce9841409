// Reports of a sanitizer as evidence of the run that caused them. ThreadSanitizer tells of each
// report on the thread that raced, so a controlled execution knows which reports are its own.
//
// Thread safety: all functions may be called by any thread at any time.
#ifndef LOCKING_SANITIZER_REPORT_H_
#define LOCKING_SANITIZER_REPORT_H_

#include <cstdint>

#include "locking/finding.h"

namespace locking {

// What a report said, in plain words that need no allocation.
struct SanitizerReport {
  static constexpr int kAccesses = 2;
  static constexpr int kStackDepth = 16;
  struct Access {
    bool present = false;
    bool is_write = false;
    bool is_atomic = false;
    std::uint32_t bytes = 0;
    std::uintptr_t stack[kStackDepth] = {};  // innermost first, 0-terminated if shorter
  };
  char kind[40] = {};  // "data-race", "heap-use-after-free", ...
  Access access[kAccesses];
};

// Called by the sanitizer's callback, on the thread that the report is about: counts it, and tells
// the executor of that thread.
void OnSanitizerReport(const SanitizerReport& report);
// Reports since the process started.
std::uint64_t SanitizerReportCount();

// Called with each report, under the sanitizer's locks: it must neither allocate nor block. One for
// the process; nullptr: none. Returns the former one.
using SanitizerReportListener = void (*)(const SanitizerReport& report);
SanitizerReportListener SetSanitizerReportListener(SanitizerReportListener listener);

// The report as a finding "RACE", with the stacks of both accesses. Not within the callback.
Finding FindingOf(const SanitizerReport& report);

}  // namespace locking

#endif  // LOCKING_SANITIZER_REPORT_H_
