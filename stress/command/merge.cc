// `vmstress merge FILE…`: the lock orders that several runs showed, judged together.
#include <algorithm>

#include "stress/command/commands.h"
#include "stress/command/order_command.h"
#include "stress/config/text.h"

namespace stress {

int MergeCommand(const Invocation& invocation) {
  const std::vector<std::string>& files = invocation.arguments;
  if (files.empty())
    FailUsage("merge: of which files? accepted: one or more of `lockorder --format=json`");
  for (auto file = files.begin(); file != files.end(); ++file)
    if (std::find(files.begin(), file, *file) != file)
      FailUsage("merge: " + OneLine(*file) + " is given twice; accepted: each file once");
  const OrderCommand command(invocation);
  OrderResult merged;
  for (const std::string& file : files) {
    OrderResult result = ReadOrderResult(ReadInputFile(file, kRecordBytesMax), file);
    locking::NameRun(OneLine(file), &result.order);
    MergeInto(&merged, result);
  }
  const OrderJudgement judged = command.Judge(merged);
  command.Write(judged);
  return judged.Failed() ? kExitFailed : kExitClean;
}

}  // namespace stress
