// A failure that `explore --save=DIR` recorded, as `replay` and `inspect` take it.
#ifndef STRESS_COMMAND_RECORDED_FAILURE_H_
#define STRESS_COMMAND_RECORDED_FAILURE_H_

#include <string>

#include "locking/explore/failure.h"
#include "stress/config/scenario.h"

namespace stress {

// From the text of the file `path`. Throws CommandError (2), as FlagsOf does.
locking::explore::Failure ReadFailure(const std::string& text, const std::string& path);
// What the file says was run, as the flags that `explore` was given.
Settings FlagsOf(const locking::explore::Failure& failure, const std::string& path);

}  // namespace stress

#endif  // STRESS_COMMAND_RECORDED_FAILURE_H_
