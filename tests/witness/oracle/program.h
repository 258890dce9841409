// Small programs of locks, and all of them within a bound: what the oracle decides and the witness
// is asked about.
//
//   program  up to three threads, each with a path: the operations that it does one after the other
//   kinds    each lock is a mutex (lock, try) or a fair rw lock (write, read, and the tries of both
//            where the space has them)
//
// A thread never asks for a lock that it holds, and releases all at its end.
#ifndef TESTS_WITNESS_ORACLE_PROGRAM_H_
#define TESTS_WITNESS_ORACLE_PROGRAM_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace locking::oracle {

inline constexpr int kLocks = 3;
inline constexpr int kThreads = 3;

enum class Kind : std::uint8_t { kMutex, kRw };
using Kinds = std::array<Kind, kLocks>;

enum class Do : std::uint8_t { kLock, kTry, kRead, kTryRead, kUnlock };
constexpr bool IsTry(Do what) { return what == Do::kTry || what == Do::kTryRead; }
constexpr bool IsShared(Do what) { return what == Do::kRead || what == Do::kTryRead; }

struct Operation {
  Do what;
  std::uint8_t lock;
  bool operator==(const Operation&) const = default;
};
using Path = std::vector<Operation>;

struct Program {
  Kinds kinds;
  std::vector<const Path*> threads;
};
// In the language of tests/witness/scenario.h: "A rB -A tC, B A".
std::string Text(const Program& program);

enum class Tries : std::uint8_t { kNone, kOfMutexes, kOfAll };

struct Space {
  const char* name;
  int acquisitions;  // at most, of all threads together
  int per_thread;    // at most, of one thread
  Tries tries;
  std::vector<Kinds> kinds;
};

// Visits the programs of the space that are `share` of `shares`. Of those that differ only by the
// names of locks of one kind, by the order of their threads or by the order in which one thread
// releases locks with nothing in between, one is visited.
void ForEachProgram(const Space& space, int share, int shares,
                    const std::function<void(const Program&)>& visit);

}  // namespace locking::oracle

#endif  // TESTS_WITNESS_ORACLE_PROGRAM_H_
