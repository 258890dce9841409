// The comparisons that the project promises, each measured in rounds that alternate A and B.
//
// Where threads run side by side, each round measures a control too; a round in which the host did
// not give two cores is dropped and counted, and what two threads do against one is divided by half
// of the control.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/explore_loads.h"
#include "bench/fault_loads.h"
#include "bench/in_run.h"
#include "bench/lock_loads.h"
#include "bench/mixed.h"
#include "bench/page_loads.h"
#include "bench/timing.h"
#include "bench/witness_loads.h"
#include "stress/command/build_info.h"
#include "stress/config/error.h"
#include "stress/host/files.h"
#include "stress/host/machine.h"
#include "stress/report/spread.h"

namespace bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kStretchNs = 40'000'000;
constexpr double kControlMin = 1.9;
constexpr std::uint32_t kRoundsPerKept = 4;  // rounds tried at most, for each that is wanted

// What is timed: loads, or what says itself how long an iteration takes.
struct Side {
  const char* label = nullptr;
  MakeLoads make = nullptr;
  std::uint32_t threads = 1;
  std::function<double()> ns = nullptr;
};

enum class Figure {
  kRatio,       // time of A / time of B; at most
  kAddedNs,     // time of A - time of B; at most
  kAddedALock,  // the same, by the locks that B takes in an iteration; at most
  kNs,          // time of A; at most
  kEfficiency,  // time of B, on one thread, / time of A, on two; at least
  kSpeed,       // time of B / time of A; at least
  kMillions,    // of A a second; at least
};

struct Promise {
  const char* name;
  Figure figure;
  double bound;
  Side a;
  Side b = {};  // where two are compared
};

std::vector<Promise> Promises() {
  const auto own = PrivateLocks;
  const auto one = SharedLock;
  return {
      {"mutex uncontended",
       Figure::kRatio,
       0.9,
       {"mutex", own("mutex/off")},
       {"std::mutex", own("std_mutex")}},
      {"mutex contended",
       Figure::kRatio,
       1.1,
       {"mutex", one("mutex/off"), 2},
       {"std::mutex", one("std_mutex"), 2}},
      {"spin uncontended",
       Figure::kRatio,
       1.0,
       {"spin", own("spin/off")},
       {"tbb::spin_mutex", own("tbb_spin")}},
      {"rw read",
       Figure::kRatio,
       0.8,
       {"rw read", own("rw_read/off")},
       {"std::shared_mutex read", own("std_shared_mutex_read")}},
      {"witness on a mutex",
       Figure::kAddedNs,
       6,
       {"watched", own("mutex/on")},
       {"unwatched", own("mutex/off")}},
      {"witness on a spin lock",
       Figure::kAddedNs,
       6,
       {"watched", own("spin/on")},
       {"unwatched", own("spin/off")}},
      {"witness on an rw read",
       Figure::kAddedNs,
       6,
       {"watched", own("rw_read/on")},
       {"unwatched", own("rw_read/off")}},
      {"witness on a nested pair",
       Figure::kRatio,
       1.6,
       {"watched", own("nested_pair/on")},
       {"unwatched", own("nested_pair/off")}},
      {"witness on a resident fault",
       Figure::kAddedALock,
       8,
       {"watched", InRun(Resident, Watching::kOn)},
       {"unwatched", InRun(Resident, Watching::kOff)}},
      {"resident fault, watched",
       Figure::kSpeed,
       0.7,
       {"watched", InRun(Resident, Watching::kOn)},
       {"unwatched", InRun(Resident, Watching::kOff)}},
      {"mixed, watched",
       Figure::kSpeed,
       0.8,
       {"watched", nullptr, 1, [] { return MixedNs(Watching::kOn); }},
       {"unwatched", nullptr, 1, [] { return MixedNs(Watching::kOff); }}},
      {"private mutexes, watched",
       Figure::kRatio,
       1.1,
       {"two threads", own("mutex/on"), 2},
       {"one", own("mutex/on")}},
      {"private spin locks, watched",
       Figure::kRatio,
       1.1,
       {"two threads", own("spin/on"), 2},
       {"one", own("spin/on")}},
      {"private rw reads, watched",
       Figure::kRatio,
       1.1,
       {"two threads", own("rw_read/on"), 2},
       {"one", own("rw_read/on")}},
      {"a lock of a window of five",
       Figure::kRatio,
       2,
       {"of 131072", SlidingWindow(131072)},
       {"of 32768", SlidingWindow(32768)}},
      {"a chain of locks",
       Figure::kRatio,
       1.5,
       {"of 100000", DistinctChains(100000)},
       {"of 25000", DistinctChains(25000)}},
      {"private mutexes",
       Figure::kRatio,
       1.1,
       {"two threads", own("mutex/off"), 2},
       {"one", own("mutex/off")}},
      {"private spin locks",
       Figure::kRatio,
       1.1,
       {"two threads", own("spin/off"), 2},
       {"one", own("spin/off")}},
      {"private rw reads",
       Figure::kRatio,
       1.1,
       {"two threads", own("rw_read/off"), 2},
       {"one", own("rw_read/off")}},
      {"four threads, one mutex",
       Figure::kRatio,
       3,
       {"mutex", one("mutex/off"), 4},
       {"ttas", one("ttas"), 4}},
      {"four threads, one spin lock",
       Figure::kRatio,
       3,
       {"spin", one("spin/off"), 4},
       {"ttas", one("ttas"), 4}},
      {"four threads, one rw, write",
       Figure::kRatio,
       3,
       {"rw write", one("rw_write/off"), 4},
       {"ttas", one("ttas"), 4}},
      {"four threads, one rw, read",
       Figure::kRatio,
       3,
       {"rw read", one("rw_read/off"), 4},
       {"ttas", one("ttas"), 4}},
      {"resident faults", Figure::kMillions, 12, {"one thread", Resident}},
      {"zero-fill faults", Figure::kMillions, 2.0, {"one thread", ZeroFill}},
      {"copy-on-write faults", Figure::kMillions, 1.2, {"one thread", CopyOnWrite}},
      {"resident on two threads",
       Figure::kEfficiency,
       0.93,
       {"two threads", Resident, 2},
       {"one", Resident}},
      {"one object on two threads",
       Figure::kEfficiency,
       0.8,
       {"two threads", SharedResident(vm::LockDialect::kQueues), 2},
       {"one", SharedResident(vm::LockDialect::kQueues)}},
      {"one space on two threads",
       Figure::kEfficiency,
       0.75,
       {"two threads", OneSpaceResident(vm::LockDialect::kQueues), 2},
       {"one", OneSpaceResident(vm::LockDialect::kQueues)}},
      {"zero-fill on two threads",
       Figure::kEfficiency,
       0.85,
       {"two threads", ZeroFill, 2},
       {"one", ZeroFill}},
      {"copy-on-write on two threads",
       Figure::kEfficiency,
       0.85,
       {"two threads", CopyOnWrite, 2},
       {"one", CopyOnWrite}},
      {"controlled executions",
       Figure::kMillions,
       0.5,
       {"3 threads, 10 locks", MutexExecutions("random")}},
      {"machine of 64 pages", Figure::kNs, 10'000, {"built, torn down", Build64}},
  };
}

bool Compares(const Promise& promise) { return promise.b.label != nullptr; }

bool AtMost(Figure figure) {
  return figure != Figure::kEfficiency && figure != Figure::kSpeed && figure != Figure::kMillions;
}

const char* UnitOf(Figure figure) {
  switch (figure) {
    case Figure::kRatio:
    case Figure::kSpeed:
      return "x";
    case Figure::kAddedNs:
    case Figure::kAddedALock:
    case Figure::kNs:
      return "ns";
    case Figure::kEfficiency:
      return "of perfect";
    case Figure::kMillions:
      break;
  }
  return "M/s";
}

double FigureOf(Figure figure, double a, double b) {
  switch (figure) {
    case Figure::kRatio:
      return a / b;
    case Figure::kAddedNs:
    case Figure::kAddedALock:
      return a - b;
    case Figure::kNs:
      return a;
    case Figure::kEfficiency:
    case Figure::kSpeed:
      return b / a;
    case Figure::kMillions:
      break;
  }
  return 1e3 / a;
}

struct Outcome {
  std::vector<double> samples;
  std::uint32_t dropped = 0;
};

Outcome Measure(const Promise& promise, std::uint32_t rounds) {
  const bool compares = Compares(promise);
  const std::uint32_t threads = std::max(promise.a.threads, promise.b.threads);
  const double per = promise.figure == Figure::kAddedALock ? LocksOfAnIteration(promise.b.make) : 1;
  const auto loads_of = [](const Side& side) {
    return side.make == nullptr ? Loads() : side.make(side.threads);
  };
  const Loads a = loads_of(promise.a);
  const Loads b = loads_of(promise.b);
  Crew crew(std::max(threads, 2u));
  const auto measure = [&](const Side& side, const Loads& loads) {
    return side.ns != nullptr ? side.ns() : MeasureNs(crew, loads, kStretchNs);
  };
  Outcome outcome;
  for (std::uint32_t round = 0; outcome.samples.size() < rounds && round < kRoundsPerKept * rounds;
       ++round) {
    double a_ns = 0, b_ns = 0;
    const bool a_first = round % 2 == 0;
    if (a_first) a_ns = measure(promise.a, a);
    if (compares) b_ns = measure(promise.b, b);
    if (!a_first) a_ns = measure(promise.a, a);
    if (threads > 1) {
      const double control = MeasureControl(crew);
      if (control < kControlMin) {
        ++outcome.dropped;
        continue;
      }
      if (promise.a.threads != promise.b.threads) a_ns *= control / 2;
    }
    outcome.samples.push_back(FigureOf(promise.figure, a_ns, b_ns) / per);
  }
  return outcome;
}

// Within the spread nothing is decided.
const char* VerdictOf(const Promise& promise, const stress::Spread& spread) {
  const bool at_most = AtMost(promise.figure);
  const bool low_holds = at_most ? spread.low <= promise.bound : spread.low >= promise.bound;
  const bool high_holds = at_most ? spread.high <= promise.bound : spread.high >= promise.bound;
  if (low_holds && high_holds) return "holds";
  return low_holds || high_holds ? "undecided" : "FAILS";
}

Json SideJson(const Side& side) { return {{"what", side.label}, {"threads", side.threads}}; }

// Prints the row of one promise and returns what is kept of it.
Json Report(const Promise& promise, const Outcome& outcome) {
  Json json = {{"name", promise.name},
               {"unit", UnitOf(promise.figure)},
               {AtMost(promise.figure) ? "at_most" : "at_least", promise.bound},
               {"a", SideJson(promise.a)}};
  if (Compares(promise)) json["b"] = SideJson(promise.b);
  json["dropped"] = outcome.dropped;
  json["samples"] = outcome.samples;
  if (outcome.samples.empty()) {
    json["verdict"] = "not measured";
    std::printf("%-30s every round lacked a core (%u dropped)\n", promise.name, outcome.dropped);
    return json;
  }
  const stress::Spread spread = stress::SpreadOf(outcome.samples);
  json["verdict"] = VerdictOf(promise, spread);
  std::printf("%-30s %8s  %8s .. %-8s %-10s %s %-6s %3zu rounds %3u dropped  %s\n", promise.name,
              stress::FormatFigure(spread.median).c_str(), stress::FormatFigure(spread.low).c_str(),
              stress::FormatFigure(spread.high).c_str(), UnitOf(promise.figure),
              AtMost(promise.figure) ? "<=" : ">=", stress::FormatFigure(promise.bound).c_str(),
              outcome.samples.size(), outcome.dropped, VerdictOf(promise, spread));
  std::fflush(stdout);
  return json;
}

int MeasureAll(std::uint32_t rounds, const std::string& only, const std::string& path) {
  std::optional<stress::OutputFile> file;
  if (!path.empty()) file.emplace("--json", path);
  Json json = {{"schema", "vmstress.ratios/1"}, {"build", stress::BuildJson()},
               {"host", stress::HostJson()},    {"date", stress::Today()},
               {"set_pages", set_pages},        {"comparisons", Json::array()}};
  bool failed = false;
  for (const Promise& promise : Promises()) {
    if (std::string(promise.name).find(only) == std::string::npos) continue;
    Json row = Report(promise, Measure(promise, rounds));
    failed |= row["verdict"] == "FAILS";
    json["comparisons"].push_back(std::move(row));
  }
  if (json["comparisons"].empty()) stress::FailUsage("--only: no name contains \"" + only + "\"");
  if (file.has_value()) file->Write(json.dump(1) + "\n");
  return failed ? stress::kExitFailed : stress::kExitClean;
}

int MeasureAsTold(int argc, char** argv) {
  CLI::App app("Measures what the project promises of its speed; exit 1 where a promise fails.",
               "ratios");
  std::uint32_t rounds = 15;
  std::string only, path;
  app.add_option("--rounds", rounds, "rounds that count, of each comparison [15]")
      ->check(CLI::Range(1u, 1000u));
  app.add_option("--only", only, "names that contain this");
  app.add_option("--json", path, "write the result to this file");
  app.add_option("--set_pages", set_pages, "pages of the set that is faulted on [32768]")
      ->check(CLI::Range(16u, 1u << 20));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    stress::FailUsage(error.what());
  }
  return MeasureAll(rounds, only, path);
}

int Main(int argc, char** argv) {
  try {
    return MeasureAsTold(argc, argv);
  } catch (const stress::CommandError& error) {
    std::fprintf(stderr, "ratios: %s\n", error.what());
    return error.code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ratios: %s\n", error.what());
    return stress::kExitCannotRun;
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
