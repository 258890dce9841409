#include "stress/report/scale_report.h"

#include <algorithm>
#include <cstring>

#include "stress/command/build_info.h"
#include "stress/config/setting.h"
#include "stress/config/text.h"
#include "stress/report/run_report.h"
#include "stress/report/text.h"

namespace stress {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kMode[] = "native";
constexpr std::size_t kClassesShown = 4;     // of each point in the table
constexpr double kShareOfALimit = 0.01;      // of the threads' time; less limits nobody
constexpr double kPercentOfAQuietHost = 10;  // between rounds

Json WaitingJson(const ScalePoint& point) {
  Json waiting = Json::array();
  for (const WaitingClass& lock : point.waiting)
    waiting.push_back({{"class", lock.name},
                       {"wait_share", lock.wait_share},
                       {"contended_share", lock.contended_share},
                       {"wait_ns", lock.wait_ns}});
  return waiting;
}

Json PointJson(const ScalePlan& plan, vm::LockDialect locks, const ScalePoint& point) {
  Json efficiency = nullptr;
  if (point.efficiency.has_value()) efficiency = *point.efficiency;
  return {{"cpus", point.threads},
          {"mode", kMode},
          {"locks", vm::LockDialectName(locks)},
          {"operations_per_second", point.spread.median},
          {"efficiency", efficiency},
          {"waiting", WaitingJson(point)},
          {"rounds", point.rates},
          {"oversubscribed", plan.Oversubscribed(point.threads)}};
}

Json FitJson(const std::optional<ScalabilityLaw>& fit) {
  if (!fit.has_value()) return nullptr;
  Json peak = nullptr;
  if (const auto threads = fit->Peak()) peak = *threads;
  return {{"sigma", fit->sigma}, {"kappa", fit->kappa}, {"peak_cpus", peak}};
}

Json FitsJson(const ScaleResult& result) {
  Json fits = Json::array();
  for (const ScaleCurve& curve : result.curves)
    fits.push_back({{"locks", vm::LockDialectName(curve.locks)}, {"fit", FitJson(curve.fit)}});
  return fits;
}

Json ConfigJson(const ScalePlan& plan) {
  const RunPlan& run = plan.runs.front();
  return {{"scenario", run.scenario.name},
          {"seed", run.seed},
          {"pages", run.machine.pages},
          {"page_size", run.machine.page_size},
          {"swap_slots", run.machine.swap_slots},
          {"store", run.store},
          {"index", vm::IndexKindName(run.machine.index)},
          {"duration_ns", run.duration_ns},
          {"rounds", plan.rounds},
          {"cores", plan.cores},
          {"pin", run.pin}};
}

double Percent(double share) { return share * 100; }

std::string WaitingText(const ScalePoint& point) {
  std::string out;
  for (std::size_t i = 0; i < std::min(point.waiting.size(), kClassesShown); ++i) {
    const WaitingClass& lock = point.waiting[i];
    out += Format("%s%s %.1f%% (%.2f%%)", i == 0 ? "" : ", ", lock.name.c_str(),
                  Percent(lock.wait_share), Percent(lock.contended_share));
  }
  return out.empty() ? "none" : out;
}

std::string Table(const ScalePlan& plan, const ScaleCurve& result) {
  std::string out =
      "threads  operations/s  spread  efficiency  waiting: share of the threads' time (of the "
      "acquisitions)\n";
  bool starred = false;
  for (const ScalePoint& point : result.points) {
    const bool over = plan.Oversubscribed(point.threads);
    starred |= over;
    const std::string efficiency =
        point.efficiency.has_value() ? Format("%.1f%%", Percent(*point.efficiency)) : "-";
    out += Format("%6u%c %13.0f %6.1f%% %11s  %s\n", point.threads, over ? '*' : ' ',
                  point.spread.median, PercentOf(point.spread), efficiency.c_str(),
                  WaitingText(point).c_str());
  }
  if (starred)
    out += Format(
        "note        *: more threads than the %u usable cores: measures preemption, not scaling\n",
        plan.cores);
  const bool noisy =
      std::any_of(result.points.begin(), result.points.end(), [&](const ScalePoint& point) {
        return !plan.Oversubscribed(point.threads) &&
               PercentOf(point.spread) > kPercentOfAQuietHost;
      });
  if (noisy)
    out += "note        rounds differ by more than 10%: something else may use the cores\n";
  const bool from_one = !result.points.empty() && result.points.front().efficiency.has_value();
  if (!from_one && !result.points.empty())
    out += "note        no efficiency: one thread was not measured\n";
  return out;
}

std::string FitLine(const ScalePlan& plan, const ScaleCurve& result) {
  if (!result.fit.has_value()) {
    const auto usable =
        std::count_if(result.points.begin(), result.points.end(),
                      [&](const ScalePoint& point) { return !plan.Oversubscribed(point.threads); });
    return Format(
        "fit         none: %zu numbers of threads up to the %u usable cores are needed, "
        "here are %zu\n",
        kPointsOfAFit, plan.cores, static_cast<std::size_t>(usable));
  }
  const ScalabilityLaw& law = *result.fit;
  std::string out = Format("fit         sigma %.4f, kappa %.6f", law.sigma, law.kappa);
  const auto peak = law.Peak();
  if (!peak.has_value()) return out + "; no peak\n";
  out += Format("; peak at %llu threads", static_cast<unsigned long long>(*peak));
  return out + (*peak > plan.cores ? ", extrapolated\n" : "\n");
}

// Where all cores are busy and no thread waits for one; nullptr: not measured.
const ScalePoint* LargestPoint(const ScalePlan& plan, const ScaleCurve& curve) {
  const ScalePoint* largest = nullptr;
  for (const ScalePoint& point : curve.points)
    if (!plan.Oversubscribed(point.threads)) largest = &point;
  return largest;
}

// The lock that costs most there.
std::string LimitLine(const ScalePlan& plan, const ScaleCurve& curve) {
  const ScalePoint* largest = LargestPoint(plan, curve);
  if (largest == nullptr) return "";
  const WaitingClass lock = largest->waiting.empty() ? WaitingClass{} : largest->waiting.front();
  if (lock.wait_share < kShareOfALimit)
    return Format("limit       no lock: none takes %.0f%% of the threads' time at %u threads\n",
                  Percent(kShareOfALimit), largest->threads);
  return Format("limit       %s: %.1f%% of the threads' time at %u threads\n", lock.name.c_str(),
                Percent(lock.wait_share), largest->threads);
}

// What the other granularities make of the first one's rate.
std::string ComparedLine(const ScalePlan& plan, const ScaleResult& result) {
  const ScaleCurve& first = result.curves.front();
  const ScalePoint* base = LargestPoint(plan, first);
  if (base == nullptr || base->spread.median <= 0) return "";
  std::string out;
  for (const ScaleCurve& curve : result.curves) {
    const ScalePoint* point = LargestPoint(plan, curve);
    if (&curve == &first || point == nullptr || point->threads != base->threads) continue;
    out += Format("%s%s %.2f", out.empty() ? "compared    " : ", ",
                  vm::LockDialectName(curve.locks), point->spread.median / base->spread.median);
  }
  if (out.empty()) return out;
  return out + Format(" of %s at %u threads\n", vm::LockDialectName(first.locks), base->threads);
}

}  // namespace

nlohmann::ordered_json ScaleJson(const ScalePlan& plan, const ScaleResult& result) {
  Json points = Json::array();
  for (const ScaleCurve& curve : result.curves)
    for (const ScalePoint& point : curve.points)
      points.push_back(PointJson(plan, curve.locks, point));
  Json failures = Json::array();
  if (result.broken.has_value()) failures = FailuresJson(*result.broken);
  return {{"schema", "vmstress.scale/1"},
          {"build", BuildJson()},
          {"host", HostJson()},
          {"verdict", RunVerdictName(result.verdict)},
          {"config", ConfigJson(plan)},
          {"points", points},
          {"fit", FitJson(result.curves.front().fit)},
          {"fits", FitsJson(result)},
          {"failures", failures}};
}

std::string ScaleHeadline(const ScalePlan& plan) {
  const RunPlan& run = plan.runs.front();
  std::string out = Format(
      "scenario    %s, seed %llu, %u pages of %s, %u rounds of %s a point, %u usable cores, "
      "witness off%s\n",
      OneLine(run.scenario.name).c_str(), static_cast<unsigned long long>(run.seed),
      run.machine.pages, FormatValue(ValueType::kSize, run.machine.page_size).c_str(), plan.rounds,
      FormatValue(ValueType::kDuration, run.duration_ns).c_str(), plan.cores,
      run.pin ? ", pinned" : "");
  if (std::strcmp(BuildConfig(), "release") != 0)
    out += Format("note        built as %s: figures of the VM need the configuration release\n",
                  BuildConfig());
  return out;
}

std::string ScaleSummary(const ScalePlan& plan, const ScaleResult& result) {
  std::string out;
  for (const ScaleCurve& curve : result.curves) {
    if (result.curves.size() > 1 || curve.locks != vm::SystemConfig().locks)
      out += Format("locks       %s\n", vm::LockDialectName(curve.locks));
    out += Table(plan, curve) + FitLine(plan, curve) + LimitLine(plan, curve);
  }
  out += ComparedLine(plan, result);
  if (result.verdict == RunVerdict::kFailed && result.broken && result.broken_plan)
    return out + RunSummary(*result.broken_plan, *result.broken);
  return out + "verdict     " + RunVerdictName(result.verdict) + "\n";
}

}  // namespace stress
