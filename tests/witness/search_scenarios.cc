// Rows for the search of cycles: each has a way round, or an acquisition, that a hasty search takes
// for another.
#include "tests/witness/scenario.h"

namespace locking {

void AddSearchScenarios(std::vector<Scenario>* table) {
  const std::string family = "Search";
  table->push_back({family, "one thread went the first way round, two the second",
                    "A B -* B Z, A C, C Z, Z A", "LK03/provable"});
  table->push_back({family,
                    "another thread did it in a mode that does not block",
                    "X rY, X Y -* rY X",
                    "LK07/single-context",
                    TestLock::kMutex,
                    {{"Y", TestLock::kRecursiveReadRw}}});
  table->push_back(
      {family, "the second who did it is another", "main A B, A B, main B A", "LK02/provable"});
  table->push_back({family, "only one of them took its lock inside the other's",
                    "A C -A A, E A -E C", "LK02/single-context LK02/provable"});
}

}  // namespace locking
