// `vmstress compare A.json B.json`.
#include <cstdio>

#include "stress/command/commands.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/files.h"
#include "stress/report/comparison.h"

namespace stress {

int CompareCommand(const Invocation& invocation) {
  if (invocation.arguments.size() != 2)
    FailUsage("compare: takes two JSON files, the one before and the one after");
  const std::string& before = invocation.arguments[0];
  const std::string& after = invocation.arguments[1];
  const ResultRows a = ReadResult(ReadInputFile(before, kRecordBytesMax), before);
  const ResultRows b = ReadResult(ReadInputFile(after, kRecordBytesMax), after);
  if (a.kind != b.kind)
    FailUsage("compare: " + OneLine(before) + " is a result of " + a.kind + ", " + OneLine(after) +
              " of " + b.kind + "; two of one kind are accepted");
  std::fputs(ComparisonTable(a, b).c_str(), stdout);
  return kExitClean;
}

}  // namespace stress
