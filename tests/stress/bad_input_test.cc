// Bad input to the real command: one line, exit code 2 or 3, nothing left behind.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/stress/command.h"

namespace stress {
namespace {

constexpr char kWorker[] = "[[worker]]\nkind = \"fault\"\n";
constexpr char kNotAvailable[] = "not available in this version";

using BadInput = CommandTest;

TEST_F(BadInput, UnknownCommand) {
  ExpectRefused({"rnu"}, {"rnu", "did you mean run?"});
  ExpectRefused({"frobnicate"}, {"frobnicate", "accepted: run"});
}

TEST_F(BadInput, CommandNotBuiltYet) {
  for (const char* command : {"hunt", "report"}) ExpectRefused({command}, {command, kNotAvailable});
}

TEST_F(BadInput, UnknownFlag) {
  ExpectRefused({"run", "--thraeds=4"}, {"--thraeds", "did you mean --threads?"});
  ExpectRefused({"run", "--thraeds", "4"}, {"--thraeds", "did you mean --threads?"});
  ExpectRefused({"run", "--xyzzy"}, {"--xyzzy", "vmstress run --help"});
  ExpectRefused({"--frob"}, {"--frob"});
}

TEST_F(BadInput, FlagNotBuiltYet) {
  ExpectRefused({"run", "--report=dir"}, {"--report", kNotAvailable});
  ExpectRefused({"explore", "--shard=1/2"}, {"--shard", kNotAvailable});
}

TEST_F(BadInput, ChoiceNotBuiltYet) {
  ExpectRefused({"run", "--anon=amap"}, {"--anon", "amap", kNotAvailable});
  ExpectRefused({"run", "--store=uring:x"}, {"--store", kNotAvailable});
}

TEST_F(BadInput, CountersTakeThePlaceOfTheProgressLine) {
  ExpectRefused({"run", "--counters", "--progress=on"}, {"--progress", "--counters"});
}

TEST_F(BadInput, ExploreHasNoThreadsToPin) {
  ExpectRefused({"explore", "--pin"}, {"explore: unknown flag --pin"});
}

TEST_F(BadInput, StorePath) {
  ExpectRefused({"run", "--store=file:"}, {"--store", "PATH"});
  ExpectRefused({"run", "--store=fiel:x"}, {"--store", "memory, file:PATH"});
  ExpectRefused({"run", "--store=file:."}, {"--store", "folder"});
  ExpectRefused({"run", "--store=file:new/"}, {"--store", "new/", "directory"});
  ExpectRefused({"run", "--store=file:missing/x"}, {"--store", "missing/x", "No such file"});
  Write("s.toml", std::string("[machine]\nstore = \"file:missing/x\"\n") + kWorker);
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:2: store", "missing/x"});
}

TEST_F(BadInput, StoreOverAForeignFile) {
  Write("foreign", "kept");
  ExpectRefused({"run", "--store=file:foreign"}, {"--store", "foreign exists already"});
  ExpectRefused({"run", "--store=file:foreign/x"}, {"--store", "foreign/x"});
  EXPECT_EQ(Read("foreign"), "kept");
}

// Nobody makes files there, not even root.
TEST_F(BadInput, StoreInAFolderThatCannotBeWritten) {
  ExpectRefused({"run", "--store=file:/proc/self/x"}, {"--store", "/proc/self/x"});
}

TEST_F(BadInput, StoreForWhichThereIsNoRoom) {
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{1 << 20, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  ExpectRefused({"run", "--store=file:x", "--page-size=4KiB", "--swap-slots=1024"},
                {"--store", "4MiB", "1024 swap slots"}, 3);
  setrlimit(RLIMIT_FSIZE, &before);
}

TEST_F(BadInput, AnExplorationHasNoFile) {
  ExpectRefused({"explore", "--store=file:x"}, {"--store", "fibres", "accepted: memory"});
  Write("s.toml", std::string("[machine]\nstore = \"file:x\"\n") + kWorker);
  ExpectRefused({"explore", "--scenario=s.toml"}, {"s.toml:2: store", "accepted: memory"});
}

TEST_F(BadInput, UnexpectedArgument) {
  ExpectRefused({"run", "mixed"}, {"mixed", "vmstress run --help"});
  ExpectRefused({"list", "scenarios", "more"}, {"more"});
}

TEST_F(BadInput, WrongType) {
  ExpectRefused({"run", "--threads=many"}, {"--threads", "many", "an integer from 1"});
  ExpectRefused({"run", "--threads=4.5"}, {"--threads", "4.5"});
  ExpectRefused({"run", "--seed=0x10"}, {"--seed", "0x10"});
  ExpectRefused({"run", "--duration=20"}, {"--duration", "20s"});
  ExpectRefused({"run", "--duration=20parsecs"}, {"--duration", "20s"});
  ExpectRefused({"run", "--witness=maybe"}, {"--witness", "on, off, strict"});
  ExpectRefused({"run", "--keep-going=maybe"}, {"--keep-going"});
}

TEST_F(BadInput, MissingOrRepeatedValue) {
  ExpectRefused({"run", "--threads"}, {"--threads", "missing"});
  ExpectRefused({"run", "--threads=2", "--threads=3"}, {"--threads", "more than once"});
}

TEST_F(BadInput, OutOfRange) {
  ExpectRefused({"run", "--threads=0"}, {"--threads", "0", "from 1"});
  ExpectRefused({"run", "--threads=-3"}, {"--threads", "-3", "from 1"});
  ExpectRefused({"run", "--threads=99999999999999999999999"}, {"--threads", "from 1"});
  ExpectRefused({"run", "--duration=0s"}, {"--duration", "1ms"});
  ExpectRefused({"run", "--operations=0"}, {"--operations", "from 1"});
  ExpectRefused({"run", "--pages=1"}, {"--pages", "from 32"});
  ExpectRefused({"run", "--cpus=0"}, {"--cpus", "from 1"});
}

TEST_F(BadInput, PageSize) {
  for (const char* size : {"0", "256", "1000", "3KiB", "64KiB", "1GiB"})
    ExpectRefused({"run", std::string("--page-size=") + size},
                  {"--page-size", "power of two", "512", "32KiB"});
}

TEST_F(BadInput, DurationAndOperations) {
  ExpectRefused({"run", "--duration=1s", "--operations=5"}, {"--operations", "--duration"});
}

TEST_F(BadInput, MachineLargerThanMemory) {
  ExpectRefused({"run", "--pages=67108864", "--page-size=32KiB"}, {"--pages", "67108864", "MiB"},
                3);
}

TEST_F(BadInput, MoreDedicatedWorkersThanThreads) {
  Write("s.toml", "[run]\nthreads = 2\n[[worker]]\nkind = \"fault\"\ncount = 3\n");
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:2", "threads", "3"});
}

TEST_F(BadInput, UnknownScenario) {
  ExpectRefused({"run", "--scenario=mixd"}, {"mixd", "did you mean mixed?", "fork-storm"});
}

TEST_F(BadInput, UnknownTest) {
  ExpectRefused({"explore", "--test=aba"}, {"--test", "aba", "did you mean abba?"});
  ExpectRefused({"explore", "--test=nothing-like-it"}, {"--test", "vmstress list tests"});
}

TEST_F(BadInput, WhatIsForScenariosDoesNotGoWithATest) {
  ExpectRefused({"explore", "--test=abba", "--scenario=mixed"}, {"--scenario", "--test"});
  ExpectRefused({"explore", "--test=abba", "--pages=64"}, {"--pages", "--test"});
  ExpectRefused({"explore", "--test=abba", "--threads=2"}, {"--threads", "--test"});
}

TEST_F(BadInput, MissingScenarioFile) {
  ExpectRefused({"run", "--scenario=absent.toml"}, {"absent.toml", "No such file"});
  ExpectRefused({"run", "--scenario=no/such/folder.toml"}, {"no/such/folder.toml"});
}

// Its first bytes are not mapped: nobody reads them, not even root.
TEST_F(BadInput, UnreadableScenarioFile) {
  ExpectRefused({"run", "--scenario=/proc/self/mem"}, {"/proc/self/mem", "Input/output error"});
}

TEST_F(BadInput, ScenarioFileThatIsAFolder) {
  mkdir((folder_ + "/s.toml").c_str(), 0755);
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml", "folder"});
}

TEST_F(BadInput, BinaryScenarioFile) {
  Write("s.toml", std::string("\x7f"
                              "ELF\x02\x01\0\0\xff\xfe",
                              10));
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml", "binary"});
  Write("t.toml", "\xff\xfe\xfd");
  ExpectRefused({"run", "--scenario=t.toml"}, {"t.toml:1"});
}

TEST_F(BadInput, EmptyScenarioFile) {
  Write("s.toml", "");
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml", "[[worker]]"});
}

TEST_F(BadInput, TomlErrorHasItsLine) {
  Write("s.toml", "[machine]\npages = = 3\n");
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:2", "TOML"});
}

TEST_F(BadInput, UnknownKeyHasFileLineAndNearest) {
  Write("s.toml", std::string("[machine]\npages = 64\npage_sise = 512\n") + kWorker);
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:3", "page_sise", "mean page_size?"});
}

TEST_F(BadInput, WrongValueTypeInFile) {
  Write("s.toml", std::string("[machine]\npages = \"64\"\n") + kWorker);
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:2", "pages", "an integer"});
}

TEST_F(BadInput, ValueOutOfRangeInFile) {
  Write("s.toml", std::string("[machine]\npage_size = 768\n") + kWorker);
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:2", "page_size", "power of two"});
}

TEST_F(BadInput, DuplicatedKey) {
  Write("s.toml", std::string("[machine]\npages = 64\npages = 64\n") + kWorker);
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:3", "pages"});
}

TEST_F(BadInput, OutputThatCannotBeWritten) {
  ExpectRefused({"run", "--duration=1ms", "--json=no/such/folder/x.json"},
                {"--json", "no/such/folder/x.json"});
  mkdir((folder_ + "/d").c_str(), 0755);
  ExpectRefused({"run", "--duration=1ms", "--json=d"}, {"--json", "folder"});
  Write("file", "");
  ExpectRefused({"run", "--duration=1ms", "--json=file/x.json"}, {"--json", "file/x.json"});
  ExpectRefused({"explore", "--executions=1", "--save=file"}, {"--save", "file"});
}

TEST_F(BadInput, TheOutputIsNotTouchedWhenTheRestIsWrong) {
  Write("x.json", "kept");
  ExpectRefused({"run", "--json=x.json", "--threads=0"}, {"--threads"});
  EXPECT_EQ(Read("x.json"), "kept");
}

TEST_F(BadInput, ReplayFile) {
  ExpectRefused({"replay"}, {"replay", "file"});
  ExpectRefused({"replay", "absent.replay"}, {"absent.replay", "No such file"});
  Write("x.replay", "this is no failure file\n");
  ExpectRefused({"replay", "x.replay"}, {"x.replay"});
}

TEST_F(BadInput, ComparedFiles) {
  Write("a.json", R"({"context": {}, "benchmarks": []})");
  ExpectRefused({"compare", "a.json"}, {"two JSON files"});
  ExpectRefused({"compare", "a.json", "absent.json"}, {"absent.json", "No such file"});
  Write("b.json", R"({"context": {}, "benchm)");
  ExpectRefused({"compare", "a.json", "b.json"}, {"b.json", "JSON"});
  Write("c.json", R"({"schema": "vmstress.run/1", "rates": 3})");
  ExpectRefused({"compare", "c.json", "a.json"}, {"c.json", "vmstress.run/1", "verdict"});
  Write("d.json", "[1]");
  ExpectRefused({"compare", "a.json", "d.json"}, {"d.json", "accepted: vmstress.run/1"});
  Write("e.json", R"({"schema": "vmstress.ratios/1", "comparisons": []})");
  ExpectRefused({"compare", "a.json", "e.json"}, {"Google Benchmark", "vmstress.ratios/1"});
}

TEST_F(BadInput, OrderBook) {
  ExpectRefused({"lockorder", "--book=absent.toml"}, {"absent.toml", "No such file"});
  Write("b.toml", "order = 3\n");
  ExpectRefused({"lockorder", "--book=b.toml"}, {"b.toml:1", "order"});
  Write("c.toml", "order = []\n");
  ExpectRefused({"lockorder", "--book=c.toml", "--format=yaml"},
                {"yaml", "text, dot, svg, json, sarif"});
}

TEST_F(BadInput, MergedFiles) {
  Write("b.toml", "order = []\n");
  const auto refused = [&](std::vector<std::string> files, std::vector<std::string> parts) {
    files.insert(files.begin(), {"merge", "--book=b.toml", "--out=out.json"});
    ExpectRefused(files, parts);
  };
  refused({}, {"merge", "lockorder --format=json"});
  refused({"absent.json"}, {"absent.json", "No such file"});
  Write("a.json", R"({"schema": "vmstress.lockorder/1", "edg)");
  refused({"a.json"}, {"a.json", "not JSON, or was cut off"});
  Write("a.json", R"({"schema": "vmstress.run/1"})");
  refused({"a.json"}, {"a.json", "vmstress.run/1", "accepted: vmstress.lockorder/1"});
  Write("a.json", "[1]");
  refused({"a.json"}, {"a.json", "accepted: vmstress.lockorder/1"});
  refused({"a.json", "a.json"}, {"a.json", "twice"});
  Write("a.json", R"({"schema": "vmstress.lockorder/1", "edges": []})");
  refused({"a.json"}, {"a.json", "no whole result", "dropped"});
  const auto edge = [&](const std::string& count, const std::string& mode) {
    Write("a.json",
          R"({"schema": "vmstress.lockorder/1", "edges": [{"from": "a", "to": "b", "count": )" +
              count + R"(, "modes": [["exclusive", )" + mode +
              R"(]], "samples": []}], "dropped": 0, "dropped_classes": [], "failures": [],
                 "listed": []})");
  };
  edge("-1", "\"shared\"");
  refused({"a.json"}, {"a.json", "-1 stands for a count", "an integer from 0 on"});
  edge("1.5", "\"shared\"");
  refused({"a.json"}, {"a.json", "1.5"});
  edge("1", "\"both\"");
  refused({"a.json"}, {"a.json", "\"both\" stands for a mode", "exclusive, shared"});
  edge("1", "3");
  refused({"a.json"}, {"a.json", "no whole result"});
  edge("1", "\"shared\"");
  refused({"a.json", "--book=absent.toml"}, {"--book", "more than once"});
  ExpectRefused({"merge", "a.json", "--out=no/such/folder/x.json", "--book=b.toml"}, {"--out"});
}

TEST_F(BadInput, List) {
  ExpectRefused({"list"}, {"scenarios", "workers"});
  ExpectRefused({"list", "scenario"}, {"did you mean scenarios?"});
  ExpectRefused({"list", "defects"}, {kNotAvailable});
}

TEST_F(BadInput, AHostileNameDoesNotBreakTheLine) {
  ExpectRefused({"run", "--scenario=a\nb\tc"}, {"a b c"});
  ExpectRefused({std::string(5000, 'x')}, {"xxx"});
}

}  // namespace
}  // namespace stress
