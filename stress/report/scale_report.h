// The result of a scaling measurement: JSON (schema vmstress.scale/1), the table, and the plot.
#ifndef STRESS_REPORT_SCALE_REPORT_H_
#define STRESS_REPORT_SCALE_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "stress/run/scaling.h"

namespace stress {

nlohmann::ordered_json ScaleJson(const ScalePlan& plan, const ScaleResult& result);
// The first lines, before anything is measured; then the table, with the verdict as its last line.
std::string ScaleHeadline(const ScalePlan& plan);
std::string ScaleSummary(const ScalePlan& plan, const ScaleResult& result);

}  // namespace stress

#endif  // STRESS_REPORT_SCALE_REPORT_H_
