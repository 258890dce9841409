// The worker kinds there are, with their parameters: what the scenario parser and `list workers`
// know of them. Their code stands beside, one file a kind.
#ifndef STRESS_WORKERS_KINDS_H_
#define STRESS_WORKERS_KINDS_H_

#include <vector>

#include "stress/config/scenario.h"

namespace stress {

// In order of name.
const std::vector<WorkerKindInfo>& WorkerKinds();

}  // namespace stress

#endif  // STRESS_WORKERS_KINDS_H_
