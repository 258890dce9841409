// Waits for things that are no locks, in circles with locks and with each other.
#include "tests/witness/scenario.h"

namespace locking {
namespace {

using Kinds = std::map<std::string, TestLock>;

class Rows {
 public:
  Rows(std::vector<Scenario>* table, const char* family, Kinds kinds = {})
      : table_(table), family_(family), kinds_(std::move(kinds)) {}
  void Add(const char* name, const char* paths, const char* expected) {
    table_->push_back({family_, name, paths, expected, TestLock::kSleepableMutex, kinds_});
  }

 private:
  std::vector<Scenario>* const table_;
  const std::string family_;
  const Kinds kinds_;
};

void AddHolders(std::vector<Scenario>* table) {
  Rows rows(table, "Holders", {{"M", TestLock::kMutex}, {"S", TestLock::kSpin}});
  rows.Add("a busy page against a lock", "hP A -* -hP, A wP", "LK08/provable");
  rows.Add("the other way round in time", "A wP -*, hP A -* -hP", "LK08/provable");
  rows.Add("one thread did both", "hP A -* -hP A wP", "LK08/single-context");
  rows.Add("a common gate", "G hP A -* -hP, G A wP", "LK08/gated");
  rows.Add("a page that both hold is a gate", "hQ hP A -* -hP -hQ, hQ A wP -* -hQ", "LK08/gated");
  rows.Add("a page that both share is none", "hrQ hP A -* -hP -hQ, hrQ A wP -* -hQ",
           "LK08/provable");
  rows.Add("joined before the other is spawned", "hP A -* -hP; A wP", "LK08/ordered");
  rows.Add("the interlock is released", "hP A -* -hP, A wP/A", "");
  rows.Add("another lock is not", "hP A -* -hP, A M wP/M", "LK08/provable");
  rows.Add("a deadline ends the wait", "hP A -* -hP, A wdP", "");
  rows.Add("a daemon waits for work", "hP A -* -hP, A wiP", "");
  rows.Add("one of several that share it", "hrP -hP, hrP A -* -hP, A wP", "LK08/provable");
  rows.Add("given away before the lock", "hP -hP A, A wP", "");
  rows.Add("taken over, then the lock", "hP -hP, hP A -* -hP, A wP", "LK08/provable");
  rows.Add("two resources", "hP wQ -hP, hQ wP -hQ", "LK08/provable");
  rows.Add("three of each", "hP A -* -hP, A wQ, hQ B -* -hQ, B wR, hR C -* -hR, C wP",
           "LK08/provable");
  rows.Add("what is asked for in passing", "hP tA -* -hP, A wP", "");
  rows.Add("any lock may be taken while one holds", "hP A M S -* -hP", "");
  rows.Add("two of one class", "hP#1 hP#2 -hP#1 -hP#2", "");
  rows.Add("one waits for another of the class", "hP#1 wP#2 -hP#1", "");
  rows.Add("held at the end of an operation", "hP end -hP", "LK11/");
  rows.Add("held at the end of a thread", "hP", "LK11/");
  rows.Add("held over a sleep", "hP wQ -hP", "");
  rows.Add("a mutex over a sleep", "M wP", "LK11/");
  rows.Add("a spin lock over a sleep", "S wP", "LK05/");
}

void AddSignallers(std::vector<Scenario>* table) {
  Rows rows(table, "Signallers");
  rows.Add("the only one", "sP A -* -hP, A wP", "LK08/provable");
  rows.Add("it is no longer one", "sP -hP A, A wP", "");
  rows.Add("one of two", "sP -hP, sP A -* -hP, A wP", "LK08/other-signaller");
  rows.Add("both", "sP A -* -hP, sP A -* -hP, A wP", "LK08/provable");
  rows.Add("both, one after the wait", "sP A -* -hP, sP -hP pass, A wP, sP A -* -hP",
           "LK08/other-signaller");
  rows.Add("the second one comes later", "sP -hP, sP A -* -hP, A wP -*, A", "LK08/other-signaller");
  rows.Add("a holder beside a signaller", "sP -hP, hP A -* -hP, A wP", "LK08/provable");
  rows.Add("a common gate", "G sP A -* -hP, G A wP", "LK08/gated");
  rows.Add("a promise is no gate", "sP A B -* -hP, sP B A -* -hP", "LK02/provable");
  rows.Add("joined before the other is spawned", "sP A -* -hP; A wP", "LK08/ordered");
  rows.Add("alone", "sP A -* -hP A wP", "LK08/single-context");
  rows.Add("its own deadline", "sP wdQ -hP, hQ wP -hQ", "");
  rows.Add("idle, with nothing to end", "sP wiQ -hP, hQ wP -hQ", "");
  rows.Add("a promise outlives operations", "sP end -hP", "");
}

void AddSemaphores(std::vector<Scenario>* table) {
  Rows rows(table, "Semaphores",
            {{"S", TestLock::kSemaphore},
             {"T", TestLock::kSemaphore},
             {"U", TestLock::kTwoUnits},
             {"F", TestLock::kSemaphore}});
  rows.Add("in both orders", "S T, T S", "LK08/provable");
  rows.Add("in one order", "S T, S T", "");
  rows.Add("against a lock", "S A, A S", "LK08/provable");
  rows.Add("one unit is a gate", "S A B, S B A", "LK02/gated");
  rows.Add("two are none", "U A B, U B A", "LK02/provable");
  rows.Add("one of two units", "U A, A U", "LK08/other-signaller");
  rows.Add("both units", "U A, U A, A U", "LK08/provable");
  rows.Add("released out of order", "S T -S -T, S T", "");
  rows.Add("a try", "S tT, T S", "");
  rows.Add("released by another", "-S", "LK01/");
}

void AddEvents(std::vector<Scenario>* table) {
  Rows rows(table, "Events", {{"E", TestLock::kEvent}, {"F", TestLock::kEvent}});
  rows.Add("it orders what it lies between", "sE A B -* setE, wE B A", "LK02/ordered");
  rows.Add("but not what comes before the wait", "sE A B -* setE, B A -* wE", "LK02/provable");
  rows.Add("nor what comes after it was set", "sE setE A B, wE B A", "LK02/provable");
  rows.Add("over a third thread", "sE A B -* setE, wE sF setF, wF B A", "LK02/ordered");
  rows.Add("what its setter needs first", "sE A -* setE, A wE", "LK08/provable");
  rows.Add("what its setter needs afterwards", "sE setE A, A wE", "");
  rows.Add("two that wait for each other", "sE#1 wE#2 setE#1, sE#2 wE#1 setE#2", "");
  rows.Add("two of two classes that do", "sE wF setE, sF wE setF", "LK08/provable");
  rows.Add("set again", "sE setE setE", "LK01/");
  rows.Add("set by another", "sE pass, setE", "LK01/ LK11/");
  rows.Add("promised by two", "sE pass, sE", "LK01/ LK11/");
  rows.Add("never set", "sE", "LK11/");
}

void AddJoins(std::vector<Scenario>* table) {
  Rows rows(table, "Joins", {{"E", TestLock::kEvent}});
  rows.Add("what the joined thread takes", "A, main A join1", "LK08/provable");
  rows.Add("what another thread takes", "A, B, main A join2", "");
  rows.Add("with nothing held", "A, main A -* join1", "");
  rows.Add("over another join", "A, join1, main A join2", "LK08/provable");
  rows.Add("over another lock", "A B, B C, main C join1", "LK08/provable");
  rows.Add("after it took the lock", "sE A -* setE, main wE A join1", "LK08/ordered");
  rows.Add("it waits for the joiner", "main sE, wE, main setE", "");
}

}  // namespace

void AddResourceScenarios(std::vector<Scenario>* table) {
  AddHolders(table);
  AddSignallers(table);
  AddSemaphores(table);
  AddEvents(table);
  AddJoins(table);
}

}  // namespace locking
