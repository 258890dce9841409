// Locking scenarios as a table: what the threads of a row do, written in a small language, and what
// the witness has to say about it.
//
//   paths  "A B, B A"   one thread for each path, all spawned first; they run one after the other,
//                       in order, by an atomic that the witness does not see
//         "A B; B A"   the threads so far are joined before the next is spawned
//         "main A B"   the path of the thread that spawns, in its place among the others
//   steps  A            lock exclusively     rA  lock shared      tA  try to lock exclusively
//          -A           unlock               r-A unlock shared    trA try to lock shared
//          uA           upgrade              =A  initialise again
//          -*           unlock all, newest first; also at the end of a path
//          hold         the path ends with its locks held, and its thread
//          pass         the path ends; its locks stay held until all paths have ended
//          end          an operation ends here
//          hP           hold resource P      hrP  hold it with others     -hP  hold it no more
//          wP           be about to wait for resource P: nothing is waited for
//          wP/A         the same, with lock A as the interlock
//          wdP, wiP     the same, with a deadline; idly, for work
//          sP           promise to end the waits for P                    -hP  no more
//          setE         set event E; wE then goes on behind it
//          joinN        join path N of these, counted from 1
//          irq{ A B }   the interrupt comes: its handler takes these, and releases them; with
//                       interrupts off it comes when they are on again
//          off, on      interrupts off and on again
//          sleep        sleeps, until a moment that has passed
//   locks  A, Bc, Long  one class each; A#1, A#2 are two instances of class A
#ifndef TESTS_WITNESS_SCENARIO_H_
#define TESTS_WITNESS_SCENARIO_H_

#include <map>
#include <string>
#include <vector>

#include "locking/limits.h"
#include "locking/witness/lock_order_witness.h"

namespace locking {

enum class TestLock {
  kMutex,
  kSleepableMutex,
  kSpin,
  kSpinWithInterrupts,    // leaves interrupts on
  kSpinRwWithInterrupts,  // the same, recursive-read
  kRecursiveReadRw,       // of mutex kind
  kSleepableRw,           // fair
  kSemaphore,             // of one unit: locked by taking it
  kTwoUnits,              // a semaphore of two
  kResource,              // no lock at all
  kEvent,                 // no lock either
};

struct Scenario {
  std::string family;
  std::string name;
  std::string paths;
  // All findings in order: "LK02/provable"; "" for none.
  std::string expected;
  TestLock lock = TestLock::kMutex;
  // Locks of another kind, by class name.
  std::map<std::string, TestLock> others = {};
  LockClassFlags flags = LockClassFlags::kNone;
  WitnessOptions options = {};
  Limits::Bounds limits = {};
};

struct ScenarioResult {
  std::string summary;  // of the findings
  std::string text;
  std::vector<Finding> findings;
  OrderSnapshot observed;
};
ScenarioResult RunScenario(const Scenario& scenario);

// What all files of scenarios add to; see scenarios_test.cc.
void AddLinuxScenarios(std::vector<Scenario>* table);
void AddReadWriteScenarios(std::vector<Scenario>* table);
void AddOtherValidatorScenarios(std::vector<Scenario>* table);
void AddInterruptScenarios(std::vector<Scenario>* table);
void AddTierScenarios(std::vector<Scenario>* table);
void AddResourceScenarios(std::vector<Scenario>* table);
void AddSearchScenarios(std::vector<Scenario>* table);
void AddBookScenarios(std::vector<Scenario>* table);
void AddLimitScenarios(std::vector<Scenario>* table);

}  // namespace locking

#endif  // TESTS_WITNESS_SCENARIO_H_
