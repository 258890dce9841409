// Formatted text for reports.
#ifndef STRESS_REPORT_TEXT_H_
#define STRESS_REPORT_TEXT_H_

#include <string>

namespace stress {

// As printf, into a string.
[[gnu::format(printf, 1, 2)]] std::string Format(const char* format, ...);

}  // namespace stress

#endif  // STRESS_REPORT_TEXT_H_
