// The views of a machine (vm/inspect.h) in JSON, written and read: a part of vmstress.run/1 where a
// run failed, and of vmstress.inspect/1.
#ifndef STRESS_REPORT_MACHINE_REPORT_H_
#define STRESS_REPORT_MACHINE_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "vm/inspect.h"

namespace stress {

nlohmann::ordered_json MachineJson(const vm::MachineState& machine);

// What was inspected.
struct InspectedMachine {
  std::string origin;  // one line: where the machine comes from
  vm::MachineState machine;
};
// From the text of a file that may hold anything. Throws CommandError (2).
InspectedMachine ReadMachine(const std::string& text, const std::string& path);
nlohmann::ordered_json InspectJson(const InspectedMachine& inspected);

}  // namespace stress

#endif  // STRESS_REPORT_MACHINE_REPORT_H_
