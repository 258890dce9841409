// `vmstress run`.
#include "stress/command/commands.h"
#include "stress/config/error.h"

namespace stress {

int RunCommandLine(const Invocation&) { FailNotAvailable("run"); }

}  // namespace stress
