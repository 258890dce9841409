// What Zircon's lockdep, TSan's deadlock detector, Helgrind and abseil are tested with, and the
// tiers that they do not have.
#include "tests/witness/scenario.h"

namespace locking {
namespace {

// "A0 A1, A1 A2, ..., An-1 A0"
std::string Ring(int length) {
  std::string paths;
  for (int i = 0; i < length; ++i)
    paths += (i == 0 ? "A" : ",A") + std::to_string(i) + " A" + std::to_string((i + 1) % length);
  return paths;
}

std::string Times(int count, const std::string& path) {
  std::string paths;
  for (int i = 0; i < count; ++i) paths += path;
  return paths;
}

// "L0 L1 ... Ln-1", each released at once or all held.
std::string Row(int length, bool held) {
  std::string path;
  for (int i = 0; i < length; ++i)
    path += " L" + std::to_string(i) + (held ? "" : " -L" + std::to_string(i));
  return path;
}

void AddZircon(std::vector<Scenario>* table) {
  const std::string family = "Zircon";
  WitnessOptions by_number;
  by_number.same_class_order = [](const LockClass&, std::uint32_t held, std::uint32_t taken,
                                  const HeldLocks&) {
    return held < taken ? SameClass::kInOrder : SameClass::kAgainst;
  };
  table->push_back({family, "one lock", "A", ""});
  table->push_back({family, "two of one class", "A#1 A#2", "LK04/class-only"});
  table->push_back({family,
                    "two of a class that allows it",
                    "A#1 A#2 -* A#2 A#1",
                    "",
                    TestLock::kMutex,
                    {},
                    LockClassFlags::kDuplicateOk});
  table->push_back({family, "out of order", "A B -* B A", "LK02/single-context"});
  table->push_back({family,
                    "nestable in order",
                    "A#1 A#2 A#3",
                    "",
                    TestLock::kMutex,
                    {},
                    LockClassFlags::kNone,
                    by_number});
  table->push_back({family,
                    "nestable out of order",
                    "A#1 A#2 -* A#2 A#1",
                    "LK04/",
                    TestLock::kMutex,
                    {},
                    LockClassFlags::kNone,
                    by_number});
  table->push_back({family, "members of one struct are two classes", "S.a S.b", ""});
  table->push_back({family, "cycles", "A B -* B C -* C A -* C D -* D A",
                    "LK03/single-context LK03/single-context"});
}

void AddThreadSanitizer(std::vector<Scenario>* table) {
  const std::string family = "TSan";
  table->push_back({family, "ABBA", "A B, B A", "LK02/provable"});
  table->push_back({family, "ABC", "A B, B C, C A", "LK03/provable"});
  table->push_back({family, "used locks between",
                    "A B" + std::string(" -* ") + Row(5000, false) + ",B A", "LK02/provable"});
  table->push_back(
      {family, "chains between", "A B -* " + Row(300, true) + ", B A", "LK02/provable"});
  table->push_back({family,
                    "read, then lock",
                    "rR L, L R",
                    "LK07/provable",
                    TestLock::kMutex,
                    {{"R", TestLock::kRecursiveReadRw}}});
  for (int length : {5, 10, 15, 20, 25, 30, 100})
    table->push_back({family, "cycle of " + std::to_string(length), Ring(length), "LK03/provable"});
  for (int held : {65, 128, 129, 1000})
    table->push_back({family, std::to_string(held) + " locks held", Row(held, true), ""});
  std::string pairs;
  for (int i = 0; i < 16384; ++i)
    pairs += " rL" + std::to_string(i) + " rL" + std::to_string(i + 1) + " -*";
  table->push_back({family, "16384 rw locks in order", pairs, "", TestLock::kRecursiveReadRw});
  table->push_back({family, "double lock", "A A", "LK01/"});
  table->push_back({family, "bad unlock", "-A", "LK01/"});
  table->push_back({family, "bad read unlock", "r-A", "LK01/", TestLock::kSleepableRw});
  table->push_back(
      {family, "read unlock of another's", "rA pass, r-A", "LK01/", TestLock::kSleepableRw});
}

void AddHelgrind(std::vector<Scenario>* table) {
  const std::string family = "Helgrind";
  table->push_back({family, "tc13_laog1", "A B -* B A", "LK02/single-context"});
  table->push_back({family, "tc14_laog_dinphils", Ring(5), "LK03/provable"});
  table->push_back({family, "tc09_bad_unlock: another thread's", "A pass, -A", "LK01/"});
  table->push_back({family, "tc22_exit_w_lock", "A hold", "LK11/"});
  table->push_back({family, "lock held at the end of an operation", "A end", "LK11/"});
  table->push_back({family, "tc15: initialised again, then inverted", "A B -* =A =B B A",
                    "LK02/single-context"});
}

void AddAbseil(std::vector<Scenario>* table) {
  const std::string family = "abseil";
  table->push_back({family, "try adds no order", "A B, B tA", ""});
  table->push_back({family, "a try is never the waiting side", "B tA, A B", ""});
  table->push_back({family, "what is taken under a try adds one", "tA B, B A", "LK02/provable"});
  table->push_back({family, "try read", "A rB, B trA", "", TestLock::kSleepableRw});
}

// Which locks of a class they are.
void AddInstanceScenarios(std::vector<Scenario>* table) {
  const std::string family = "Instances";
  table->push_back({family, "other locks of both classes", "A#1 B#1, B#2 A#2", "LK02/class-only"});
  table->push_back({family, "other locks of one", "A#1 B#1, B#1 A#2", "LK02/class-only"});
  table->push_back({family, "the same", "A#1 B#2, B#2 A#1", "LK02/provable"});
  table->push_back(
      {family, "the same, later", "A#1 B#1, B#2 A#2 -* B#1 A#1", "LK02/class-only LK02/provable"});
  table->push_back({family, "two sets apart", "A#1 B#1 -* A#2 B#2 -* A#3 B#3, B#4 A#4 -* B#5 A#5",
                    "LK02/class-only"});
  table->push_back(
      {family, "so many that any may come",
       "B#9 A#9, " + Times(5, "") + "A#1 B#1 -* A#2 B#2 -* A#3 B#3 -* A#4 B#4 -* A#5 B#5",
       "LK02/class-only LK02/provable"});
  table->push_back({family, "a circle of three that another lock breaks",
                    "A#1 B#1, B#1 C#1, C#1 A#2", "LK03/class-only"});
  table->push_back({family, "a gate, and other locks", "G A#1 B#1, G B#2 A#2", "LK02/gated"});
  table->push_back(
      {family, "one thread, other locks", "A#1 B#1 -* B#2 A#2", "LK02/single-context"});
  table->push_back({family,
                    "a writer of another lock",
                    "rA#1 B, B rA#1, A#2",
                    "LK07/no-writer LK07/class-only",
                    TestLock::kSleepableMutex,
                    {{"A", TestLock::kSleepableRw}}});
  table->push_back({family, "two of a class in both orders", "X#1 X#2, X#2 X#1",
                    "LK04/class-only LK04/provable"});
  table->push_back({family, "three of a class in a circle", "X#1 X#2, X#2 X#3, X#3 X#1",
                    "LK04/class-only LK04/provable"});
  table->push_back({family, "a class in both orders by one thread", "X#1 X#2 -* X#2 X#1",
                    "LK04/class-only LK04/single-context"});
  table->push_back({family, "a class in both orders inside a gate", "G X#1 X#2, G X#2 X#1",
                    "LK04/class-only LK04/gated"});
  table->push_back(
      {family, "a class in one order", "X#1 X#2, X#2 X#3, X#1 X#3", "LK04/class-only"});
  table->push_back({family, "a circle through two of a class", "X#1 B, B X#2, X#2 X#1",
                    "LK02/class-only LK04/class-only LK03/provable"});
}

void AddUpgrades(std::vector<Scenario>* table) {
  const std::string family = "Upgrades";
  const auto add = [&](const char* name, const char* paths, const char* expected) {
    table->push_back({family,
                      name,
                      paths,
                      expected,
                      TestLock::kSleepableMutex,
                      {{"A", TestLock::kSleepableRw}, {"C", TestLock::kSleepableRw}}});
  };
  add("alone", "rA uA", "");
  add("inside a lock that a reader takes", "B rA uA, rA B", "LK07/provable");
  add("inside a lock that another reader takes", "B rA#1 uA#1, rA#2 B", "LK07/class-only");
  add("by the reader itself", "rA B -B uA", "");
  add("of the lock that keeps them apart", "rC A uC, rC A", "LK07/single-context LK07/provable");
  add("makes a writer between readers", "rA B, B rA, rA uA", "LK07/no-writer LK07/provable");
  add("what is taken after it is taken inside", "rA uA B, B A", "LK02/provable");
}

// Releases that are not nested.
void AddHistories(std::vector<Scenario>* table) {
  const std::string family = "Histories";
  table->push_back({family, "each took its lock inside the other's", "A C -A A, C tA -C C",
                    "LK02/single-context LK02/gated"});
}

}  // namespace

void AddOtherValidatorScenarios(std::vector<Scenario>* table) {
  AddZircon(table);
  AddThreadSanitizer(table);
  AddHelgrind(table);
  AddAbseil(table);
}

void AddTierScenarios(std::vector<Scenario>* table) {
  const std::string family = "Tiers";
  table->push_back({family, "one thread did both", "A B -* B A", "LK02/single-context"});
  table->push_back(
      {family, "a second thread lifts it", "A B -* B A, A B", "LK02/single-context LK02/provable"});
  table->push_back(
      {family, "two threads cannot close three", "A B -* B C, C A", "LK03/single-context"});
  table->push_back({family, "common gate", "G A B, G B A", "LK02/gated"});
  table->push_back({family, "different gates", "G A B, H B A", "LK02/provable"});
  table->push_back({family, "gates of one class", "G#1 A B, G#2 B A", "LK02/provable"});
  table->push_back({family, "gate in only one path", "G A B, B A", "LK02/provable"});
  table->push_back({family, "gate that is not always there", "G#1 A B, G#1 B A -* G#2 B A",
                    "LK02/gated LK02/provable"});
  table->push_back({family,
                    "readers' gate",
                    "rG A B, rG B A",
                    "LK02/provable",
                    TestLock::kMutex,
                    {{"G", TestLock::kRecursiveReadRw}}});
  table->push_back({family,
                    "gate held by a reader and a writer",
                    "rG A B, G B A",
                    "LK02/gated",
                    TestLock::kMutex,
                    {{"G", TestLock::kRecursiveReadRw}}});
  table->push_back({family, "joined before the other is spawned", "A B; B A", "LK02/ordered"});
  table->push_back({family, "before the spawn", "main A B, B A", "LK02/ordered"});
  table->push_back({family, "after the join", "B A; main A B", "LK02/ordered"});
  table->push_back({family, "by the spawner, meanwhile", "B A, main A B", "LK02/provable"});
  table->push_back({family, "joined, and later once more at the same time", "A B; B A, A B",
                    "LK02/ordered LK02/provable"});
  table->push_back({family, "before the spawn, and once more meanwhile", "main A B, B A, main A B",
                    "LK02/ordered LK02/provable"});
  table->push_back(
      {family, "before the spawn and after the join", "main A B, B A; main A B", "LK02/ordered"});
  table->push_back({family, "a gate, and joined", "G A B; G B A", "LK02/ordered"});
  table->push_back({family, "one of three was joined", "A B; B C, C A", "LK03/ordered"});
  table->push_back({family, "a gate of many threads",
                    Times(40, "G A B,") + Times(40, "G B A,") + "C", "LK02/gated"});
  table->push_back(
      {family, "one of many forgets the gate", Times(60, "G A B,") + "A B,G B A", "LK02/provable"});
  table->push_back({family, "one before many are spawned", "main A B," + Times(80, "B A,") + "C",
                    "LK02/ordered"});
  table->push_back(
      {family, "many before one is spawned", Times(80, "B A,") + "C; A B", "LK02/ordered"});
  table->push_back({family, "one beside many that were before it and one that is not",
                    Times(80, "B A,") + "C; A B, B A", "LK02/ordered LK02/provable"});
  table->push_back({family, "a path without the gate comes later", "G A B, G B A, A B",
                    "LK02/gated LK02/provable"});
  table->push_back({family,
                    "a writer comes later",
                    "rA B, B rA, A",
                    "LK07/no-writer LK07/provable",
                    TestLock::kSleepableMutex,
                    {{"A", TestLock::kSleepableRw}}});
  const std::map<std::string, TestLock> rw = {{"A", TestLock::kSleepableRw}};
  const auto add_writer = [&](const char* name, const char* paths, const char* expected) {
    table->push_back({family, name, paths, expected, TestLock::kSleepableMutex, rw});
  };
  add_writer("a reader cannot wait for its own writing", "A -A rA B, B rA", "LK07/single-context");
  add_writer("nor one of the two that read", "rA B, B A -A rA",
             "LK07/provable LK07/single-context");
  add_writer("a third one writes", "rA B, B rA, A", "LK07/no-writer LK07/provable");
  add_writer("a writer that tries never waits", "rA B, B rA, tA", "LK07/no-writer");
  add_writer("a writer behind the readers' lock", "rA B, B rA, B A -*",
             "LK07/no-writer LK07/provable LK07/gated");
  add_writer("a writer behind a gate", "C rA B, B rA, C A", "LK07/no-writer LK07/gated");
  std::string gated_writers = "C rA B, B rA";
  for (int i = 0; i < 40; ++i) gated_writers += ", C A";
  add_writer("many writers behind a gate", gated_writers.c_str(), "LK07/no-writer LK07/gated");
  add_writer("a writer beside the gate comes later", "C rA B, B rA, C A -* A",
             "LK07/no-writer LK07/gated LK07/provable");
  table->push_back({family, "a gate that a try got", "A B C, C tA B", "LK02/gated"});
  table->push_back({family, "and did not get", "A B C -B -C pass, C tA B", "LK02/provable"});
  table->push_back({family, "both cycles of a second reversal", "A B C, C A, C B",
                    "LK02/provable LK02/provable"});
  AddInstanceScenarios(table);
  AddUpgrades(table);
  AddHistories(table);
}

}  // namespace locking
