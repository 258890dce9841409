// The commands. Each returns an exit code or throws CommandError.
#ifndef STRESS_COMMAND_COMMANDS_H_
#define STRESS_COMMAND_COMMANDS_H_

#include "stress/command/command_line.h"

namespace stress {

int ExploreCommand(const Invocation& invocation);
int ReplayCommand(const Invocation& invocation);
int LockOrderCommand(const Invocation& invocation);
int MergeCommand(const Invocation& invocation);
int RunCommandLine(const Invocation& invocation);
int CompareCommand(const Invocation& invocation);
int ScaleCommand(const Invocation& invocation);
int InspectCommand(const Invocation& invocation);
int ListCommand(const Invocation& invocation);

}  // namespace stress

#endif  // STRESS_COMMAND_COMMANDS_H_
