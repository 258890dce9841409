// Judging what an operation came to, and reporting what must not be. Internal to the operations.
//
// Thread safety: a WorkerContext belongs to one worker.
#ifndef STRESS_WORLD_OUTCOME_H_
#define STRESS_WORLD_OUTCOME_H_

#include <cstdint>
#include <string>

#include "stress/world/operations.h"

namespace stress {

// A check of the harness failed. An exploration ends with it; a native run decides itself.
void ReportWrong(const WorkerContext& context, const char* id, const std::string& title,
                 std::string what);

// An outcome that is allowed at any time: the machine has not enough of something, or its store is
// one that fails.
bool IsRefusal(const WorkerContext& context, vm::Result result);

// The access was made between the states; only when nothing changed, its outcome is known.
void CheckOutcome(const WorkerContext& context, const SpaceState& state, const Mapping& mapping,
                  std::uint32_t page, Access access, PageState before, vm::Result result);

}  // namespace stress

#endif  // STRESS_WORLD_OUTCOME_H_
