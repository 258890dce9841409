// The races that ThreadSanitizer reports, as findings of the run. Its reports come inside its
// runtime, under its locks: they are noted there, and taken from here later.
//
// Thread safety: one RaceWatch at a time, by the thread that controls the run.
#ifndef STRESS_HOST_SANITIZER_H_
#define STRESS_HOST_SANITIZER_H_

#include <vector>

#include "locking/finding.h"

namespace stress {

class RaceWatch {
 public:
  RaceWatch();
  ~RaceWatch();
  RaceWatch(const RaceWatch&) = delete;

  // Races reported since the last call (RACE).
  std::vector<locking::Finding> Take();
};

}  // namespace stress

#endif  // STRESS_HOST_SANITIZER_H_
