// Scaling: the fitted law, the figures of a point, the text, the plot; and the command itself.
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stress/config/error.h"
#include "stress/report/scale_plot.h"
#include "stress/report/scale_report.h"
#include "stress/run/scaling.h"
#include "tests/stress/command.h"
#include "tests/well_formed.h"

namespace stress {
namespace {

using nlohmann::json;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<MeasuredRate> RatesOf(const ScalabilityLaw& law, const std::vector<double>& threads) {
  std::vector<MeasuredRate> rates;
  for (const double n : threads) rates.push_back({n, law.RateOf(n)});
  return rates;
}

TEST(ScalabilityLaw, IsFoundAgainInItsOwnPoints) {
  const ScalabilityLaw law{250'000, 0.04, 0.0009};
  for (const std::vector<double>& threads :
       {std::vector<double>{1, 2, 4}, {1, 2, 4, 8, 16, 32, 64, 128, 256}, {2, 3, 5, 7}}) {
    const auto fit = FitScalabilityLaw(RatesOf(law, threads));
    ASSERT_TRUE(fit.has_value());
    EXPECT_NEAR(fit->rate_of_one, law.rate_of_one, 1);
    EXPECT_NEAR(fit->sigma, law.sigma, 1e-6);
    EXPECT_NEAR(fit->kappa, law.kappa, 1e-7);
    EXPECT_EQ(fit->Peak(), 32u) << "sqrt((1 - 0.04) / 0.0009) = 32.66";
  }
}

TEST(ScalabilityLaw, NoiseIsAveraged) {
  const ScalabilityLaw law{1e6, 0.1, 0.001};
  auto rates = RatesOf(law, {1, 2, 4, 8, 16, 32});
  for (std::size_t i = 0; i < rates.size(); ++i) rates[i].rate *= i % 2 == 0 ? 1.02 : 0.98;
  const auto fit = FitScalabilityLaw(rates);
  ASSERT_TRUE(fit.has_value());
  EXPECT_NEAR(fit->sigma, law.sigma, 0.03);
  EXPECT_NEAR(fit->kappa, law.kappa, 0.0005);
}

TEST(ScalabilityLaw, NeitherTermIsNegative) {
  // Faster than perfect, as caches of more cores make it.
  const auto faster =
      FitScalabilityLaw(std::vector<MeasuredRate>{{1, 100}, {2, 210}, {4, 450}, {8, 900}});
  ASSERT_TRUE(faster.has_value());
  EXPECT_EQ(faster->sigma, 0);
  EXPECT_EQ(faster->kappa, 0);
  EXPECT_EQ(faster->Peak(), std::nullopt);
  const auto falling =
      FitScalabilityLaw(std::vector<MeasuredRate>{{1, 100}, {2, 199}, {4, 350}, {8, 300}});
  ASSERT_TRUE(falling.has_value());
  EXPECT_GE(falling->sigma, 0);
  EXPECT_GT(falling->kappa, 0);
  EXPECT_LE(*falling->Peak(), 8u);
}

TEST(ScalabilityLaw, NeedsThreeDifferentNumbersOfThreads) {
  EXPECT_FALSE(FitScalabilityLaw(std::vector<MeasuredRate>{{1, 100}, {2, 200}}));
  EXPECT_FALSE(FitScalabilityLaw(std::vector<MeasuredRate>{{1, 100}, {2, 200}, {2, 190}}));
  EXPECT_TRUE(FitScalabilityLaw(std::vector<MeasuredRate>{{1, 100}, {2, 190}, {4, 350}}));
}

TEST(Scaling, TheDefaultPointsDoubleUpToTheCoresAndOnceBeyond) {
  EXPECT_EQ(DefaultThreadCounts(1), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(DefaultThreadCounts(2), (std::vector<std::uint32_t>{1, 2, 4}));
  EXPECT_EQ(DefaultThreadCounts(6), (std::vector<std::uint32_t>{1, 2, 4, 6, 12}));
  EXPECT_EQ(DefaultThreadCounts(768).back(), 768u) << "as many threads as a run may have";
}

TEST(Scaling, ClassesAreSortedByWaitingAndShared) {
  const auto waiting = WaitingClasses(
      {{"a", 100, 10, 1'000'000'000, 0}, {"b", 50, 0, 0, 0}, {"c", 1000, 5, 2'000'000'000, 0}}, 10);
  ASSERT_EQ(waiting.size(), 2u) << "nobody waited for b";
  EXPECT_EQ(waiting[0].name, "c");
  EXPECT_DOUBLE_EQ(waiting[0].wait_share, 0.2);
  EXPECT_DOUBLE_EQ(waiting[0].contended_share, 0.005);
  EXPECT_EQ(waiting[1].name, "a");
  EXPECT_DOUBLE_EQ(waiting[1].contended_share, 0.1);
}

// A measurement on four cores, without measuring.
struct Measured {
  explicit Measured(const std::vector<std::pair<std::uint32_t, double>>& rates,
                    const std::string& scenario = "mixed") {
    plan.cores = 4;
    plan.rounds = 2;
    plan.locks = {vm::LockDialect::kQueues};
    plan.runs.resize(1);
    plan.runs[0].scenario.name = scenario;
    for (const auto& [threads, rate] : rates) plan.threads.push_back(threads);
    AddCurve(vm::LockDialect::kQueues, rates);
  }
  void AddCurve(vm::LockDialect locks, const std::vector<std::pair<std::uint32_t, double>>& rates) {
    ScaleCurve curve{locks, {}};
    for (const auto& [threads, rate] : rates) {
      const std::vector<double> rounds = {rate * 0.95, rate * 1.05};
      curve.points.push_back({threads, rounds, {}, SpreadOf(rounds)});
    }
    Judge(plan, &curve);
    result.curves.push_back(std::move(curve));
  }
  std::vector<ScalePoint>& points() { return result.curves.front().points; }
  const std::optional<ScalabilityLaw>& fit() const { return result.curves.front().fit; }

  ScalePlan plan;
  ScaleResult result;
};

TEST(Scaling, PointsBeyondTheCoresAreMarkedAndNotFitted) {
  const Measured with({{1, 100}, {2, 190}, {4, 350}, {8, 10}});
  const Measured without({{1, 100}, {2, 190}, {4, 350}});
  ASSERT_TRUE(with.fit().has_value());
  EXPECT_EQ(with.fit()->sigma, without.fit()->sigma);
  const json result = ScaleJson(with.plan, with.result);
  EXPECT_EQ(result["points"][2]["oversubscribed"], false);
  EXPECT_EQ(result["points"][3]["oversubscribed"], true);
  EXPECT_DOUBLE_EQ(result["points"][1]["efficiency"], 0.95);
  EXPECT_TRUE(Contains(ScaleSummary(with.plan, with.result), "measures preemption"));
  EXPECT_FALSE(Contains(ScaleSummary(without.plan, without.result), "preemption"));
}

TEST(Scaling, TooFewPointsGiveNoFitAndSayWhy) {
  const Measured measured({{1, 100}, {4, 350}, {8, 350}});
  EXPECT_TRUE(ScaleJson(measured.plan, measured.result)["fit"].is_null());
  EXPECT_TRUE(Contains(ScaleSummary(measured.plan, measured.result),
                       "none: 3 numbers of threads up to the 4 usable cores are needed"));
}

TEST(Scaling, WithoutASingleThreadThereIsNoEfficiency) {
  const Measured measured({{2, 190}, {4, 350}});
  EXPECT_TRUE(ScaleJson(measured.plan, measured.result)["points"][0]["efficiency"].is_null());
  EXPECT_TRUE(Contains(ScaleSummary(measured.plan, measured.result),
                       "no efficiency: one thread was not measured"));
}

TEST(Scaling, TheLimitIsTheClassThatCostsMostOnAllCores) {
  Measured measured({{1, 100}, {4, 350}, {8, 350}});
  measured.points()[1].waiting = {{"page queues", 7, 0.25, 0.1}};
  measured.points()[2].waiting = {{"object", 9, 0.5, 0.1}};
  EXPECT_TRUE(Contains(ScaleSummary(measured.plan, measured.result),
                       "limit       page queues: 25.0% of the threads' time at 4 threads"));
}

TEST(Scaling, ALockThatHardlyCostsIsNoLimit) {
  Measured measured({{1, 100}, {4, 350}});
  const std::string none = "limit       no lock: none takes 1% of the threads' time at 4 threads";
  EXPECT_TRUE(Contains(ScaleSummary(measured.plan, measured.result), none));
  measured.points()[1].waiting = {{"page queues", 7, 0.004, 0.1}};
  EXPECT_TRUE(Contains(ScaleSummary(measured.plan, measured.result), none));
}

TEST(Scaling, RoundsThatDifferAreToldOf) {
  Measured measured({{1, 100}, {4, 350}});
  const std::string note = "rounds differ by more than 10%";
  EXPECT_FALSE(Contains(ScaleSummary(measured.plan, measured.result), note));
  measured.points()[1].spread = SpreadOf({200, 300, 400});
  EXPECT_TRUE(Contains(ScaleSummary(measured.plan, measured.result), note));
}

TEST(Scaling, GranularitiesAreComparedWhereAllCoresAreBusy) {
  Measured measured({{1, 100}, {2, 190}, {4, 350}, {8, 300}});
  measured.AddCurve(vm::LockDialect::kGiant, {{1, 110}, {2, 120}, {4, 70}, {8, 60}});
  measured.AddCurve(vm::LockDialect::kPerPage, {{1, 90}, {2, 185}, {4, 371}, {8, 300}});
  const std::string summary = ScaleSummary(measured.plan, measured.result);
  EXPECT_TRUE(Contains(summary, "compared    giant 0.20, per-page 1.06 of queues at 4 threads\n"))
      << summary;
  EXPECT_TRUE(Contains(summary, "locks       giant\n")) << summary;
  const json result = ScaleJson(measured.plan, measured.result);
  EXPECT_EQ(result["points"].size(), 12u);
  EXPECT_EQ(result["points"][4]["locks"], "giant");
  EXPECT_EQ(result["fits"][2]["locks"], "per-page");
  EXPECT_EQ(result["fits"][0]["fit"], result["fit"]);
  EXPECT_NE(result["fits"][1]["fit"], result["fit"]);
  const std::string svg = ScalePlot(measured.plan, measured.result);
  ExpectWellFormed(svg);
  for (const char* part : {">queues<", ">giant<", ">per-page<"})
    EXPECT_TRUE(Contains(svg, part)) << part;
}

TEST(ScalePlot, IsWellFormedWithPointsSpreadsAndThePerfectLine) {
  const Measured measured({{1, 100}, {2, 190}, {4, 350}, {8, 300}}, "a&b<c>\x01\xff.toml");
  const std::string svg = ScalePlot(measured.plan, measured.result);
  ExpectWellFormed(svg);
  EXPECT_EQ(svg.find("<svg "), 0u);
  std::size_t points = 0, spreads = 0;
  for (std::size_t at = 0; (at = svg.find("<circle", at)) != std::string::npos; ++at) ++points;
  for (std::size_t at = 0; (at = svg.find("\"spread\"", at)) != std::string::npos; ++at) ++spreads;
  EXPECT_EQ(points, 4u);
  EXPECT_EQ(spreads, 4u);
  for (const char* part : {"\"perfect\"", "\"law\"", "4 cores", "a&amp;b&lt;c&gt;"})
    EXPECT_TRUE(Contains(svg, part)) << part;
  EXPECT_FALSE(Contains(svg, "nan"));
}

TEST(ScalePlot, OfNothingIsStillAPlot) {
  const std::string svg = ScalePlot(Measured({}).plan, Measured({}).result);
  ExpectWellFormed(svg);
  EXPECT_FALSE(Contains(svg, "nan"));
  EXPECT_FALSE(Contains(svg, "inf"));
}

using ScaleCommandTest = CommandTest;

TEST_F(ScaleCommandTest, MeasuresEachPointAndWritesTableJsonAndPlot) {
  const Outcome outcome = Run({"scale", "--scenario=faults", "--cpus=2,1", "--duration=50ms",
                               "--rounds=2", "--pin", "--json=s.json", "--report=plots"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(outcome.out.ends_with("verdict     clean\n")) << outcome.out;
  for (const char* part : {"2 rounds of 50ms", "usable cores", ", pinned", "efficiency", "fit "})
    EXPECT_TRUE(Contains(outcome.out, part)) << outcome.out;
  EXPECT_EQ(Files(), (std::vector<std::string>{"plots", "s.json"}));
  ExpectWellFormed(Read("plots/scale.svg"));
  const json result = json::parse(Read("s.json"));
  EXPECT_EQ(result["schema"], "vmstress.scale/1");
  EXPECT_EQ(result["verdict"], "clean");
  EXPECT_TRUE(result["fit"].is_null()) << "two points";
  EXPECT_EQ(result["config"]["pin"], true);
  ASSERT_EQ(result["points"].size(), 2u);
  for (const std::size_t i : {0u, 1u}) {
    const json& point = result["points"][i];
    EXPECT_EQ(point["cpus"], i + 1);
    EXPECT_EQ(point["mode"], "native");
    EXPECT_EQ(point["locks"], "queues");
    EXPECT_GT(point["operations_per_second"], 0.0);
    EXPECT_GT(point["efficiency"], 0.0);
    EXPECT_EQ(point["rounds"].size(), 2u);
    EXPECT_TRUE(point["waiting"].is_array());
  }
  EXPECT_EQ(result["points"][0]["efficiency"], 1.0);
}

TEST_F(ScaleCommandTest, MeasuresGranularitiesBesideOneAnother) {
  const Outcome outcome = Run({"scale", "--scenario=faults", "--cpus=1,2", "--duration=20ms",
                               "--rounds=1", "--locks=giant,queues,per-page", "--json=s.json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  EXPECT_TRUE(Contains(outcome.out, " of giant at ")) << outcome.out;
  const json points = json::parse(Read("s.json"))["points"];
  ASSERT_EQ(points.size(), 6u);
  EXPECT_EQ(points[0]["locks"], "giant");
  EXPECT_EQ(points[3]["locks"], "queues");
  EXPECT_EQ(points[5]["locks"], "per-page");
  EXPECT_EQ(points[5]["cpus"], 2);
  const Outcome compared = Run({"compare", "s.json", "s.json"});
  EXPECT_EQ(compared.exit_code, 0) << compared.err;
  EXPECT_TRUE(Contains(compared.out, "per-page: 2 threads")) << compared.out;
}

TEST_F(ScaleCommandTest, AnInterruptedMeasurementKeepsWhatThereIs) {
  const Outcome outcome = RunAndSignal(
      {"scale", "--cpus=1", "--duration=10m", "--json=s.json", "--report=plots"}, {SIGINT});
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_TRUE(outcome.out.ends_with("verdict     interrupted\n")) << outcome.out;
  const json result = json::parse(Read("s.json"));
  EXPECT_EQ(result["verdict"], "interrupted");
  EXPECT_TRUE(result["points"].empty());
}

TEST_F(ScaleCommandTest, BadInput) {
  constexpr char kNotAvailable[] = "not available in this version";
  ExpectRefused({"scale", "--mode=simulate"}, {"--mode", "simulate", kNotAvailable});
  ExpectRefused({"scale", "--mode=both"}, {"--mode", "both", kNotAvailable});
  ExpectRefused({"scale", "--calibrate"}, {"--calibrate", kNotAvailable});
  ExpectRefused({"scale", "--locks=giant,giant"}, {"--locks", "giant", "more than once"});
  ExpectRefused({"scale", "--locks=quues"}, {"--locks", "did you mean queues?"});
  ExpectRefused({"scale", "--cpus=1,,2"}, {"--cpus", "from 1 to 1024"});
  ExpectRefused({"scale", "--cpus=1,0"}, {"--cpus", "0", "from 1 to 1024"});
  ExpectRefused({"scale", "--cpus=1,two"}, {"--cpus", "two"});
  ExpectRefused({"scale", "--cpus=2,1,2"}, {"--cpus", "2", "more than once"});
  ExpectRefused({"scale", "--cpus"}, {"--cpus", "missing", "1,2,4"});
  ExpectRefused({"scale", "--rounds=0"}, {"--rounds", "from 1"});
  ExpectRefused({"scale", "--duration=1"}, {"--duration", "20s"});
  ExpectRefused({"scale", "--threads=2"}, {"--threads"});
  ExpectRefused({"scale", "--witness=on"}, {"--witness"});
  ExpectRefused({"scale", "--scenario=fualts"}, {"did you mean faults?"});
  ExpectRefused({"scale", "--json=no/such/x.json"}, {"--json"});
  Write("file", "");
  ExpectRefused({"scale", "--report=file"}, {"--report", "file"});
}

TEST_F(ScaleCommandTest, EveryPointIsCheckedBeforeTheFirstOneRuns) {
  Write("s.toml", "[[worker]]\nkind = \"fault\"\ncount = 3\n");
  ExpectRefused({"scale", "--scenario=s.toml", "--cpus=4,1", "--duration=10m"},
                {"--cpus", "1 are fewer than the 3"});
  ExpectRefused({"scale", "--pages=67108864", "--page-size=32KiB"}, {"--pages", "MiB"}, 3);
}

}  // namespace
}  // namespace stress
