// The real command: what it prints, what it writes, how it ends.
#include "tests/stress/command.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

namespace stress {
namespace {

using nlohmann::json;
using Command = CommandTest;

std::string LastLine(const std::string& text) {
  const std::size_t start = text.rfind('\n', text.size() - 2);
  return text.substr(start == std::string::npos ? 0 : start + 1);
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(Command, HelpTeaches) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {}, {"-h"}}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_TRUE(Contains(outcome.out, "Examples:")) << outcome.out;
    EXPECT_TRUE(Contains(outcome.out, "Exit codes:"));
    EXPECT_FALSE(Contains(outcome.out, "hunt")) << "what is not built yet is absent";
  }
  for (const char* command : {"run", "explore", "replay", "list"}) {
    const Outcome outcome = Run({command, "--help"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_TRUE(Contains(outcome.out, "Examples:")) << command;
    EXPECT_FALSE(Contains(outcome.out, "--report"));
  }
}

TEST_F(Command, VersionSaysWhatWasBuilt) {
  const Outcome outcome = Run({"--version"});
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* part : {"vmstress ", "commit ", "clang"})
    EXPECT_TRUE(Contains(outcome.out, part)) << outcome.out;
}

TEST_F(Command, ListsBeginWithTheName) {
  const Outcome scenarios = Run({"list", "scenarios"});
  EXPECT_EQ(scenarios.exit_code, 0);
  EXPECT_TRUE(Contains(scenarios.out, "\nmixed "));
  EXPECT_TRUE(Contains(scenarios.out, "\nlow-memory "));
  const Outcome rules = Run({"list", "rules"});
  EXPECT_TRUE(
      Contains(rules.out, "\nLK02                   Two classes are taken in both orders\n"))
      << rules.out;
  const Outcome dialects = Run({"list", "dialects"});
  for (const char* name : {"--locks=queues ", "\n--locks=giant ", "\n--locks=per-page ",
                           "\n--index=radix ", "\n--index=rbtree ", "\n--index=splay "})
    EXPECT_TRUE(Contains(dialects.out, name)) << dialects.out;
  for (const char* what : {"workers", "strategies", "tests", "invariants", "locks"})
    EXPECT_EQ(Run({"list", what}).exit_code, 0) << what;
}

TEST_F(Command, ARunEndsWithItsVerdictAndTheCommandThatRepeatsIt) {
  const Outcome outcome = Run({"run", "--operations=200", "--threads=3", "--seed=77"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(LastLine(outcome.out), "verdict     clean\n");
  EXPECT_TRUE(Contains(outcome.out, "seed 77"));
  EXPECT_TRUE(Contains(outcome.out, "vmstress run --scenario=mixed --threads=3 --seed=77"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Command, ASeedIsPrintedWhenNoneWasGiven) {
  const Outcome outcome = Run({"run", "--operations=10", "--scenario=faults"});
  EXPECT_TRUE(Contains(outcome.out, "--seed=")) << outcome.out;
}

TEST_F(Command, TheJsonOfARunHasItsFields) {
  const Outcome outcome = Run({"run", "--operations=300", "--threads=2", "--seed=5",
                               "--scenario=mixed", "--json=r.json", "--sweep-interval=1ms"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(Files(), std::vector<std::string>{"r.json"});
  const std::string text = Read("r.json");
  EXPECT_EQ(text.find("\"schema\""), text.find('"')) << "schema comes first";
  const json result = json::parse(text);
  EXPECT_EQ(result["schema"], "vmstress.run/1");
  for (const char* key : {"version", "commit", "compiler", "config"})
    EXPECT_TRUE(result["build"].contains(key)) << key;
  EXPECT_GE(result["host"]["cores"], 1);
  EXPECT_EQ(result["verdict"], "clean");
  EXPECT_EQ(result["seed"], 5);
  EXPECT_EQ(result["threads"], 2);
  EXPECT_GT(result["seconds"], 0.0);
  EXPECT_EQ(result["config"]["scenario"], "mixed");
  std::uint64_t operations = 0;
  for (const auto& [kind, count] : result["operations"].items()) {
    operations += count.get<std::uint64_t>();
    EXPECT_TRUE(result["rates"].contains(kind));
  }
  EXPECT_EQ(operations, 300u);
  EXPECT_TRUE(result["failures"].empty());
  ASSERT_FALSE(result["locks"].empty());
  for (const char* key : {"class", "acquisitions", "contended", "wait_ns", "hold_ns_max"})
    EXPECT_TRUE(result["locks"][0].contains(key)) << key;
  EXPECT_GE(result["invariants"]["sweeps"], 1);
  EXPECT_TRUE(result["invariants"].contains("missed"));
  EXPECT_FALSE(result["invariants"]["checked"].empty());
  EXPECT_GT(result["oracle"]["loads_checked"], 0);
  EXPECT_GT(result["oracle"]["stores"], 0);
  EXPECT_EQ(result["memory"]["pages"], 2048);
  EXPECT_TRUE(result["memory"].contains("free"));
  for (const char* key : {"free", "active", "inactive", "wired", "faults", "zero_fills",
                          "cow_copies", "daemon_scans", "busy_waits", "back_offs"})
    EXPECT_TRUE(result["counters"].contains(key)) << key;
  EXPECT_GT(result["counters"]["faults"], 0);
  EXPECT_FALSE(result.contains("events"));
  EXPECT_GT(result["peak_rss_bytes"], 0);
}

TEST_F(Command, TheJsonReplacesAnOlderOne) {
  Write("r.json", "old");
  ASSERT_EQ(Run({"run", "--operations=5", "--json=r.json"}).exit_code, 0);
  EXPECT_EQ(json::parse(Read("r.json"))["schema"], "vmstress.run/1");
  EXPECT_EQ(Files(), std::vector<std::string>{"r.json"});
}

TEST_F(Command, AFlagWinsOverTheFile) {
  Write("s.toml",
        "[machine]\npages = 128\npage_size = 512\n[run]\nthreads = 1\nduration = \"10m\"\n"
        "[[worker]]\nkind = \"fault\"\n");
  const Outcome outcome =
      Run({"run", "--scenario=s.toml", "--pages=96", "--operations=20", "--json=r.json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["memory"]["pages"], 96);
  EXPECT_EQ(result["memory"]["page_size"], 512);
  EXPECT_EQ(result["threads"], 1);
}

TEST_F(Command, DedicatedWorkersRunOnlyTheirKind) {
  Write("s.toml",
        "[machine]\npages = 256\n[[worker]]\nkind = \"map\"\ncount = 1\n"
        "[[worker]]\nkind = \"fault\"\ncount = 2\n");
  const Outcome outcome = Run({"run", "--scenario=s.toml", "--operations=90", "--json=r.json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["threads"], 3);
  EXPECT_EQ(result["operations"]["map"], 30);
  EXPECT_EQ(result["operations"]["fault"], 60);
}

TEST_F(Command, EachPageSizeWorks) {
  for (const char* size : {"512", "1KiB", "32KiB"}) {
    const Outcome outcome = Run({"run", "--operations=100", "--pages=256", "--threads=2",
                                 std::string("--page-size=") + size});
    EXPECT_EQ(outcome.exit_code, 0) << size << outcome.err << outcome.out;
  }
}

TEST_F(Command, EachDialectRunsExploresAndIsNamed) {
  for (const auto& [key, name, usual] :
       std::vector<std::array<std::string, 3>>{{"index", "radix", "radix"},
                                               {"index", "rbtree", "radix"},
                                               {"index", "splay", "radix"},
                                               {"locks", "queues", "queues"},
                                               {"locks", "giant", "queues"},
                                               {"locks", "per-page", "queues"}}) {
    const std::string flag = "--" + key + "=" + name;
    const Outcome run =
        Run({"run", "--operations=300", "--threads=2", "--seed=3", flag, "--json=r.json"});
    EXPECT_EQ(run.exit_code, 0) << flag << run.err << run.out;
    const json result = json::parse(Read("r.json"));
    EXPECT_EQ(result["config"][key], name);
    EXPECT_EQ(Contains(run.out, ", " + key + " " + name), name != usual) << run.out;
    EXPECT_TRUE(Contains(result["replay"], flag)) << "the command that repeats it";
    const Outcome explore = Run({"explore", "--executions=3", flag});
    EXPECT_EQ(explore.exit_code, 0) << flag << explore.err << explore.out;
  }
}

TEST_F(Command, TheGiantIsTheOnlyLockOfItsRoles) {
  const Outcome run = Run({"run", "--operations=300", "--threads=2", "--seed=3", "--locks=giant",
                           "--witness=strict", "--json=r.json"});
  ASSERT_EQ(run.exit_code, 0) << run.err << run.out;
  const json result = json::parse(Read("r.json"));
  std::set<std::string> taken;
  for (const json& lock : result["locks"])
    if (lock["acquisitions"] != 0) taken.insert(lock["class"]);
  EXPECT_TRUE(taken.contains("giant"));
  for (const char* role : {"object", "page queues", "pmap", "pv list", "pager map", "laundry",
                           "swap", "object list", "index nodes"})
    EXPECT_FALSE(taken.contains(role)) << role;
}

TEST_F(Command, EachShippedScenarioRunsAndExplores) {
  for (const char* scenario :
       {"advice", "contiguous", "devices", "faults", "file-errors", "files", "fork-storm",
        "inspect", "io-errors", "low-memory", "maps", "mixed", "reservations", "split", "swap-full",
        "wiring", "zero-copy", "zeroing"}) {
    const Outcome run = Run({"run", std::string("--scenario=") + scenario, "--duration=300ms",
                             "--sweep-interval=100ms", "--threads=4"});
    EXPECT_EQ(run.exit_code, 0) << scenario << run.err << run.out;
    const Outcome explore =
        Run({"explore", std::string("--scenario=") + scenario, "--executions=3"});
    EXPECT_EQ(explore.exit_code, 0) << scenario << explore.err << explore.out;
  }
}

TEST_F(Command, TheScenarioOfFaultsHasEveryKindThatMemorySettles) {
  const Outcome outcome = Run({"run", "--scenario=faults", "--threads=2", "--operations=2000",
                               "--seed=1", "--json=r.json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const json counters = json::parse(Read("r.json"))["counters"];
  for (const char* kind : {"faults_resident", "faults_chain", "zero_fills", "cow_copies"})
    EXPECT_GT(counters[kind], 50) << kind;
  EXPECT_EQ(counters["page_ins"], 0);
}

TEST_F(Command, ARunOverAFileSaysHowAndLeavesNothing) {
  const Outcome outcome = Run({"run", "--scenario=low-memory", "--store=file:swap", "--threads=2",
                               "--operations=200", "--json=r.json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  EXPECT_TRUE(Contains(outcome.out, "--store=file:swap")) << "the command that repeats it";
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["config"]["store"], "file:swap");
  const std::string caching = result["config"]["store_caching"];
  EXPECT_TRUE(caching == "direct" || caching == "buffered") << caching;
  EXPECT_GT(result["counters"]["page_outs"], 0);
  EXPECT_GT(result["counters"]["page_ins"], 0);
  EXPECT_EQ(Files(), std::vector<std::string>{"r.json"});
}

TEST_F(Command, AFileStoreIsGoneHoweverTheRunEnds) {
  const std::vector<std::string> run = {"run", "--store=file:swap", "--duration=10m",
                                        "--threads=2"};
  for (const std::vector<int>& signals :
       {std::vector<int>{SIGINT}, {SIGTERM}, {SIGINT, SIGTERM}, {SIGKILL}}) {
    const Outcome outcome = RunAndSignal(run, signals);
    EXPECT_EQ(outcome.exit_code, signals.front() == SIGKILL ? -1 : 130) << outcome.err;
    EXPECT_TRUE(Files().empty()) << "after signal " << signals.front();
  }
}

TEST_F(Command, TwoRunsOverOnePathAreIndependent) {
  const std::vector<std::string> run = {"run", "--scenario=low-memory", "--store=file:swap",
                                        "--threads=2", "--operations=300"};
  Outcome outcomes[2];
  std::thread other([&] { outcomes[1] = Run(run); });
  outcomes[0] = Run(run);
  other.join();
  for (const Outcome& outcome : outcomes)
    // Refused if it came while the other one held the name, for a moment.
    EXPECT_TRUE(outcome.exit_code == 0 || Contains(outcome.err, "exists already"))
        << outcome.err << outcome.out;
  EXPECT_TRUE(Files().empty());
}

TEST_F(Command, InjectedErrorsAreCountedAndNothingIsLost) {
  const Outcome outcome = Run({"run", "--scenario=io-errors", "--threads=3", "--operations=600",
                               "--seed=4", "--json=r.json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["config"]["faults"]["store_write_error"], 50'000);
  EXPECT_GT(result["counters"]["page_out_errors"], 0);
  EXPECT_GT(result["counters"]["page_in_errors"], 0);
  EXPECT_GE(result["oracle"]["refused"], result["counters"]["page_in_errors"]);
}

TEST_F(Command, FullSwapRefusesAndLosesNothing) {
  const Outcome outcome = Run(
      {"run", "--scenario=swap-full", "--threads=3", "--duration=5s", "--seed=4", "--json=r.json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  const json result = json::parse(Read("r.json"));
  EXPECT_GT(result["counters"]["swap_full"], 0);
  EXPECT_GT(result["counters"]["page_outs"], 0);
}

TEST_F(Command, TheWitnessCanBeOffOrStrict) {
  for (const char* mode : {"off", "strict"})
    EXPECT_EQ(Run({"run", "--operations=50", std::string("--witness=") + mode}).exit_code, 0);
}

TEST_F(Command, TheProgressLineIsDrawnWhenAsked) {
  const Outcome with = Run({"run", "--duration=1200ms", "--threads=2", "--progress=on"});
  EXPECT_TRUE(Contains(with.err, "operations/s")) << with.err;
  EXPECT_TRUE(Contains(with.err, "pages free"));
  EXPECT_EQ(Run({"run", "--duration=700ms", "--threads=2"}).err, "") << "no terminal here";
}

TEST_F(Command, TheCountersAreALineEverySecond) {
  const Outcome outcome =
      Run({"run", "--duration=1200ms", "--threads=2", "--counters", "--sweep-interval=0s"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2) << outcome.err;
  EXPECT_TRUE(Contains(outcome.err, "faults/s")) << outcome.err;
  EXPECT_TRUE(Contains(outcome.err, " 1s ")) << outcome.err;
}

TEST_F(Command, APinnedRunSaysSoAndRepeatsSo) {
  const Outcome outcome = Run({"run", "--operations=50", "--threads=3", "--pin", "--json=r.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(Contains(outcome.out, ", pinned")) << outcome.out;
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["config"]["pin"], true);
  EXPECT_TRUE(Contains(result["replay"], "--pin"));
}

TEST_F(Command, AnInterruptedRunKeepsWhatItFound) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Outcome outcome =
        RunAndSignal({"run", "--duration=10m", "--json=r.json", "--threads=2"}, {signal});
    EXPECT_EQ(outcome.exit_code, 130);
    EXPECT_EQ(LastLine(outcome.out), "verdict     interrupted\n");
    const json result = json::parse(Read("r.json"));
    EXPECT_EQ(result["verdict"], "interrupted");
    EXPECT_EQ(Files(), std::vector<std::string>{"r.json"});
  }
}

TEST_F(Command, ASecondInterruptEndsAtOnce) {
  // Two different signals, so that the second is not merged into the first.
  const Outcome outcome = RunAndSignal({"run", "--duration=10m"}, {SIGINT, SIGTERM});
  EXPECT_EQ(outcome.exit_code, 130);
}

TEST_F(Command, AnInterruptedExplorationEndsToo) {
  const Outcome outcome =
      RunAndSignal({"explore", "--executions=100000000", "--jobs=1", "--json=r.json"}, {SIGINT});
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_EQ(json::parse(Read("r.json"))["verdict"], "interrupted");
}

TEST_F(Command, TheJsonOfAnExplorationHasItsFields) {
  const Outcome outcome = Run({"explore", "--scenario=maps", "--executions=20", "--seed=3",
                               "--json=e.json", "--save=failures"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json result = json::parse(Read("e.json"));
  EXPECT_EQ(result["schema"], "vmstress.explore/1");
  EXPECT_EQ(result["executions"], 20);
  EXPECT_GT(result["scheduling_points"], 20);
  EXPECT_GT(result["executions_per_second"], 0.0);
  EXPECT_TRUE(result["first_failure_execution"].is_null());
  EXPECT_FALSE(result["exhausted"]);
  EXPECT_EQ(result["trace_hash"].get<std::string>().size(), 16u);
  EXPECT_TRUE(result["failures"].empty());
  EXPECT_TRUE(result["listed"].empty());
  EXPECT_EQ(result["directed_executions"], 0);
}

TEST_F(Command, ACircleOfWaitsIsForcedAndReplays) {
  const Outcome outcome = Run(
      {"explore", "--test=inversion_apart", "--executions=3", "--json=e.json", "--save=failures"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_TRUE(Contains(outcome.out, "failure     LK02 (confirmed): ")) << outcome.out;
  EXPECT_TRUE(Contains(outcome.out, "; forced by ")) << outcome.out;
  const json failure = json::parse(Read("e.json"))["failures"][0];
  EXPECT_EQ(failure["tier"], "confirmed");
  EXPECT_GE(failure["directed_executions"], 1);
  EXPECT_TRUE(failure["reproduced"]);
  const std::string replay = failure["replay"];
  const Outcome again = Run({"replay", replay.substr(replay.rfind(' ') + 1)});
  EXPECT_EQ(again.exit_code, 1) << again.err;
  EXPECT_TRUE(Contains(again.err, "LK02 (confirmed): ")) << again.err;
  EXPECT_TRUE(Contains(again.err, " waits for ")) << again.err;
}

TEST_F(Command, ACircleBehindAGateIsListedAndCannotBeForced) {
  const Outcome outcome =
      Run({"explore", "--test=inversion_apart_mended", "--executions=3", "--json=e.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(Contains(outcome.out, "listed      LK02 (gated): ")) << outcome.out;
  EXPECT_TRUE(Contains(outcome.out, "; not forced by 100 directed]")) << outcome.out;
  const json result = json::parse(Read("e.json"));
  EXPECT_EQ(result["verdict"], "clean");
  EXPECT_EQ(result["listed"][0]["directed_executions"], 100);
}

TEST_F(Command, AnExplorationRepeatsItselfExactly) {
  const auto trace = [&](const char* seed, const char* jobs) {
    const Outcome outcome = Run({"explore", "--scenario=fork-storm", "--executions=30",
                                 "--threads=3", seed, jobs, "--json=e.json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(Read("e.json"))["trace_hash"].get<std::string>();
  };
  const std::string first = trace("--seed=11", "--jobs=1");
  EXPECT_EQ(trace("--seed=11", "--jobs=1"), first);
  EXPECT_EQ(trace("--seed=11", "--jobs=2"), first);
  EXPECT_NE(trace("--seed=12", "--jobs=1"), first);
}

TEST_F(Command, ATestIsExploredUnderAWitnessAndItsFailuresReplay) {
  const Outcome outcome = Run({"explore", "--test=abba", "--executions=60", "--keep-going",
                               "--json=e.json", "--save=failures"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  const json result = json::parse(Read("e.json"));
  EXPECT_EQ(result["config"]["test"], "abba");
  EXPECT_EQ(result["failed_executions"], 60) << "each schedule shows the reversal";
  std::vector<std::string> ids;
  for (const json& failure : result["failures"]) {
    ids.push_back(failure["id"]);
    EXPECT_TRUE(failure["reproduced"]);
    EXPECT_FALSE(failure["threads"][0]["stack"].empty());
    const std::string replay = failure["replay"];
    const Outcome again = Run({"replay", replay.substr(replay.rfind(' ') + 1)});
    EXPECT_EQ(again.exit_code, 1) << again.err;
    EXPECT_TRUE(Contains(again.out, "failed: " + ids.back() + ": ")) << again.out;
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
  EXPECT_EQ(ids, (std::vector<std::string>{"LK02", "LK09"}));
}

TEST_F(Command, MendedTestsAreCleanUnderTheWitness) {
  std::istringstream list(Run({"list", "tests"}).out);
  int mended = 0;
  for (std::string line; std::getline(list, line);) {
    const std::string name = line.substr(0, line.find(' '));
    if (!name.ends_with("_mended")) continue;
    ++mended;
    const Outcome outcome = Run({"explore", "--test=" + name, "--executions=300"});
    EXPECT_EQ(outcome.exit_code, 0) << name << outcome.err;
  }
  EXPECT_GE(mended, 5);
}

// A signal from outside may come while ThreadSanitizer's runtime holds its own locks, and nothing
// can be told from there; what a program does to itself is in crash_test.
#define SKIP_UNDER_THREAD_SANITIZER() \
  if (Contains(Run({"--version"}).out, "tsan")) GTEST_SKIP() << "the runtime may be interrupted"

TEST_F(Command, ARunThatCrashesStillWritesItsJson) {
  SKIP_UNDER_THREAD_SANITIZER();
  const Outcome outcome = RunAndSignal(
      {"run", "--duration=10m", "--threads=2", "--seed=7", "--json=r.json"}, {SIGSEGV});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_EQ(Files(), std::vector<std::string>{"r.json"});
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["schema"], "vmstress.run/1");
  EXPECT_EQ(result["verdict"], "failed");
  const json failure = result["failures"].back();
  EXPECT_EQ(failure["id"], "CRASH");
  EXPECT_TRUE(Contains(failure["title"], "SIGSEGV")) << failure["title"];
  EXPECT_FALSE(failure["threads"][0]["stack"].empty());
  EXPECT_TRUE(Contains(failure["replay"], "vmstress run --scenario=mixed --threads=2 --seed=7"));
  EXPECT_EQ(LastLine(outcome.out), "verdict     failed\n");
}

TEST_F(Command, AnExplorationThatCrashesStillWritesItsJson) {
  SKIP_UNDER_THREAD_SANITIZER();
  const Outcome outcome =
      RunAndSignal({"explore", "--executions=100000000", "--json=r.json"}, {SIGABRT});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  const json result = json::parse(Read("r.json"));
  EXPECT_EQ(result["schema"], "vmstress.explore/1");
  EXPECT_EQ(result["verdict"], "failed");
  EXPECT_EQ(result["failures"][0]["id"], "CRASH");
  EXPECT_TRUE(Contains(result["failures"][0]["replay"], "vmstress explore --scenario=mixed"));
}

TEST_F(Command, TheLockOrderIsComparedWithTheBook) {
  Write("book.toml", "order = [\n]\n");
  const Outcome unapproved = Run({"lockorder", "--book=book.toml"});
  EXPECT_EQ(unapproved.exit_code, 1) << unapproved.err;
  EXPECT_TRUE(Contains(unapproved.out, "unapproved: map -> object ")) << unapproved.out;
  ASSERT_EQ(Run({"lockorder", "--book=book.toml", "--update"}).exit_code, 0);
  EXPECT_TRUE(Contains(Read("book.toml"), "\"map\", \"object\"")) << Read("book.toml");
  Write("book.toml",
        "order = [[\"map\", \"vnode\", \"object\", \"page\", \"page queues\", \"pmap\", \"pv "
        "list\"],\n[\"map\", \"vnode\", \"giant\"]]\n"
        "leaves = [\"cpu access\", \"pager map\", \"laundry\", \"swap\", \"object list\", \"index "
        "nodes\", \"page "
        "batch\", \"fictitious pages\", \"free queue\"]\n");
  const Outcome approved = Run({"lockorder", "--book=book.toml", "--format=json", "--out=o.json"});
  EXPECT_EQ(approved.exit_code, 0) << approved.err << approved.out;
  const json result = json::parse(Read("o.json"));
  EXPECT_EQ(result["schema"], "vmstress.lockorder/1");
  for (const char* key : {"build", "host", "edges", "unapproved", "unexercised", "cycles"})
    EXPECT_TRUE(result.contains(key)) << key;
  for (const char* key : {"from", "to", "count", "approved", "site"})
    EXPECT_TRUE(result["edges"][0].contains(key)) << key;
  EXPECT_TRUE(result["unapproved"].empty());
}

}  // namespace
}  // namespace stress
