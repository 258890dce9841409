// The families of Linux's lib/locking-selftest.c, over the kinds of lock that it runs them with.
#include <algorithm>

#include "tests/witness/scenario.h"

namespace locking {
namespace {

struct Flavour {
  const char* name;
  TestLock lock;
  bool shared;
};
constexpr Flavour kFlavours[] = {
    {"spin", TestLock::kSpin, false},
    {"wlock", TestLock::kRecursiveReadRw, false},
    {"rlock", TestLock::kRecursiveReadRw, true},
    {"mutex", TestLock::kMutex, false},
    {"wsem", TestLock::kSleepableRw, false},
    {"rsem", TestLock::kSleepableRw, true},
    {"rtmutex", TestLock::kSleepableMutex, false},
};

// "AB,BA" -> "A B, B A", in the flavour's mode.
std::string PathsOf(const std::string& shape, const Flavour& flavour) {
  std::string paths;
  for (char c : shape) {
    if (c == ',')
      paths += ",";
    else
      paths += std::string(flavour.shared ? " r" : " ") + c;
  }
  return paths;
}

// Readers of a recursive-read lock never wait for each other; those of a fair one only when a
// writer comes, and these shapes have none.
std::string Verdict(const Flavour& flavour, const std::string& rule) {
  if (!flavour.shared) return rule + "/provable";
  return flavour.lock == TestLock::kRecursiveReadRw ? "" : "LK07/no-writer";
}

void AddCycles(std::vector<Scenario>* table) {
  const std::pair<const char*, const char*> shapes[] = {
      {"ABBA", "AB,BA"},           {"ABBCCA", "AB,BC,CA"},      {"ABCABC", "AB,CA,BC"},
      {"ABBCCDDA", "AB,BC,CD,DA"}, {"ABCDBDDA", "AB,CD,BD,DA"}, {"ABCDBCDA", "AB,CD,BC,DA"},
  };
  for (const auto& [name, shape] : shapes)
    for (const Flavour& flavour : kFlavours)
      table->push_back(
          {"Linux cycles", std::string(name) + " " + flavour.name, PathsOf(shape, flavour),
           Verdict(flavour, std::string(name) == "ABBA" ? "LK02" : "LK03"), flavour.lock});
}

void AddSameClass(std::vector<Scenario>* table) {
  for (const Flavour& flavour : kFlavours) {
    const std::string mode = flavour.shared ? "r" : "";
    const bool recursive = flavour.shared && flavour.lock == TestLock::kRecursiveReadRw;
    table->push_back({"Linux AA", std::string("AA ") + flavour.name, mode + "X#1 " + mode + "X#2",
                      recursive ? "" : "LK04/class-only", flavour.lock});
    table->push_back({"Linux AA", std::string("AA itself ") + flavour.name,
                      mode + "X#1 " + mode + "X#1", recursive ? "" : "LK01/", flavour.lock});
    table->push_back({"Linux double_unlock", flavour.name, mode + "A " + mode + "-A " + mode + "-A",
                      "LK01/", flavour.lock});
    table->push_back({"Linux init_held", flavour.name, mode + "A =A", "LK01/ LK11/", flavour.lock});
    table->push_back({"Linux bad_unlock_order", flavour.name,
                      mode + "A " + mode + "B " + mode + "-A " + mode + "-B", "", flavour.lock});
  }
}

// Reader and writer modes on one instance, and on two of one class.
void AddReadRecursion(std::vector<Scenario>* table) {
  const TestLock rw = TestLock::kRecursiveReadRw;
  const TestLock sem = TestLock::kSleepableRw;
  const std::string family = "Linux read recursion";
  table->push_back({family, "AA1 rlock", "rX#1 rX#1", "", rw});
  table->push_back({family, "AA1 rsem", "rX#1 rX#1", "LK01/", sem});
  table->push_back({family, "AA1B rlock", "rX#1 rX#2", "", rw});
  table->push_back({family, "AA1B rsem", "rX#1 rX#2", "LK04/class-only", sem});
  for (TestLock lock : {rw, sem}) {
    const std::string name = lock == rw ? " rlock" : " rsem";
    table->push_back({family, "AA2" + name, "rX#1 X#1", "LK01/", lock});
    table->push_back({family, "AA2 other" + name, "rX#1 X#2", "LK04/class-only", lock});
    table->push_back({family, "AA3" + name, "X#1 rX#1", "LK01/", lock});
    table->push_back({family, "AA3 other" + name, "X#1 rX#2", "LK04/class-only", lock});
  }
}

void AddReadAgainstWrite(std::vector<Scenario>* table) {
  const std::string family = "Linux read/write ABBA";
  for (TestLock lock : {TestLock::kRecursiveReadRw, TestLock::kSleepableRw}) {
    const bool recursive = lock == TestLock::kRecursiveReadRw;
    const std::string name = recursive ? " rlock" : " rsem";
    const std::map<std::string, TestLock> others = {
        {"Y", recursive ? TestLock::kMutex : TestLock::kSleepableMutex}};
    table->push_back({family, "ABBA1" + name, "rX Y, Y X", "LK07/provable", lock, others});
    table->push_back(
        {family, "ABBA2" + name, "rX Y, Y rX", recursive ? "" : "LK07/no-writer", lock, others});
    table->push_back({family, "ABBA3" + name, "X Y, Y X", "LK02/provable", lock, others});
    // The reader's order of a fair lock would take a writer that neither is the reader itself nor
    // waits with Y.
    table->push_back(
        {family, "chaincache" + name, "rX Y, Y rX -* Y X",
         recursive ? "LK07/provable" : "LK07/no-writer LK07/provable LK07/single-context", lock,
         others});
    table->push_back({family, "chaincache, other order" + name, "Y X, rX Y, Y rX",
                      recursive ? "LK07/provable" : "LK07/provable LK07/gated", lock, others});
  }
}

// Three paths in each of their six orders.
void AddThreePaths(std::vector<Scenario>* table) {
  struct Shape {
    const char* name;
    std::vector<std::string> paths;
    bool blocks;  // without a writer of the class that is only read
  };
  const Shape shapes[] = {
      {"W1R2_W2R3_W3R1", {"A rB", "B rC", "C rA"}, true},
      {"W1W2_R2R3_W3R1", {"A B", "rB rC", "C rA"}, true},
      {"W1W2_R2R3_R3W1", {"A B", "rB rC", "rC A"}, false},
      {"W1R2_R2R3_W3W1", {"A rB", "rB rC", "C A"}, false},
  };
  for (const Shape& shape : shapes) {
    std::vector<std::string> paths = shape.paths;
    std::sort(paths.begin(), paths.end());
    do {
      const std::string text = paths[0] + "," + paths[1] + "," + paths[2];
      table->push_back({"Linux three paths", std::string(shape.name) + " rlock " + text, text,
                        shape.blocks ? "LK07/provable" : "", TestLock::kRecursiveReadRw});
      table->push_back({"Linux three paths", std::string(shape.name) + " rsem " + text, text,
                        shape.blocks ? "LK07/provable" : "LK07/no-writer", TestLock::kSleepableRw});
    } while (std::next_permutation(paths.begin(), paths.end()));
  }
}

void AddWaitContext(std::vector<Scenario>* table) {
  const std::pair<const char*, TestLock> kinds[] = {{"sleepable", TestLock::kSleepableMutex},
                                                    {"mutex", TestLock::kMutex},
                                                    {"spin", TestLock::kSpin}};
  for (int outer = 0; outer < 3; ++outer)
    for (int inner = 0; inner < 3; ++inner)
      table->push_back({"Linux wait context",
                        std::string(kinds[inner].first) + " in " + kinds[outer].first,
                        "O I",
                        inner < outer ? "LK05/" : "",
                        TestLock::kMutex,
                        {{"O", kinds[outer].second}, {"I", kinds[inner].second}}});
}

}  // namespace

void AddLinuxScenarios(std::vector<Scenario>* table) {
  AddCycles(table);
  AddSameClass(table);
  AddWaitContext(table);
}

void AddReadWriteScenarios(std::vector<Scenario>* table) {
  AddReadRecursion(table);
  AddReadAgainstWrite(table);
  AddThreePaths(table);
}

}  // namespace locking
