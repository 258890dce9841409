// docs/output.md names every field and every line that the command writes, and nothing else.
#include <signal.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "stress/config/error.h"
#include "stress/report/machine_report.h"
#include "stress/report/run_report.h"
#include "stress/report/scale_report.h"
#include "tests/docs/page.h"
#include "tests/stress/command.h"

namespace stress {
namespace {

using docs::Page;
using nlohmann::json;
using Names = std::set<std::string>;

const Page& OutputPage() {
  static const auto* page = new Page("docs/output.md");
  return *page;
}

Names NamesOf(const std::string& heading) {
  Names names;
  for (const auto& [name, row] : docs::RowsByCode(OutputPage().Find(heading))) names.insert(name);
  return names;
}

// "failures[].threads[].stack[]" for each leaf, and for lists themselves.
void AddPaths(const json& value, const std::string& path, Names* paths) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items())
      AddPaths(member, path.empty() ? key : path + "." + key, paths);
  } else if (value.is_array()) {
    paths->insert(path + "[]");
    for (const json& element : value) AddPaths(element, path + "[]", paths);
  } else {
    paths->insert(path);
  }
}

// The name that stands for `path`: itself, or one that ends in ".*".
std::string NameOf(const std::string& path, const Names& names) {
  if (names.contains(path)) return path;
  const std::string pattern = path.substr(0, path.rfind('.') + 1) + "*";
  return path.find('.') != std::string::npos && names.contains(pattern) ? pattern : "";
}

// A list whose members have names needs none of its own.
bool HasNamedMembers(const std::string& path, const Names& names) {
  const auto after = names.lower_bound(path);
  return path.ends_with("[]") && after != names.end() && after->starts_with(path);
}

struct Tables {
  explicit Tables(const std::string& heading)
      : own(NamesOf(heading)),
        common(NamesOf("In every document")),
        finding(NamesOf("A finding")),
        machine(NamesOf("A machine")) {}

  void Check(const json& document) {
    Names paths;
    AddPaths(document, "", &paths);
    for (const std::string& path : paths)
      EXPECT_TRUE(IsNamed(path)) << document["schema"] << ": " << path;
  }
  bool IsNamed(const std::string& path) {
    if (const std::string name = NameOf(path, own); !name.empty()) return seen.insert(name), true;
    if (common.contains(path) || HasNamedMembers(path, own)) return true;
    if (path.starts_with("machine.")) return IsOfMachine(path.substr(path.find('.') + 1));
    for (const std::string list : {"failures[].", "listed[]."}) {
      if (!path.starts_with(list)) continue;
      const std::string name = NameOf(path.substr(list.size()), finding);
      if (!name.empty()) return seen_finding.insert(name), true;
    }
    return false;
  }
  bool IsOfMachine(const std::string& path) {
    seen.insert("machine");
    if (machine.contains(path)) return seen_machine.insert(path), true;
    return HasNamedMembers(path, machine);
  }
  void ExpectAllSeen() const {
    for (const std::string& name : own)
      EXPECT_TRUE(seen.contains(name)) << "no document has " << name;
    for (const std::string& name : machine)
      EXPECT_TRUE(seen_machine.empty() || seen_machine.contains(name)) << "no machine has " << name;
    if (seen_finding.empty()) return;
    for (const std::string& name : finding)
      EXPECT_TRUE(seen_finding.contains(name)) << "no finding has " << name;
  }

  const Names own, common, finding, machine;
  Names seen, seen_finding, seen_machine;
};

class OutputPageTest : public CommandTest {
 protected:
  json ReadJson(const std::string& name) { return json::parse(Read(name)); }

  // Each line that is not indented begins with a name of the table.
  static void ExpectLines(const std::string& heading, const std::string& text, char end) {
    const Names names = NamesOf(heading);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line.front() == ' ') continue;
      EXPECT_TRUE(names.contains(line.substr(0, line.find(end)))) << heading << ": " << line;
    }
  }
};

TEST_F(OutputPageTest, HasTheExitCodes) {
  Names codes;
  for (const int code : {kExitClean, kExitFailed, kExitUsage, kExitCannotRun, kExitInterrupted})
    codes.insert(std::to_string(code));
  EXPECT_EQ(NamesOf("Exit codes"), codes);
}

TEST_F(OutputPageTest, HasEachFieldAndLineOfARun) {
  Tables tables("vmstress.run/1");
  Write("s.toml",
        "[machine]\npages = 64\n[[worker]]\nkind = \"fault\"\ncount = 1\ntouches = 3\n"
        "[[worker]]\nkind = \"map\"\n");
  const Outcome clean = Run({"run", "--scenario=s.toml", "--operations=50", "--json=r.json"});
  ASSERT_EQ(clean.exit_code, kExitClean) << clean.err;
  tables.Check(ReadJson("r.json"));
  ExpectLines("Text of run", clean.out, ' ');
  const Outcome crashed =
      RunAndSignal({"run", "--duration=10m", "--threads=2", "--json=r.json"}, {SIGSEGV});
  ASSERT_EQ(crashed.exit_code, kExitFailed) << crashed.err;
  tables.Check(ReadJson("r.json"));
  ExpectLines("Text of run", crashed.out, ' ');
  RunResult dropped;
  dropped.dropped = {{"map", 3}};
  tables.Check(json::parse(RunJson({}, dropped).dump()));
  ExpectLines("Text of run", RunSummary({}, dropped), ' ');
  tables.ExpectAllSeen();
}

TEST_F(OutputPageTest, HasEachFieldAndLineOfAnExploration) {
  Tables tables("vmstress.explore/1");
  const Outcome clean = Run({"explore", "--scenario=maps", "--executions=5", "--json=e.json"});
  ASSERT_EQ(clean.exit_code, kExitClean) << clean.err;
  tables.Check(ReadJson("e.json"));
  ExpectLines("Text of explore", clean.out, ' ');
  const Outcome failed =
      Run({"explore", "--test=abba", "--executions=5", "--json=e.json", "--save=f"});
  ASSERT_EQ(failed.exit_code, kExitFailed) << failed.err;
  tables.Check(ReadJson("e.json"));
  ExpectLines("Text of explore", failed.out, ' ');
  tables.ExpectAllSeen();
  ExpectLines("Text of explore", Run({"replay", "f/abba-2.replay"}).out, ' ');
}

TEST_F(OutputPageTest, HasEachKeyOfAFailureFile) {
  Run({"explore", "--test=abba", "--executions=1", "--save=f"});
  const Names names = NamesOf("Failure files");
  std::istringstream lines(Read("f/abba-2.replay"));
  Names seen;
  for (std::string line; std::getline(lines, line);) {
    const std::string key = line.substr(0, line.find(' '));
    if (seen.contains("choices") && key != "end") continue;
    EXPECT_TRUE(names.contains(key)) << line;
    seen.insert(key);
  }
  for (const std::string& name : names)
    EXPECT_TRUE(seen.contains(name) || name.find('=') != std::string::npos) << name;
}

TEST_F(OutputPageTest, HasEachFieldAndLineOfAnInspection) {
  Tables tables("vmstress.inspect/1");
  const std::vector<std::string> arguments = {"inspect", "--scenario=fork-storm",
                                              "--show=queues,objects,spaces,pages,check",
                                              "--json=m.json"};
  const Outcome shown = Run(arguments);
  ASSERT_EQ(shown.exit_code, kExitClean) << shown.err;
  tables.Check(ReadJson("m.json"));
  ExpectLines("Text of inspect", shown.out, ' ');
  // What this machine does not show.
  vm::MachineState machine;
  machine.objects.resize(1);
  machine.objects[0].type = "swap";
  machine.objects[0].flags = {"dead"};
  machine.objects[0].slots = machine.objects[0].pages = {{1, 2, 3}};
  machine.objects[0].reservations = machine.partial = {{.object = 1, .count = 4, .used = 2}};
  machine.pages.resize(1);
  machine.pages[0].flags = {"wanted"};
  machine.pages[0].mappings.resize(1);
  machine.pages_left_out = 1;
  const json document = json::parse(InspectJson({"nowhere", machine}).dump());
  EXPECT_EQ(document["verdict"], "failed");
  tables.Check(document);
  tables.ExpectAllSeen();
  Write("m.json", document.dump());
  ExpectLines("Text of inspect", Run({"inspect", "m.json", "--show=queues,pages,check"}).out, ' ');
}

TEST_F(OutputPageTest, HasEachFieldAndLineOfAMeasurement) {
  Tables tables("vmstress.scale/1");
  const Outcome outcome = Run({"scale", "--cpus=1,2", "--duration=20ms", "--json=s.json"});
  ASSERT_EQ(outcome.exit_code, kExitClean) << outcome.err;
  tables.Check(ReadJson("s.json"));
  ExpectLines("Text of scale", outcome.out, ' ');
  // What a host of few cores, or without contention, does not show.
  ScalePlan plan;
  plan.cores = 4;
  plan.runs.resize(1);
  ScaleCurve curve{vm::LockDialect::kQueues, {}};
  for (const std::uint32_t threads : {2u, 3u, 4u, 8u})
    curve.points.push_back(
        {threads, {90.0, 120.0}, {{"map", 5, 0.5, 0.5}}, SpreadOf({90.0, 120.0})});
  Judge(plan, &curve);
  ScaleResult result;
  result.curves = {curve, curve};
  result.curves.back().locks = vm::LockDialect::kGiant;
  tables.Check(json::parse(ScaleJson(plan, result).dump()));
  ExpectLines("Text of scale", ScaleSummary(plan, result), ' ');
  tables.ExpectAllSeen();
}

TEST_F(OutputPageTest, HasEachFieldAndLineOfALockOrder) {
  Tables tables("vmstress.lockorder/1");
  // An order that is contrary to what runs show, and one that they do not show.
  Write("book.toml", "order = [[\"object\", \"map\"], [\"swap\", \"nothing\"]]\n");
  const Outcome outcome = Run({"lockorder", "--book=book.toml", "--format=json"});
  ASSERT_EQ(outcome.exit_code, kExitFailed) << outcome.err;
  ExpectLines("Text of lockorder", Run({"lockorder", "--book=book.toml"}).out, ':');
  json document = json::parse(outcome.out);
  locking::Finding finding;
  finding.classes = {"map", "object"};
  finding.log_tail = {"fault"};
  finding.threads = {{"worker 1", "took map", {"object"}, {"F()"}, "f.cc:1"}};
  for (const char* list : {"failures", "listed"}) {
    document[list].push_back(json::parse(FindingJson(finding).dump()));
    document[list].back()["count"] = 1;
  }
  document["dropped_classes"].push_back({{"class", "map"}, {"acquisitions", 3}});
  Write("1.json", document.dump());
  const Outcome merged = Run({"merge", "1.json", "--book=book.toml"});
  ASSERT_EQ(merged.exit_code, kExitFailed) << merged.err;
  tables.Check(json::parse(merged.out));
  tables.ExpectAllSeen();
  ExpectLines("Text of lockorder",
              Run({"merge", "1.json", "--book=book.toml", "--format=text"}).out, ':');
}

}  // namespace
}  // namespace stress
