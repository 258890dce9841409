#include "stress/report/run_report.h"

#include "stress/command/build_info.h"
#include "stress/config/setting.h"
#include "stress/config/text.h"
#include "stress/report/machine_report.h"
#include "stress/report/text.h"
#include "vm/counters.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

Json ConfigJson(const RunPlan& plan, const RunResult& result) {
  const Settings& settings = plan.scenario.settings;
  Json config = {{"scenario", plan.scenario.name},
                 {"pages", plan.machine.pages},
                 {"page_size", plan.machine.page_size},
                 {"cpus", plan.machine.cpus},
                 {"swap_slots", plan.machine.swap_slots},
                 {"store", plan.store},
                 {"store_caching", result.store_caching},
                 {"locks", vm::LockDialectName(plan.machine.locks)},
                 {"anon", settings.Text("anon")},
                 {"index", vm::IndexKindName(plan.machine.index)},
                 {"idle_zero", plan.machine.idle_zero},
                 {"reservation_pages", plan.machine.reservation_pages},
                 {"device_frames", plan.machine.device_frames},
                 {"holes", settings.Number("holes")},
                 {"witness", settings.Text("witness")},
                 {"keep_going", plan.keep_going},
                 {"pin", plan.pin},
                 {"duration_ns", plan.duration_ns},
                 {"operations", plan.operations},
                 {"sweep_interval_ns", plan.sweep_interval_ns},
                 {"hold_limit_ns", plan.limits.hold_ns},
                 {"wait_limit_ns", plan.limits.wait_ns}};
  config["commit_percent"] = settings.Number("commit_percent");
  config["charge_percent"] = settings.Number("charge_percent");
  config["faults"] = {{"store_write_error", plan.store_faults.write_error},
                      {"store_read_error", plan.store_faults.read_error},
                      {"store_full", plan.store_faults.full}};
  Json workers = Json::array();
  for (const WorkerSpec& spec : plan.scenario.workers) {
    Json worker = {{"kind", spec.kind}};
    if (spec.count > 0)
      worker["count"] = spec.count;
    else
      worker["weight"] = spec.weight;
    for (const auto& [key, value] : spec.parameters) worker[key] = value.text;
    workers.push_back(std::move(worker));
  }
  config["workers"] = std::move(workers);
  return config;
}

Json LocksJson(const RunResult& result) {
  Json locks = Json::array();
  for (const locking::LockStatistics& lock : result.locks)
    locks.push_back({{"class", lock.name},
                     {"acquisitions", lock.acquisitions},
                     {"contended", lock.contended},
                     {"wait_ns", lock.wait_ns},
                     {"hold_ns_max", lock.hold_ns_max}});
  return locks;
}

Json CountsJson(const NamedCounts& counts) {
  Json object = Json::object();
  for (const auto& [name, value] : counts) object[name] = value;
  return object;
}

double PerSecond(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::uint64_t TotalOperations(const RunResult& result) {
  std::uint64_t total = 0;
  for (const auto& [kind, count] : result.operations) total += count;
  return total;
}

std::uint64_t EventCount(const RunResult& result, vm::Event event) {
  for (const auto& [name, count] : result.counters)
    if (name == vm::EventName(event)) return count;
  return 0;
}

std::string SwapLine(const RunPlan& plan, const RunResult& result) {
  const auto count = [&](vm::Event event) {
    return static_cast<unsigned long long>(EventCount(result, event));
  };
  std::string line = Format("swap        %llu pages written, %llu read", count(vm::Event::kPageOut),
                            count(vm::Event::kPageIn));
  line += Format("; failed: %llu writes, %llu reads, %llu without a slot",
                 count(vm::Event::kPageOutError), count(vm::Event::kPageInError),
                 count(vm::Event::kSwapFull));
  if (plan.store != "memory") line += "; " + plan.store + ", " + result.store_caching;
  return line + "\n";
}

std::string FindingsSummary(const RunResult& result) {
  std::string out;
  for (const CountedFinding& counted : result.findings)
    out += (counted.fails ? "failure     " : "listed      ") + FindingLine(counted) + "\n";
  for (const auto& [name, dropped] : result.dropped)
    out += "dropped     " + name + ": " + std::to_string(dropped) +
           " acquisitions for want of memory; orders that end in it may be missing\n";
  return out;
}

Json DroppedJson(const RunResult& result) {
  Json dropped = Json::array();
  for (const auto& [name, acquisitions] : result.dropped)
    dropped.push_back({{"class", name}, {"acquisitions", acquisitions}});
  return dropped;
}

}  // namespace

nlohmann::ordered_json FindingJson(const locking::Finding& finding) {
  Json threads = Json::array();
  for (const locking::ThreadEvidence& evidence : finding.threads)
    threads.push_back({{"thread", evidence.thread},
                       {"what", evidence.what},
                       {"site", evidence.site},
                       {"held", evidence.held},
                       {"stack", evidence.stack}});
  return {{"id", finding.id},         {"tier", finding.tier},
          {"title", finding.title},   {"classes", finding.classes},
          {"threads", threads},       {"log_tail", finding.log_tail},
          {"replay", finding.replay}, {"signature", finding.signature}};
}

nlohmann::ordered_json FindingsJson(const std::vector<CountedFinding>& findings, bool failing) {
  Json list = Json::array();
  for (const CountedFinding& counted : findings) {
    if (counted.fails != failing) continue;
    Json json = FindingJson(counted.finding);
    json["count"] = counted.count;
    list.push_back(std::move(json));
  }
  return list;
}

std::string FindingLine(const CountedFinding& counted) {
  const locking::Finding& finding = counted.finding;
  std::string line =
      finding.id + (finding.tier.empty() ? "" : " (" + finding.tier + ")") + ": " + finding.title;
  if (counted.count > 1) line += " [" + std::to_string(counted.count) + " times]";
  return line;
}

nlohmann::ordered_json FailuresJson(const RunResult& result) {
  return FindingsJson(result.findings, true);
}

nlohmann::ordered_json RunJson(const RunPlan& plan, const RunResult& result) {
  Json operations = Json::object();
  Json rates = Json::object();
  for (const auto& [kind, count] : result.operations) {
    operations[kind] = count;
    rates[kind] = PerSecond(count, result.seconds);
  }
  return {{"schema", "vmstress.run/1"},
          {"build", BuildJson()},
          {"host", HostJson()},
          {"verdict", RunVerdictName(result.verdict)},
          {"seed", plan.seed},
          {"threads", plan.threads},
          {"seconds", result.seconds},
          {"replay", plan.replay},
          {"config", ConfigJson(plan, result)},
          {"operations", operations},
          {"rates", rates},
          {"failures", FailuresJson(result)},
          {"listed", FindingsJson(result.findings, false)},
          {"locks", LocksJson(result)},
          {"dropped_classes", DroppedJson(result)},
          {"invariants",
           {{"sweeps", result.sweeps},
            {"missed", result.sweeps_missed},
            {"checked", result.invariants_checked}}},
          {"oracle",
           {{"loads_checked", result.loads_checked},
            {"stores", result.stores},
            {"refused", result.refused}}},
          {"memory", CountsJson(result.memory)},
          {"counters", CountsJson(result.counters)},
          {"peak_rss_bytes", result.peak_rss_bytes},
          {"machine", result.machine.has_value() ? MachineJson(*result.machine) : Json()}};
}

std::string JsonText(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

namespace {

// What is not as usual.
std::string DialectText(const vm::SystemConfig& machine) {
  std::string text;
  if (machine.locks != vm::SystemConfig().locks)
    text += std::string("locks ") + vm::LockDialectName(machine.locks) + ", ";
  if (machine.index != vm::SystemConfig().index)
    text += std::string("index ") + vm::IndexKindName(machine.index) + ", ";
  return text;
}

}  // namespace

std::string RunHeadline(const RunPlan& plan) {
  const char* witness = plan.witness == WitnessMode::kOff      ? "off"
                        : plan.witness == WitnessMode::kStrict ? "strict"
                                                               : "on";
  return Format(
      "scenario    %s, seed %llu, %u threads on %u cpus, %u pages of %s, %u swap slots, %s"
      "witness %s%s\n",
      OneLine(plan.scenario.name).c_str(), static_cast<unsigned long long>(plan.seed), plan.threads,
      plan.machine.cpus, plan.machine.pages,
      FormatValue(ValueType::kSize, plan.machine.page_size).c_str(), plan.machine.swap_slots,
      DialectText(plan.machine).c_str(), witness, plan.pin ? ", pinned" : "");
}

std::string RunSummary(const RunPlan& plan, const RunResult& result) {
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  const std::uint64_t total = TotalOperations(result);
  std::string out = Format("operations  %llu in %.1f s (%.0f/s):", number(total), result.seconds,
                           PerSecond(total, result.seconds));
  for (const auto& [kind, count] : result.operations)
    out += " " + kind + " " + std::to_string(count);
  out += Format("\noracle      %llu loads checked, %llu stores, %llu operations refused\n",
                number(result.loads_checked), number(result.stores), number(result.refused));
  out += SwapLine(plan, result);
  out += Format("invariants  %llu sweeps, %llu missed, %zu invariants\n", number(result.sweeps),
                number(result.sweeps_missed), result.invariants_checked.size());
  out += FindingsSummary(result);
  out += "replay      " + plan.replay + "\n";
  out += std::string("verdict     ") + RunVerdictName(result.verdict) + "\n";
  return out;
}

}  // namespace stress
