// The oracle's count of a space: for each program the truth, the witness's verdict and what other
// rules say.
#ifndef TESTS_WITNESS_ORACLE_TALLY_H_
#define TESTS_WITNESS_ORACLE_TALLY_H_

#include <array>
#include <cstdint>
#include <string>

#include "tests/witness/oracle/model.h"
#include "tests/witness/oracle/observe.h"
#include "tests/witness/oracle/program.h"
#include "tests/witness/oracle/rules.h"

namespace locking::oracle {

// What schedules of a program can do. Where one makes a try fail, a serial run does not show all
// that the threads may do: such programs are counted apart.
enum class Can : std::uint8_t {
  kDeadlock,         // no try can fail, and some schedule ends in a deadlock
  kNone,             // no try can fail, and none does
  kApartAsObserved,  // a deadlock in which each thread did what a serial run shows
  kApartOnlyThen,    // only deadlocks after a try has failed
  kApartNone,
};
inline constexpr int kCans = 5;
Can CanOf(const Truth& truth);

// A number of programs, and the smallest of them.
struct Count {
  std::int64_t programs = 0;
  std::size_t operations = ~std::size_t{0};
  std::string smallest;

  void Add(const Program& program);
  void Add(const Count& other);
};

struct Tally {
  using ByCan = std::array<Count, kCans>;
  ByCan all;
  std::array<ByCan, kVerdicts> witness;        // by the weakest verdict of a serial run
  std::array<ByCan, kOtherRules> other_rules;  // programs that the rule reports
  // Programs of which serial runs in two orders, or one run and all of them, gave two verdicts.
  Count order_matters;

  const Count& Of(Can can) const { return all[static_cast<std::size_t>(can)]; }
  const Count& Of(Verdict verdict, Can can) const {
    return witness[static_cast<std::size_t>(verdict)][static_cast<std::size_t>(can)];
  }
  void Add(const Tally& other);
};

// Goes through the space on `jobs` threads.
Tally TallyOf(const Space& space, int jobs);
std::string Table(const Space& space, const Tally& tally);

}  // namespace locking::oracle

#endif  // TESTS_WITNESS_ORACLE_TALLY_H_
