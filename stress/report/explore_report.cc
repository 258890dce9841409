#include "stress/report/explore_report.h"

#include <cstdio>

#include "stress/command/build_info.h"
#include "stress/report/run_report.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

Json FailureJson(const locking::explore::Failure& failure) {
  Json json = FindingJson(failure.finding);
  json["count"] = failure.count;
  json["execution"] = failure.execution;
  json["seed"] = failure.seed;
  json["steps"] = failure.choices.size();
  json["reproduced"] = failure.reproduced;
  json["directed_executions"] = failure.directed_executions;
  return json;
}

Json FailuresJson(const std::vector<locking::explore::Failure>& failures) {
  Json list = Json::array();
  for (const auto& failure : failures) list.push_back(FailureJson(failure));
  return list;
}

std::string FailureText(const char* label, const locking::explore::Failure& failure) {
  std::string out = label + failure.finding.id;
  if (!failure.finding.tier.empty()) out += " (" + failure.finding.tier + ")";
  out += ": " + failure.finding.title + " [" + std::to_string(failure.count) +
         " times, first in execution " + std::to_string(failure.execution);
  if (failure.directed_executions > 0)
    out += std::string(failure.finding.tier == "confirmed" ? "; forced by " : "; not forced by ") +
           std::to_string(failure.directed_executions) + " directed";
  return out + "]\n            " + failure.finding.replay + "\n";
}

}  // namespace

std::string HashText(std::uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

const char* ExploreVerdict(const locking::explore::Result& result) {
  if (!result.ok()) return "failed";
  return result.interrupted ? "interrupted" : "clean";
}

nlohmann::ordered_json ExploreJson(const Exploration& exploration,
                                   const locking::explore::Result& result) {
  Json first = nullptr;
  if (result.first_failure_execution.has_value()) first = *result.first_failure_execution;
  Json config = Json::object();
  for (const auto& [key, value] : exploration.with) config[key] = value;
  return {{"schema", "vmstress.explore/1"},
          {"build", BuildJson()},
          {"host", HostJson()},
          {"verdict", ExploreVerdict(result)},
          {"strategy", result.strategy},
          {"seed", exploration.seed},
          {"config", config},
          {"executions", result.executions},
          {"scheduling_points", result.scheduling_points},
          {"seconds", result.seconds},
          {"executions_per_second", result.executions_per_second},
          {"failed_executions", result.failed_executions},
          {"first_failure_execution", first},
          {"exhausted", result.exhausted},
          {"trace_hash", HashText(result.trace_hash)},
          {"directed_executions", result.directed_executions},
          {"failures", FailuresJson(result.failures)},
          {"listed", FailuresJson(result.listed)},
          {"failures_dropped", result.failures_dropped}};
}

std::string ExploreSummary(const Exploration& exploration, const locking::explore::Result& result) {
  char line[256];
  std::snprintf(line, sizeof line,
                "executions  %llu in %.1f s (%.0f/s), %llu scheduling points, trace %s%s\n",
                static_cast<unsigned long long>(result.executions), result.seconds,
                result.executions_per_second,
                static_cast<unsigned long long>(result.scheduling_points),
                HashText(result.trace_hash).c_str(), result.exhausted ? ", exhausted" : "");
  std::string out = line;
  for (const auto& failure : result.failures) out += FailureText("failure     ", failure);
  for (const auto& failure : result.listed) out += FailureText("listed      ", failure);
  out += "replay      " + exploration.replay + "\n";
  out += std::string("verdict     ") + ExploreVerdict(result) + "\n";
  return out;
}

}  // namespace stress
