#include "stress/report/comparison.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/report/spread.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kGoogleBenchmark[] = "Google Benchmark";

void AddNumber(const std::string& name, const std::string& unit, const Json& value,
               ResultRows* result) {
  if (value.is_number()) result->rows.push_back({name, unit, {value.get<double>()}, ""});
}

void AddPercent(const std::string& name, const Json& share, ResultRows* result) {
  if (share.is_number()) result->rows.push_back({name, "%", {100 * share.get<double>()}, ""});
}

void AddWord(const std::string& name, const Json& value, ResultRows* result) {
  if (!value.is_null()) result->rows.push_back({name, "", {}, value.get<std::string>()});
}

// One row a benchmark, with the samples of its repetitions; of a file that holds only aggregates,
// their median.
void ReadGoogleBenchmark(const Json& json, ResultRows* result) {
  std::map<std::string, std::size_t> rows;
  const auto add = [&](const Json& run, const std::string& name) {
    const auto [row, is_new] = rows.try_emplace(name, result->rows.size());
    if (is_new) result->rows.push_back({name, run.at("time_unit"), {}, ""});
    result->rows[row->second].samples.push_back(run.at("real_time").get<double>());
  };
  const auto name_of = [](const Json& run) -> std::string {
    return run.contains("run_name") ? run.at("run_name") : run.at("name");
  };
  const Json& runs = json.at("benchmarks");
  for (const Json& run : runs)
    if (!run.value("error_occurred", false) && run.value("run_type", "iteration") == "iteration")
      add(run, name_of(run));
  for (const Json& run : runs)
    if (run.value("aggregate_name", "") == "median" && !rows.contains(name_of(run)))
      add(run, name_of(run));
}

void ReadRun(const Json& json, ResultRows* result) {
  AddWord("verdict", json.at("verdict"), result);
  for (const auto& [kind, rate] : json.at("rates").items()) AddNumber(kind, "/s", rate, result);
  for (const Json& lock : json.at("locks")) {
    const std::string name = "lock " + lock.at("class").get<std::string>();
    AddNumber(name + ": acquisitions", "", lock.at("acquisitions"), result);
    AddNumber(name + ": contended", "", lock.at("contended"), result);
  }
  AddNumber("failures", "", json.at("failures").size(), result);
  AddNumber("peak memory", "B", json.at("peak_rss_bytes"), result);
}

void ReadExplore(const Json& json, ResultRows* result) {
  AddWord("verdict", json.at("verdict"), result);
  AddWord("strategy", json.at("strategy"), result);
  AddNumber("executions", "", json.at("executions"), result);
  AddNumber("scheduling points", "", json.at("scheduling_points"), result);
  AddNumber("executions a second", "/s", json.at("executions_per_second"), result);
  AddNumber("first failure in execution", "", json.at("first_failure_execution"), result);
  AddNumber("different failures", "", json.at("failures").size(), result);
  AddWord("trace hash", json.at("trace_hash"), result);
}

// What a point's rows begin with: nothing where all points have one granularity of the locks.
std::string LocksPrefix(const Json& json, const Json& locks) {
  const Json& points = json.at("points");
  const bool one = std::all_of(points.begin(), points.end(),
                               [&](const Json& point) { return point.at("locks") == locks; });
  return one ? "" : locks.get<std::string>() + ": ";
}

void AddFit(const std::string& prefix, const Json& fit, ResultRows* result) {
  if (fit.is_null()) return;
  for (const char* key : {"sigma", "kappa", "peak_cpus"})
    AddNumber(prefix + "fit: " + key, "", fit.at(key), result);
}

// Each number of threads, with the rates of its rounds; what was measured first, since figures of
// two scenarios or machines say nothing about a change.
void ReadScale(const Json& json, ResultRows* result) {
  AddWord("verdict", json.at("verdict"), result);
  const Json& config = json.at("config");
  AddWord("scenario", config.at("scenario"), result);
  AddWord("store", config.at("store"), result);
  for (const char* key : {"pages", "cores"}) AddNumber(key, "", config.at(key), result);
  for (const Json& point : json.at("points")) {
    const std::string prefix = LocksPrefix(json, point.at("locks"));
    if (prefix.empty() && &point == &json.at("points").front())
      AddWord("locks", point.at("locks"), result);
    const auto threads = point.at("cpus").get<std::uint32_t>();
    const std::string name =
        prefix + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
    const auto rounds = point.at("rounds").get<std::vector<double>>();
    if (!rounds.empty()) result->rows.push_back({name, "/s", rounds, ""});
    AddPercent(name + ": efficiency", point.at("efficiency"), result);
    for (const Json& lock : point.at("waiting"))
      AddPercent(name + ": waiting for " + lock.at("class").get<std::string>(),
                 lock.at("wait_share"), result);
  }
  if (!json.contains("fits")) return AddFit("", json.at("fit"), result);  // of an older version
  for (const Json& fit : json.at("fits"))
    AddFit(LocksPrefix(json, fit.at("locks")), fit.at("fit"), result);
}

void ReadLockOrder(const Json& json, ResultRows* result) {
  AddWord("verdict", json.at("verdict"), result);
  for (const char* key : {"unapproved", "unexercised", "cycles"})
    AddNumber(key, "", json.at(key).size(), result);
  for (const Json& edge : json.at("edges"))
    AddNumber(edge.at("from").get<std::string>() + " -> " + edge.at("to").get<std::string>(), "",
              edge.at("count"), result);
}

void ReadRatios(const Json& json, ResultRows* result) {
  for (const Json& row : json.at("comparisons"))
    if (!row.at("samples").empty())
      result->rows.push_back({row.at("name"), row.at("unit"), row.at("samples"), ""});
}

struct Kind {
  const char* schema;
  void (*read)(const Json& json, ResultRows* result);
};
constexpr Kind kKinds[] = {
    {"vmstress.run/1", ReadRun},       {"vmstress.explore/1", ReadExplore},
    {"vmstress.scale/1", ReadScale},   {"vmstress.lockorder/1", ReadLockOrder},
    {"vmstress.ratios/1", ReadRatios}, {kGoogleBenchmark, ReadGoogleBenchmark}};

std::string KindOf(const Json& json) {
  if (!json.is_object()) return "";
  if (json.contains("schema") && json["schema"].is_string()) return json["schema"];
  return json.contains("benchmarks") ? kGoogleBenchmark : "";
}

const ResultRow* Find(const ResultRows& result, const std::string& name) {
  const auto found = std::find_if(result.rows.begin(), result.rows.end(),
                                  [&](const ResultRow& row) { return row.name == name; });
  return found == result.rows.end() ? nullptr : &*found;
}

std::string Cell(const ResultRow* row) {
  if (row == nullptr) return "-";
  if (row->samples.empty()) return row->word;
  const Spread spread = SpreadOf(row->samples);
  std::string cell = FormatFigure(spread.median) + row->unit;
  // Of a single sample the spread is not known.
  if (row->samples.size() == 1) return cell;
  char percent[32];
  std::snprintf(percent, sizeof percent, " ± %.0f%%", PercentOf(spread));
  return cell + percent;
}

std::string Change(const ResultRow* a, const ResultRow* b) {
  if (a == nullptr) return "new";
  if (b == nullptr) return "gone";
  if (a->unit != b->unit || a->samples.empty() != b->samples.empty()) return "not comparable";
  if (a->samples.empty()) return a->word == b->word ? "=" : "changed";
  const Spread before = SpreadOf(a->samples), after = SpreadOf(b->samples);
  if (before.median == after.median) return "=";
  if (Overlap(before, after)) return "~";
  if (before.median == 0) return "from 0";
  char text[48];
  std::snprintf(text, sizeof text, "%+.1f%%", 100 * (after.median / before.median - 1));
  return text;
}

// As many columns as it takes on a screen: `±` is two bytes.
std::string Padded(const std::string& text, std::size_t width) {
  const auto columns = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  return text + std::string(columns < width ? width - columns : 0, ' ');
}

}  // namespace

ResultRows ReadResult(const std::string& text, const std::string& path) {
  const std::string where = OneLine(path);
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) FailUsage(where + ": is not JSON, or was cut off");
  const std::string name = KindOf(json);
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const Kind& each) { return name == each.schema; });
  if (kind == std::end(kKinds)) {
    std::vector<std::string> schemas;
    for (const Kind& each : kKinds) schemas.emplace_back(each.schema);
    FailUsage(where + ": is no result" +
              (name.empty() ? "" : " that can be compared: " + OneLine(name)) +
              "; accepted: " + Join(schemas, ", "));
  }
  ResultRows result{kind->schema, {}};
  try {
    kind->read(json, &result);
  } catch (const Json::exception& error) {
    FailUsage(where + ": is no whole result of " + name + ": " + OneLine(error.what()));
  }
  return result;
}

std::string ComparisonTable(const ResultRows& a, const ResultRows& b) {
  std::vector<std::vector<std::string>> table = {{"name", "A", "B", "change"}};
  const auto add = [&](const std::string& name, const ResultRow* before, const ResultRow* after) {
    table.push_back(
        {OneLine(name), OneLine(Cell(before)), OneLine(Cell(after)), Change(before, after)});
  };
  for (const ResultRow& row : a.rows) add(row.name, &row, Find(b, row.name));
  for (const ResultRow& row : b.rows)
    if (Find(a, row.name) == nullptr) add(row.name, nullptr, &row);
  constexpr std::size_t kGap = 2;
  std::vector<std::size_t> widths(3);
  for (const auto& row : table)
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size() + kGap);
  std::string out;
  for (const auto& row : table) {
    for (std::size_t i = 0; i < widths.size(); ++i) out += Padded(row[i], widths[i]);
    out += row.back() + "\n";
  }
  return out;
}

}  // namespace stress
