// Holds under a limit that all of them exceed, or none: each class and call site once.
#include "tests/witness/scenario.h"

namespace locking {
namespace {

constexpr Limits::Bounds kAnyHold{.hold_ns = 1};
constexpr Limits::Bounds kNoHold{.hold_ns = std::uint64_t{3600} * 1'000'000'000};

}  // namespace

void AddLimitScenarios(std::vector<Scenario>* table) {
  const auto add = [&](const char* name, const char* paths, const char* expected,
                       const Limits::Bounds& limits, TestLock lock = TestLock::kMutex) {
    table->push_back({.family = "Limits",
                      .name = name,
                      .paths = paths,
                      .expected = expected,
                      .lock = lock,
                      .limits = limits});
  };
  add("one hold", "A", "LK13/", kAnyHold);
  add("a spin lock", "A", "LK13/", kAnyHold, TestLock::kSpin);
  add("a reader", "rA", "LK13/", kAnyHold, TestLock::kSleepableRw);
  add("a try", "tA", "LK13/", kAnyHold);
  add("once for a call site", "A -A A -A A", "LK13/", kAnyHold);
  add("once for all threads", "A, A, A", "LK13/", kAnyHold);
  add("of each class", "A B", "LK13/ LK13/", kAnyHold);
  add("released out of order", "A B -A -B", "LK13/ LK13/", kAnyHold);
  add("a try and a lock", "tA -A A", "LK13/ LK13/", kAnyHold);
  add("no limit", "A B -A C", "", {});
  add("within the limit", "A B -A C", "", kNoHold);
}

}  // namespace locking
