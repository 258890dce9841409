#include "stress/run/scaling.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "stress/host/machine.h"

namespace stress {
namespace {

constexpr double kNsPerSecond = 1e9;

// What `scale` takes under `key`, or its default there.
std::string TextOf(const Settings& flags, const char* key) {
  return flags.Given(key) ? flags.Text(key) : FindSetting(key, kScaleCommand)->fallback;
}

std::uint64_t NumberOf(const Settings& flags, const char* key) {
  return ParseValue(*FindSetting(key, kScaleCommand), TextOf(flags, key), FlagOf(key)).number;
}

std::vector<std::uint32_t> ThreadCounts(const Settings& flags, std::uint32_t cores) {
  if (!flags.Given("cpus")) return DefaultThreadCounts(cores);
  std::vector<std::uint32_t> counts;
  for (const Value& value :
       ParseList(*FindSetting("cpus", kScaleCommand), flags.Text("cpus"), "--cpus"))
    counts.push_back(static_cast<std::uint32_t>(value.number));
  std::sort(counts.begin(), counts.end());
  return counts;
}

// Of the flags of `scale` those that mean the same to a run, and what every point has in common.
Settings CommonFlags(const Settings& flags) {
  Settings common;
  for (const char* key : {"scenario", "pages", "page_size", "swap_slots", "store", "index",
                          "idle_zero", "reservation_pages", "pin"}) {
    if (!flags.Given(key)) continue;
    common.Set(key, {flags.Number(key), flags.Text(key)}, flags.Origin(key));
  }
  common.Set("duration", {NumberOf(flags, "duration"), TextOf(flags, "duration")}, "--duration");
  common.Set("sweep_interval", {0, "0s"}, "scale");
  common.Set("witness", {0, "off"}, "scale");
  return common;
}

void SetNumber(Settings* flags, const char* key, std::uint64_t number, const char* origin) {
  flags->Set(key, {number, std::to_string(number)}, origin);
}

// Sums over the rounds of a point.
struct Sums {
  std::vector<double> rates;
  double thread_seconds = 0;
  std::map<std::string, locking::LockStatistics> locks;

  void Add(const RunPlan& plan, const RunResult& result) {
    double operations = 0;
    for (const auto& [kind, count] : result.operations) operations += static_cast<double>(count);
    rates.push_back(operations / result.seconds);
    thread_seconds += result.seconds * plan.threads;
    for (const locking::LockStatistics& lock : result.locks) {
      locking::LockStatistics& sum = locks[lock.name];
      sum.name = lock.name;
      sum.acquisitions += lock.acquisitions;
      sum.contended += lock.contended;
      sum.wait_ns += lock.wait_ns;
    }
  }

  ScalePoint Point(std::uint32_t threads) const {
    std::vector<locking::LockStatistics> all;
    for (const auto& [name, lock] : locks) all.push_back(lock);
    return {threads, rates, WaitingClasses(all, thread_seconds), SpreadOf(rates)};
  }
};

// `sums`: of all points, curve by curve.
ScaleResult ResultOf(const ScalePlan& plan, const std::vector<Sums>& sums, RunVerdict verdict) {
  ScaleResult result;
  result.verdict = verdict;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t point = i % plan.threads.size();
    if (point == 0) result.curves.push_back({plan.locks[i / plan.threads.size()], {}});
    if (!sums[i].rates.empty())
      result.curves.back().points.push_back(sums[i].Point(plan.threads[point]));
  }
  for (ScaleCurve& curve : result.curves) Judge(plan, &curve);
  return result;
}

// The names of the granularities that are asked for; one that is empty: the scenario's.
std::vector<std::string> LocksAsked(const Settings& flags) {
  if (!flags.Given("locks")) return {""};
  std::vector<std::string> names;
  for (const Value& value :
       ParseList(*FindSetting("locks", kScaleCommand), flags.Text("locks"), "--locks"))
    names.push_back(value.text);
  return names;
}

}  // namespace

std::vector<std::uint32_t> DefaultThreadCounts(std::uint32_t cores) {
  const auto most = static_cast<std::uint32_t>(FindSetting("cpus", kScaleCommand)->max);
  std::vector<std::uint32_t> counts;
  for (std::uint32_t count = 1; count < cores; count *= 2) counts.push_back(count);
  counts.push_back(cores);
  counts.push_back(cores * 2);
  std::erase_if(counts, [most](std::uint32_t count) { return count > most; });
  return counts;
}

ScalePlan PlanScaling(const Settings& flags) {
  ScalePlan plan;
  plan.cores = UsableCores();
  plan.threads = ThreadCounts(flags, plan.cores);
  plan.rounds = static_cast<std::uint32_t>(NumberOf(flags, "rounds"));
  const std::uint64_t seed = flags.Given("seed") ? flags.Number("seed") : 1;
  Settings of_run = CommonFlags(flags);
  const std::vector<std::string> locks = LocksAsked(flags);
  for (std::uint32_t round = 0; round < plan.rounds; ++round) {
    SetNumber(&of_run, "seed", seed + round, "--seed");
    for (const std::string& name : locks) {
      if (!name.empty()) of_run.Set("locks", {0, name}, "--locks");
      for (const std::uint32_t threads : plan.threads) {
        SetNumber(&of_run, "threads", threads, "--cpus");
        RunPlan run = PlanRun(of_run);
        // The same machine and as many address spaces at each point: the threads alone change.
        run.world.min_spaces = std::max(2u, plan.threads.back() / 2);
        if (plan.runs.empty())
          SetNumber(&of_run, "pages", run.machine.pages,
                    run.scenario.settings.Origin("pages").c_str());
        plan.runs.push_back(std::move(run));
      }
      if (round == 0) plan.locks.push_back(plan.runs.back().machine.locks);
    }
  }
  return plan;
}

std::vector<WaitingClass> WaitingClasses(const std::vector<locking::LockStatistics>& locks,
                                         double thread_seconds) {
  std::vector<WaitingClass> waiting;
  for (const locking::LockStatistics& lock : locks) {
    if (lock.wait_ns == 0 || thread_seconds <= 0) continue;
    const auto taken = static_cast<double>(std::max<std::uint64_t>(lock.acquisitions, 1));
    waiting.push_back({lock.name, lock.wait_ns,
                       static_cast<double>(lock.wait_ns) / kNsPerSecond / thread_seconds,
                       static_cast<double>(lock.contended) / taken});
  }
  std::sort(waiting.begin(), waiting.end(), [](const WaitingClass& a, const WaitingClass& b) {
    return std::tie(b.wait_ns, a.name) < std::tie(a.wait_ns, b.name);
  });
  return waiting;
}

void Judge(const ScalePlan& plan, ScaleCurve* curve) {
  double rate_of_one = 0;
  std::vector<MeasuredRate> up_to_cores;
  for (const ScalePoint& point : curve->points) {
    if (point.threads == 1) rate_of_one = point.spread.median;
    if (!plan.Oversubscribed(point.threads) && point.spread.median > 0)
      up_to_cores.push_back({static_cast<double>(point.threads), point.spread.median});
  }
  for (ScalePoint& point : curve->points)
    if (rate_of_one > 0) point.efficiency = point.spread.median / (point.threads * rate_of_one);
  curve->fit = FitScalabilityLaw(up_to_cores);
}

ScaleResult MeasureScaling(const ScalePlan& plan, const ScalingHooks& hooks) {
  std::vector<Sums> sums(plan.locks.size() * plan.threads.size());
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const RunPlan& run_plan = plan.runs[i];
    const auto broken = [&](const RunResult& run) {
      ScaleResult result = ResultOf(plan, sums, run.verdict);
      result.broken_plan = run_plan;
      result.broken = run;
      return result;
    };
    NativeRun run(run_plan, {[&](const RunResult& at) { hooks.write_result(broken(at)); },
                             [&](const RunResult& at) { hooks.prepare_for_crash(broken(at)); }});
    const RunResult result = run.Run();
    if (result.verdict != RunVerdict::kClean) return broken(result);
    sums[i % sums.size()].Add(run_plan, result);
  }
  return ResultOf(plan, sums, RunVerdict::kClean);
}

}  // namespace stress
