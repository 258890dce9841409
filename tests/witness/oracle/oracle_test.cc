// The witness against the truth, over every small program: where no try can fail, it calls provable
// what can deadlock and nothing else.
//
// ci/test goes through a part of them; all take a minute in a release build:
//   bazel test --config=release --test_env=ORACLE=whole --test_output=all --nocache_test_results
//       //tests/witness/oracle:oracle_test
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/witness/oracle/model.h"
#include "tests/witness/oracle/tally.h"

namespace locking::oracle {
namespace {

constexpr Kind M = Kind::kMutex;
constexpr Kind R = Kind::kRw;
const std::vector<Kinds> kMixes = {{M, M, M}, {M, M, R}, {M, R, R}, {R, R, R}};
constexpr int kJobs = 2;

struct Wrong {
  std::int64_t missed;
  std::int64_t false_alarms;
};

struct Row {
  Space space;
  std::array<std::int64_t, kCans> programs;  // by Can
  // Counted apart: the witness says provable, and a try has to fail first, or nothing ever happens.
  std::int64_t provable_only_then;
  std::int64_t provable_none;
  std::array<Wrong, kOtherRules> other_rules;
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> quick = {
      {{"6 acquisitions, 3 a thread, no tries", 6, 3, Tries::kNone, kMixes},
       {14788, 207484, 0, 0, 0},
       0,
       0,
       {{{24, 21925}, {0, 23466}, {391, 7847}, {10, 7727}, {397, 0}}}},
      {{"5 acquisitions, 3 a thread, tries of mutexes", 5, 3, Tries::kOfMutexes, kMixes},
       {867, 48073, 528, 0, 41492},
       0,
       0,
       {{{0, 2302}, {0, 2377}, {4, 971}, {0, 478}, {4, 0}}}},
  };
  static const std::vector<Row> whole = {
      {{"6 acquisitions, 4 a thread, tries of mutexes", 6, 4, Tries::kOfMutexes, kMixes},
       {38469, 828970, 30646, 136, 1013131},
       21,
       0,
       {{{24, 115306}, {0, 121250}, {480, 53642}, {10, 20526}, {486, 0}}}},
      {{"5 acquisitions, 4 a thread, tries of all locks", 5, 4, Tries::kOfAll, kMixes},
       {1227, 589517, 4417, 0, 1039813},
       0,
       0,
       {{{0, 30272}, {0, 30947}, {4, 13697}, {0, 1548}, {4, 0}}}},
      {{"7 acquisitions, 3 a thread, no tries", 7, 3, Tries::kNone, kMixes},
       {115759, 1025075, 0, 0, 0},
       0,
       0,
       {{{1048, 126068}, {0, 136530}, {10342, 42237}, {62, 49985}, {10776, 0}}}},
  };
  const char* asked = std::getenv("ORACLE");
  return asked != nullptr && std::string_view(asked) == "whole" ? whole : quick;
}

void ExpectRight(const Row& row, const Tally& tally) {
  const Count& found = tally.Of(Verdict::kProvable, Can::kDeadlock);
  EXPECT_EQ(found.programs, tally.Of(Can::kDeadlock).programs) << "a deadlock was missed";
  const Count& wrong = tally.Of(Verdict::kProvable, Can::kNone);
  EXPECT_EQ(wrong.programs, 0) << "cannot deadlock: " << wrong.smallest;
  const Count& apart = tally.Of(Verdict::kProvable, Can::kApartAsObserved);
  EXPECT_EQ(apart.programs, tally.Of(Can::kApartAsObserved).programs) << "a deadlock was missed";
  EXPECT_EQ(tally.Of(Verdict::kProvable, Can::kApartOnlyThen).programs, row.provable_only_then);
  EXPECT_EQ(tally.Of(Verdict::kProvable, Can::kApartNone).programs, row.provable_none);
  EXPECT_EQ(tally.order_matters.programs, 0) << tally.order_matters.smallest;
}

TEST(Oracle, TheWitnessIsRightAboutEverySmallProgram) {
  for (const Row& row : Rows()) {
    SCOPED_TRACE(row.space.name);
    const Tally tally = TallyOf(row.space, kJobs);
    std::printf("%s\n", Table(row.space, tally).c_str());
    for (std::size_t can = 0; can < kCans; ++can)
      EXPECT_EQ(tally.all[can].programs, row.programs[can]) << "column " << can;
    ExpectRight(row, tally);
    for (std::size_t rule = 0; rule < kOtherRules; ++rule) {
      const auto& reported = tally.other_rules[rule];
      const Wrong& wrong = row.other_rules[rule];
      EXPECT_EQ(row.programs[0] - reported[0].programs, wrong.missed) << "rule " << rule;
      EXPECT_EQ(reported[1].programs, wrong.false_alarms) << "rule " << rule;
    }
  }
}

// "A rB -A tC, B A": a path for each thread, released at its end.
Path PathOf(const std::string& text) {
  static const std::map<std::string, Do> kPrefixes = {
      {"", Do::kLock}, {"t", Do::kTry}, {"r", Do::kRead}, {"tr", Do::kTryRead}, {"-", Do::kUnlock}};
  Path path;
  unsigned held = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto lock = static_cast<std::uint8_t>(word.back() - 'A');
    path.push_back({kPrefixes.at(word.substr(0, word.size() - 1)), lock});
    held ^= 1u << lock;
  }
  for (std::uint8_t lock = 0; lock < kLocks; ++lock)
    if ((held >> lock & 1u) != 0) path.push_back({Do::kUnlock, lock});
  return path;
}

struct Known {
  const char* program;
  Can can;
};

// Of the three locks, C is an rw lock.
constexpr Known kKnown[] = {
    {"A B, B A", Can::kDeadlock},           {"A B, A B", Can::kNone},
    {"A C, C A", Can::kDeadlock},           {"rC A, A rC", Can::kNone},
    {"rC A, A rC, C", Can::kDeadlock},      {"rC A, C -C A rC", Can::kNone},
    {"A B rC, A rC B, C", Can::kNone},      {"C A B, C B A", Can::kNone},
    {"rC A B, rC B A", Can::kDeadlock},     {"A B, B C, C A", Can::kDeadlock},
    {"A B, B tA", Can::kApartNone},         {"A B, tB A", Can::kApartAsObserved},
    {"tC A B, C B A", Can::kApartOnlyThen}, {"rC A, A rC, tC", Can::kApartNone},
};

TEST(Oracle, TheModelKnowsWhatIsPlain) {
  Model model;
  for (const Known& known : kKnown) {
    std::vector<Path> paths;
    std::istringstream all(known.program);
    for (std::string text; std::getline(all, text, ',');) paths.push_back(PathOf(text));
    Program program{{M, M, R}, {}};
    for (const Path& path : paths) program.threads.push_back(&path);
    EXPECT_EQ(CanOf(model.Decide(program)), known.can) << known.program;
  }
}

}  // namespace
}  // namespace locking::oracle
