// The command line: which commands there are, their flags (from the table of settings), `--help`,
// and one line for each way to get it wrong.
#ifndef STRESS_COMMAND_COMMAND_LINE_H_
#define STRESS_COMMAND_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "stress/config/scenario.h"
#include "stress/config/setting.h"

namespace stress {

// What was typed after the command's name.
struct Invocation {
  const struct Command* command = nullptr;
  Settings flags;
  std::vector<std::string> arguments;
};

struct Command {
  const char* name;
  CommandSet bit;
  const char* summary;
  const char* argument;  // name of its positional arguments; nullptr: it takes none
  std::vector<const char*> examples;
  // Returns the exit code; nullptr: named in the documents and not built yet.
  int (*run)(const Invocation& invocation);
};

// In the order of --help.
const std::vector<Command>& AllCommands();

// Parses and runs; prints one line on standard error for a CommandError.
int Main(int argc, char** argv);

}  // namespace stress

#endif  // STRESS_COMMAND_COMMAND_LINE_H_
