// What other validators decide by, in their small essence, over the acquisitions that a serial run
// of a program shows. Yes or no, without tiers.
#ifndef TESTS_WITNESS_ORACLE_RULES_H_
#define TESTS_WITNESS_ORACLE_RULES_H_

#include <cstdint>

#include "tests/witness/oracle/program.h"

namespace locking::oracle {

// Each lock is of a class of its own here, so a cycle of classes is one of instances.
enum class OtherRule : std::uint8_t {
  kPair,                // two locks were taken in both orders
  kCycle,               // locks were taken in a circle
  kCycleReaders,        // the same, and no reader waits for a reader
  kThreadsAndGates,     // kCycle by as many threads, none of which held a lock that another did
  kThreadsGatesReaders  // the same, and no reader waits for a reader or is kept out by one
};
inline constexpr int kOtherRules = 5;
const char* OtherRuleName(OtherRule rule);

// The rules that report the program, as bits.
unsigned ReportedBy(const Program& program);

}  // namespace locking::oracle

#endif  // TESTS_WITNESS_ORACLE_RULES_H_
