// A plot of a scaling measurement as SVG: operations a second over threads, with the range of the
// rounds, perfect scaling, the fitted law, and where the cores end.
#ifndef STRESS_REPORT_SCALE_PLOT_H_
#define STRESS_REPORT_SCALE_PLOT_H_

#include <string>

#include "stress/run/scaling.h"

namespace stress {

std::string ScalePlot(const ScalePlan& plan, const ScaleResult& result);

}  // namespace stress

#endif  // STRESS_REPORT_SCALE_PLOT_H_
