// Every command line of the pages is one that works: it is run, cut short, and ends with the exit
// code that its comment names, or 0. Files come from earlier lines of the page, or ship.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/docs/page.h"
#include "tests/stress/command.h"

namespace stress {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// What a line may take here, whatever it says.
constexpr char kDuration[] = "100ms";
constexpr std::uint64_t kMostOperations = 200;
constexpr std::uint64_t kMostExecutions = 50;

struct Line {
  std::string command;  // without comment and environment
  int exit_code = 0;
  std::string place;
};

std::vector<std::string> PageNames() {
  std::vector<std::string> names = docs::DataFiles("docs", {".md"});
  names.insert(names.begin(), "README.md");
  return names;
}

// "VMSTRESS_CONFIG=release ci/stress run   # exit 1".
Line Read(std::string text, const std::string& place) {
  Line line{"", 0, place};
  if (const std::size_t comment = text.find(" #"); comment != std::string::npos) {
    std::smatch match;
    const std::string said = text.substr(comment);
    if (std::regex_search(said, match, std::regex("exit (\\d+)")))
      line.exit_code = std::stoi(match[1]);
    text.resize(comment);
  }
  line.command = std::regex_replace(text, std::regex("^([A-Z_]+=\\S+ )+"), "");
  return line;
}

std::vector<Line> LinesOf(const docs::Fence& fence, const std::string& page) {
  std::vector<Line> lines;
  int number = fence.first_line;
  for (const std::string& text : fence.lines)
    lines.push_back(Read(text, page + ":" + std::to_string(number++) + ": " + text));
  return lines;
}

Words Split(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool IsOurs(const Words& words) {
  return !words.empty() && (words[0] == "vmstress" || words[0] == "ci/stress");
}

void CapNumber(std::string* argument, const std::string& flag, std::uint64_t most) {
  if (!argument->starts_with(flag)) return;
  *argument = flag + std::to_string(
                         std::min<std::uint64_t>(most, std::stoull(argument->substr(flag.size()))));
}

// The arguments of the binary: as ci/stress makes them, and short.
Words ShortArguments(const Words& words) {
  Words arguments(words.begin() + 1, words.end());
  if (words[0] == "ci/stress" && arguments.empty()) arguments = {"run", "--scenario=mixed"};
  if (words[0] == "ci/stress" && arguments[0].starts_with('-') && arguments[0] != "--help" &&
      arguments[0] != "--version")
    arguments.insert(arguments.begin(), "run");
  bool bounded = false;
  for (std::string& argument : arguments) {
    if (argument.starts_with("--duration=")) argument = std::string("--duration=") + kDuration;
    CapNumber(&argument, "--operations=", kMostOperations);
    CapNumber(&argument, "--executions=", kMostExecutions);
    // The folder of the test takes the place of one that it may not write to.
    if (argument.starts_with("--store=file:/"))
      argument = "--store=file:" + argument.substr(argument.rfind('/') + 1);
    bounded = bounded || argument.starts_with("--duration=") ||
              argument.starts_with("--operations=") || argument == "--help";
  }
  const std::string command = arguments.empty() ? "" : arguments[0];
  if ((command == "run" || command == "scale") && !bounded)
    arguments.push_back(std::string("--duration=") + kDuration);
  if (command == "scale") arguments.push_back("--rounds=1");
  return arguments;
}

class PageCommands : public CommandTest {
 protected:
  // What a checkout has, where a command line expects it.
  void Ship(const std::string& name) {
    const fs::path to = folder_ + "/" + name;
    fs::create_directories(to.parent_path());
    fs::copy_file(docs::DataPath(name), to);
  }

  // "# mine.toml: what it is" begins a file that the lines below it use.
  void WriteExample(const docs::Fence& fence) {
    std::smatch match;
    if (fence.lines.empty() ||
        !std::regex_search(fence.lines[0], match, std::regex("^# ([a-z_]+\\.toml):")))
      return;
    std::string text;
    for (const std::string& line : fence.lines) text += line + "\n";
    Write(match[1], text);
  }

  // Stands in for a result that a benchmark would write.
  void WriteResult(const std::string& path) {
    fs::create_directories(fs::path(folder_ + "/" + path).parent_path());
    Write(path, docs::ReadData("tests/stress/results/benchmark.json"));
  }

  // Benchmarks are not run here; what they leave behind is there all the same.
  void StandInForBenchmarks(const Words& words) {
    const std::string flag = "--benchmark_out=";
    if (words[0] == "bench/results.sh") WriteResult("bench/results/fault.json");
    for (const std::string& word : words)
      if (word.starts_with(flag)) WriteResult(word.substr(word.find_last_of("/=") + 1));
  }

  int RunLines(const std::string& name) {
    int run = 0;
    for (const docs::Fence& fence : docs::Page(name).Fences()) {
      if (fence.language == "toml") WriteExample(fence);
      for (const Line& line : LinesOf(fence, name)) {
        const Words words = Split(line.command);
        if (!words.empty()) StandInForBenchmarks(words);
        if (!IsOurs(words)) continue;
        const Outcome outcome = Run(ShortArguments(words));
        EXPECT_EQ(outcome.exit_code, line.exit_code) << line.place << "\n" << outcome.err;
        ++run;
      }
    }
    return run;
  }
};

TEST_F(PageCommands, EndAsTheyShould) {
  int run = 0;
  for (const std::string& name : PageNames()) {
    fs::remove_all(folder_);
    for (const std::string& file : docs::DataFiles("stress/scenarios", {".toml"})) Ship(file);
    Ship("ci/lock_order.toml");
    run += RunLines(name);
  }
  EXPECT_GE(run, 10);
}

// "//bench:fault" of "bazel run --config=release //bench:fault -- --benchmark_filter=Zero".
void ExpectTargetsExist(const Line& line) {
  for (const std::string& word : Split(line.command)) {
    if (word == "--" || word.find("NAME") != std::string::npos) return;
    std::smatch match;
    if (!std::regex_match(word, match, std::regex("//([\\w/]*)(?::(\\w+)|/\\.\\.\\.)?"))) continue;
    if (word.ends_with("...")) continue;
    const std::string folder = match[1];
    const std::string target = match[2].matched ? match[2] : folder.substr(folder.rfind('/') + 1);
    const std::string build = docs::ReadData(folder + "/BUILD");
    EXPECT_NE(build.find("\"" + target + "\""), std::string::npos) << line.place;
  }
}

TEST(PageTargets, Exist) {
  for (const std::string& name : PageNames()) {
    const docs::Page page(name);
    for (const docs::Fence& fence : page.Fences())
      for (const Line& line : LinesOf(fence, name))
        if (line.command.starts_with("bazel ")) ExpectTargetsExist(line);
    for (const std::string& span : docs::Spans(page.text()))
      if (span.starts_with("bazel ") || span.starts_with("//"))
        ExpectTargetsExist(Read(span, name + ": " + span));
  }
}

// A path of the repository in the text leads somewhere.
TEST(PagePaths, Exist) {
  const std::regex path("(bench|ci|docs|locking|stress|tests|vm)/[\\w/.-]*");
  for (const std::string& name : PageNames()) {
    for (const std::string& span : docs::Spans(docs::Page(name).text())) {
      if (!std::regex_match(span, path) || span.find("NAME") != std::string::npos) continue;
      EXPECT_TRUE(fs::exists(docs::DataPath(span))) << name << ": " << span;
    }
  }
}

}  // namespace
}  // namespace stress
