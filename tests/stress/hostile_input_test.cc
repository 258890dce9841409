// Hostile input to the real command. What is tried follows from the tables of settings: a new flag
// is covered by being there. One line, exit code 2 or 3, nothing left behind.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "stress/config/setting.h"
#include "tests/stress/command.h"

namespace stress {
namespace {

using HostileInput = CommandTest;
using Output = Surroundings::Output;

// Nothing that a flag takes, whatever its type, unless it takes any text.
const std::vector<std::string>& Garbage() {
  static const auto* garbage = new std::vector<std::string>{"",
                                                            "-1",
                                                            "-9223372036854775808",
                                                            "99999999999999999999999999999999",
                                                            "1e3",
                                                            "1.0",
                                                            "nan",
                                                            "inf",
                                                            "0x10",
                                                            std::string(100'000, '9'),
                                                            " 7",
                                                            "7 ",
                                                            "7\n",
                                                            "+7",
                                                            "\xff\xfe\x80",
                                                            "\xe2\x80\xa8",
                                                            "1e",
                                                            "[]"};
  return *garbage;
}

struct Flagged {
  const char* command;
  const Setting* setting;
};

std::vector<Flagged> AllFlags() {
  std::vector<Flagged> flags;
  const std::pair<const char*, std::uint32_t> commands[] = {{"run", kRunCommand},
                                                            {"explore", kExploreCommand},
                                                            {"scale", kScaleCommand},
                                                            {"lockorder", kLockOrderCommand}};
  for (const Setting& setting : AllSettings())
    for (const auto& [command, bit] : commands)
      if ((setting.commands & bit) != 0) flags.push_back({command, &setting});
  return flags;
}

bool IsPath(const Setting& setting) { return setting.type == ValueType::kText; }

TEST_F(HostileInput, IsRefusedByEachFlag) {
  for (const auto& [command, setting] : AllFlags()) {
    const std::string flag = FlagOf(setting->key);
    if (IsPath(*setting)) {
      ExpectRefused({command, flag + "="}, {flag});
      continue;
    }
    for (const std::string& text : Garbage()) {
      if (setting->type == ValueType::kBoolean && text.empty()) continue;  // as the flag alone
      SCOPED_TRACE(std::string(command) + " " + flag + "=" + text.substr(0, 40));
      ExpectRefused({command, flag + "=" + text}, {flag});
    }
  }
}

TEST_F(HostileInput, NoFlagIsTakenTwice) {
  for (const auto& [command, setting] : AllFlags()) {
    const std::string flag = FlagOf(setting->key);
    const bool switched = setting->type == ValueType::kBoolean;
    const std::string text = switched ? flag : flag + "=1";
    ExpectRefused({command, text, text}, {flag, "more than once"});
  }
}

TEST_F(HostileInput, NoFolderIsTakenForAFile) {
  mkdir((folder_ + "/d.toml").c_str(), 0755);
  for (const char* flag : {"--scenario", "--json"})
    for (const char* command : {"run", "explore"})
      ExpectRefused({command, std::string(flag) + "=d.toml"}, {"d.toml", "folder"});
  ExpectRefused({"lockorder", "--book=d.toml"}, {"d.toml", "folder"});
  Write("b.toml", "order = []\n");
  ExpectRefused({"lockorder", "--book=b.toml", "--out=d.toml"}, {"--out", "folder"});
  ExpectRefused({"replay", "d.toml"}, {"d.toml", "folder"});
  ExpectRefused({"explore", "--save=b.toml"}, {"--save", "not a folder"});
}

TEST_F(HostileInput, NoDeviceOrPipeIsRead) {
  mkfifo((folder_ + "/pipe").c_str(), 0644);
  for (const char* path : {"./pipe", "/dev/zero", "/dev/null"}) {
    const std::string text = path;
    ExpectRefused({"run", "--scenario=" + text}, {text, "regular file"});
    ExpectRefused({"lockorder", "--book=" + text}, {text, "regular file"});
    ExpectRefused({"replay", text}, {text, "regular file"});
  }
}

TEST_F(HostileInput, APipeThatNobodyReadsIsNotWaitedFor) {
  mkfifo((folder_ + "/pipe").c_str(), 0644);
  ExpectRefused({"run", "--json=pipe"}, {"--json", "pipe"});
}

TEST_F(HostileInput, ALargeFileIsNotRead) {
  Write("s.toml", "");
  ASSERT_EQ(truncate((folder_ + "/s.toml").c_str(), 100'000'000), 0);
  ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml", "too large", "1MiB"});
  ExpectRefused({"lockorder", "--book=s.toml"}, {"s.toml", "too large"});
  ExpectRefused({"replay", "s.toml"}, {"s.toml", "too large", "16MiB"});
}

// The parser's recursion, and that of the tables' destructors.
TEST_F(HostileInput, DeepNestingDoesNotOverflowTheStack) {
  constexpr int kDepth = 100'000;
  std::string dots, deepest;
  for (int i = 0; i < kDepth; ++i) dots += "a.";
  for (int i = 0; i < 16; ++i) {
    for (int dot = 0; dot < 450; ++dot) deepest += "a.";
    deepest += "a = [{\n";
  }
  const std::pair<const char*, std::string> texts[] = {
      {"key", dots + "a = 1\n"},
      {"table", "[" + dots + "a]\n"},
      {"tables", "[[" + dots + "a]]\n"},
      {"arrays", "a = " + std::string(kDepth, '[') + "\n"},
      {"arrays on lines", "a = \n" + std::string(400, '[') + "\n"},
      {"inline tables", "a = {a = {a = {a = {a = {a = {a = {a = {a = {a = {a = {a = {a = {a = {\n"},
      {"values of dots", deepest}};
  for (const auto& [what, text] : texts) {
    SCOPED_TRACE(what);
    Write("s.toml", text);
    ExpectRefused({"run", "--scenario=s.toml"}, {"s.toml:"});
    ExpectRefused({"lockorder", "--book=s.toml"}, {"s.toml:"});
  }
}

TEST_F(HostileInput, AnOrderOfTooManyClassesIsRefused) {
  std::string book = "order = [\n";
  for (int i = 0; i < 2'000; ++i)
    book += "  [\"a" + std::to_string(i) + "\", \"a" + std::to_string(i + 1) + "\"],\n";
  Write("b.toml", book + "]\n");
  ExpectRefused({"lockorder", "--book=b.toml"}, {"b.toml:", "at most 1000"});
}

TEST_F(HostileInput, AReplayFileCannotAskForMuch) {
  const std::string head =
      "vmstress-replay 1\ntest mixed\nstrategy random\nseed 1\nexecution 1\nid X\nsignature x\n"
      "title t\nwith scenario=mixed\ntrace_hash 1\n";
  Write("a.replay", head + "max_steps 1\nchoices 268435456\n1x268435456\nend\n");
  ExpectRefused({"replay", "a.replay"}, {"a.replay", "choices"});
  Write("b.replay",
        head + "with pages=67108864\nwith page_size=32768\nmax_steps 1\nchoices 0\nend\n");
  ExpectRefused({"replay", "b.replay"}, {"b.replay: pages"}, 3);
  // The record is short, and the program may go on for ever.
  Write("c.replay", head + "with operations=1000000000\nmax_steps 4294967295\nchoices 1\n1\nend\n");
  const Outcome outcome = Run({"replay", "c.replay"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("does not follow the record"), std::string::npos) << outcome.err;
}

TEST_F(HostileInput, ANameOfAnyBytesStaysOnItsLine) {
  ExpectRefused({"run",
                 "--scenario=a\xc2\x85"
                 "b\xe2\x80\xa8"
                 "c\xff"
                 "d"},
                {"a b c?d"});
  const std::string name = "it's\n\xff 'x'.toml";
  Write(name, "[[worker]]\nkind = \"fault\"\n");
  const Outcome outcome =
      Run({"run", "--scenario=" + name, "--operations=5", "--json=r.json", "--seed=1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.rfind("scenario    it's ? 'x'.toml, seed 1", 0), 0u) << outcome.out;
  EXPECT_NE(outcome.out.find("--scenario='it'\\''s\n\xff '\\''x'\\''.toml'"), std::string::npos)
      << outcome.out;
  EXPECT_EQ(nlohmann::json::parse(Read("r.json"))["verdict"], "clean");
}

TEST_F(HostileInput, AFullDiskLeavesNoHalfOfAResult) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"run", "--operations=5"}, {"explore", "--executions=2"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back("--json=/dev/full");
    const Outcome full = Run(arguments);
    EXPECT_EQ(full.exit_code, 3);
    EXPECT_EQ(full.err, "vmstress: --json: /dev/full cannot be written: No space left on device\n");
    EXPECT_NE(full.out.find("verdict     clean"), std::string::npos) << "the verdict is not lost";
    arguments.back() = "--json=r.json";
    const Outcome large = Run(arguments, {.file_bytes_max = 100});
    EXPECT_EQ(large.exit_code, 3);
    EXPECT_EQ(large.err, "vmstress: --json: r.json cannot be written: File too large\n");
    EXPECT_EQ(Files(), std::vector<std::string>{});
  }
}

TEST_F(HostileInput, OutputThatNobodyTakesIsNoCrash) {
  const std::vector<std::string> run = {"run", "--operations=20", "--json=r.json", "--seed=1"};
  const std::pair<Output, int> outputs[] = {
      {Output::kClosed, 3}, {Output::kFullDisk, 3}, {Output::kReaderLeft, 0}};
  for (const auto& [output, code] : outputs) {
    const Outcome listed = Run({"list", "scenarios"}, {.output = output});
    EXPECT_EQ(listed.exit_code, code) << listed.err;
    const Outcome outcome = Run(run, {.output = output});
    EXPECT_EQ(outcome.exit_code, code) << outcome.err;
    EXPECT_EQ(outcome.err, code == 0 ? "" : "vmstress: standard output cannot be written\n");
    EXPECT_EQ(nlohmann::json::parse(Read("r.json"))["verdict"], "clean");
  }
}

TEST_F(HostileInput, TwoRunsMayShareTheirJson) {
  std::vector<std::string> run = {"run", "--operations=3000", "--json=r.json"};
  const std::vector<Outcome> outcomes = RunTogether({run, run});
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(Read("r.json"))["verdict"], "clean");
  EXPECT_EQ(Files(), std::vector<std::string>{"r.json"});
}

}  // namespace
}  // namespace stress
