// What a sanitizer said, as findings of the run. Its reports come inside its runtime, under its
// locks: they are noted there, and taken from here later.
//
// Thread safety: Watch and Unwatch by the thread that controls the run; TakeRaces by it alone.
#ifndef STRESS_HOST_SANITIZER_H_
#define STRESS_HOST_SANITIZER_H_

#include <functional>
#include <vector>

#include "locking/finding.h"

namespace stress {

class SanitizerWatch {
 public:
  // `at_death` is called with the report of AddressSanitizer or UndefinedBehaviorSanitizer that is
  // about to end the process; it writes down what there is.
  explicit SanitizerWatch(std::function<void(locking::Finding)> at_death);
  ~SanitizerWatch();
  SanitizerWatch(const SanitizerWatch&) = delete;

  // Races reported since the last call (RACE).
  std::vector<locking::Finding> TakeRaces();
};

}  // namespace stress

#endif  // STRESS_HOST_SANITIZER_H_
