// An exploration's result as JSON (schema vmstress.explore/1) and as text.
#ifndef STRESS_REPORT_EXPLORE_REPORT_H_
#define STRESS_REPORT_EXPLORE_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "locking/explore/check.h"
#include "stress/run/exploration.h"

namespace stress {

nlohmann::ordered_json ExploreJson(const Exploration& exploration,
                                   const locking::explore::Result& result);
std::string ExploreSummary(const Exploration& exploration, const locking::explore::Result& result);
// "clean", "failed" or "interrupted".
const char* ExploreVerdict(const locking::explore::Result& result);
// "9f3c61d2a8b07e55"
std::string HashText(std::uint64_t hash);

}  // namespace stress

#endif  // STRESS_REPORT_EXPLORE_REPORT_H_
