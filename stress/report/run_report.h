// A run's result as JSON (schema vmstress.run/1) and as the summary on the terminal.
#ifndef STRESS_REPORT_RUN_REPORT_H_
#define STRESS_REPORT_RUN_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "stress/run/result.h"

namespace stress {

nlohmann::ordered_json FindingJson(const locking::Finding& finding);
// Of those that fail a run, or of those that do not.
nlohmann::ordered_json FindingsJson(const std::vector<CountedFinding>& findings, bool failing);
// "LK02 (provable): title [3 times]".
std::string FindingLine(const CountedFinding& counted);
// Of the findings that fail the run.
nlohmann::ordered_json FailuresJson(const RunResult& result);
nlohmann::ordered_json RunJson(const RunPlan& plan, const RunResult& result);
// As text with a final newline; bytes that are not UTF-8 are replaced.
std::string JsonText(const nlohmann::ordered_json& json);

// The first line of a run, and the summary with the verdict as its last line.
std::string RunHeadline(const RunPlan& plan);
std::string RunSummary(const RunPlan& plan, const RunResult& result);

}  // namespace stress

#endif  // STRESS_REPORT_RUN_REPORT_H_
