#include "stress/report/sarif.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "stress/command/build_info.h"
#include "stress/config/rules.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;
using locking::ThreadEvidence;

constexpr char kSchema[] = "https://json.schemastore.org/sarif-2.1.0.json";
constexpr char kSourceRoot[] = "%SRCROOT%";

// "Two classes are taken in both orders": "TwoClassesAreTakenInBothOrders".
std::string NameOf(const std::string& title) {
  std::string name;
  bool begins = true;
  for (const char c : title) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter) == 0) {
      begins = begins || c == ' ';
      continue;
    }
    name += begins ? static_cast<char>(std::toupper(letter)) : c;
    begins = false;
  }
  return name;
}

Json Text(const std::string& text) { return {{"text", text}}; }

Json RuleJson(const Rule& rule) {
  return {{"id", rule.id},
          {"name", NameOf(rule.title)},
          {"shortDescription", Text(rule.title)},
          {"help", {{"text", rule.text}, {"markdown", rule.text}}},
          {"defaultConfiguration", {{"level", "error"}}}};
}

// The rules of the page, and those that findings have beside them: invariants.
std::vector<Rule> RulesOf(const std::vector<CountedFinding>& findings) {
  std::vector<Rule> rules = Rules();
  for (const CountedFinding& counted : findings) {
    const std::string& id = counted.finding.id;
    const bool known =
        std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.id == id; });
    if (!known)
      rules.push_back({id, "An invariant is broken", "docs/invariants.md explains " + id + ".\n"});
  }
  return rules;
}

std::string AsUri(const std::string& path) {
  constexpr char kPlain[] = "-._~/";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view(kPlain).find(c) != std::string_view::npos)
      uri += c;
    else
      uri += {'%', kDigits[byte / 16], kDigits[byte % 16]};
  }
  return uri;
}

// `site`: "vm/fault.cc:88".
Json PhysicalLocation(const std::string& site) {
  const std::size_t colon = site.rfind(':');
  const std::string path = site.substr(0, colon);
  Json artifact = {{"uri", AsUri(path)}};
  if (!path.starts_with('/')) artifact["uriBaseId"] = kSourceRoot;
  Json location = {{"artifactLocation", artifact}};
  const int line = colon == std::string::npos ? 0 : std::atoi(site.c_str() + colon + 1);
  if (line > 0) location["region"] = {{"startLine", line}};
  return location;
}

Json Location(const ThreadEvidence& evidence) {
  Json location = {
      {"message", Text(evidence.thread + (evidence.what.empty() ? "" : ": " + evidence.what))}};
  if (!evidence.site.empty()) location["physicalLocation"] = PhysicalLocation(evidence.site);
  return location;
}

Json StackOf(const ThreadEvidence& evidence) {
  Json frames = Json::array();
  for (const std::string& function : evidence.stack)
    frames.push_back({{"location", {{"logicalLocations", {{{"fullyQualifiedName", function}}}}}}});
  return {{"frames", frames}};
}

// One flow for what a thread did in a row.
Json ThreadFlows(const std::vector<ThreadEvidence>& threads) {
  Json flows = Json::array();
  for (const ThreadEvidence& evidence : threads) {
    Json step = {{"location", Location(evidence)}};
    if (!evidence.stack.empty()) step["stack"] = StackOf(evidence);
    if (flows.empty() || flows.back()["id"] != evidence.thread)
      flows.push_back({{"id", evidence.thread}, {"locations", Json::array()}});
    flows.back()["locations"].push_back(std::move(step));
  }
  return flows;
}

// Where a thread took its second lock; else the first place that there is.
const ThreadEvidence* Primary(const std::vector<ThreadEvidence>& threads) {
  if (threads.size() > 1 && threads[0].thread == threads[1].thread && !threads[1].site.empty())
    return &threads[1];
  for (const ThreadEvidence& evidence : threads)
    if (!evidence.site.empty()) return &evidence;
  return nullptr;
}

Json Result(const CountedFinding& counted, const std::vector<Rule>& rules) {
  const locking::Finding& finding = counted.finding;
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [&](const Rule& each) { return each.id == finding.id; });
  Json result = {{"ruleId", finding.id},
                 {"ruleIndex", rule - rules.begin()},
                 {"level", counted.fails ? "error" : "note"},
                 {"message", Text(finding.title)},
                 {"locations", Json::array()},
                 {"relatedLocations", Json::array()}};
  const ThreadEvidence* primary = Primary(finding.threads);
  for (const ThreadEvidence& evidence : finding.threads) {
    if (evidence.site.empty()) continue;
    Json location = Location(evidence);
    if (&evidence == primary) {
      result["locations"].push_back(std::move(location));
      continue;
    }
    location["id"] = result["relatedLocations"].size() + 1;
    result["relatedLocations"].push_back(std::move(location));
  }
  if (!finding.threads.empty())
    result["codeFlows"] = Json::array({{{"threadFlows", ThreadFlows(finding.threads)}}});
  result["fingerprints"] = {{"signature/v1", finding.signature}};
  result["occurrenceCount"] = std::max<std::uint64_t>(counted.count, 1);
  result["properties"] = {{"tier", finding.tier}, {"classes", finding.classes}};
  return result;
}

}  // namespace

nlohmann::ordered_json SarifLog(const std::string& command,
                                const std::vector<CountedFinding>& findings,
                                const std::vector<SarifNotice>& notices) {
  const std::vector<Rule> rules = RulesOf(findings);
  Json driver = {
      {"name", "vmstress"}, {"version", std::string(kVersion)}, {"rules", Json::array()}};
  for (const Rule& rule : rules) driver["rules"].push_back(RuleJson(rule));
  Json results = Json::array();
  for (const CountedFinding& counted : findings) results.push_back(Result(counted, rules));
  Json notifications = Json::array();
  for (const SarifNotice& notice : notices)
    notifications.push_back({{"level", notice.level}, {"message", Text(notice.text)}});
  Json run = {
      {"tool", {{"driver", driver}}},
      {"automationDetails", {{"id", "vmstress/" + command + "/"}}},
      {"invocations", Json::array({{{"executionSuccessful", true},
                                    {"toolExecutionNotifications", notifications}}})},
      {"originalUriBaseIds", {{kSourceRoot, {{"description", Text("The root of the sources.")}}}}},
      {"columnKind", "utf16CodeUnits"},
      {"results", results}};
  return {{"$schema", kSchema}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
}

}  // namespace stress
