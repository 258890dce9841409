// A figure that was measured several times: where its middle lies, and how far it spreads.
#ifndef STRESS_REPORT_SPREAD_H_
#define STRESS_REPORT_SPREAD_H_

#include <string>
#include <vector>

namespace stress {

// The median and the two quartiles. Of a single sample all three are that sample.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};
// `samples` is not empty.
Spread SpreadOf(std::vector<double> samples);
// How far the quartiles lie from the median at most, in percent of it.
double PercentOf(const Spread& spread);
// Whether the quartiles of the two reach into each other: the difference may be chance.
bool Overlap(const Spread& a, const Spread& b);
// Four digits: "1234", "71.52", "0.0071".
std::string FormatFigure(double value);

}  // namespace stress

#endif  // STRESS_REPORT_SPREAD_H_
