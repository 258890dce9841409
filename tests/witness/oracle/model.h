// What is true of a program: every schedule of it, one operation after the other, in a model that
// knows nothing of the primitives and nothing of the witness.
//
//   state     for each thread: its next operation, whether it waits there, the locks that it holds
//   mutex     one holder
//   rw lock   one writer or many readers; a writer that waits keeps readers out, trying ones too
//   try       takes the lock, or goes on without it; what it did not take is not released
//   deadlock  a state in which nobody can go on and not everybody has ended
#ifndef TESTS_WITNESS_ORACLE_MODEL_H_
#define TESTS_WITNESS_ORACLE_MODEL_H_

#include <cstdint>
#include <vector>

#include "tests/witness/oracle/program.h"

namespace locking::oracle {

struct Truth {
  bool deadlock = false;
  // One is reached though every try took its lock, as in a run of one thread after the other: each
  // thread did just what such a run shows.
  bool as_observed = false;
  // Some schedule makes a try fail: then no serial run shows all that the threads may do.
  bool a_try_may_fail = false;
};

// Exhausts programs, one after the other.
//
// Thread safety: none.
class Model {
 public:
  Truth Decide(const Program& program);

 private:
  struct ThreadAt {
    std::uint8_t next = 0;
    bool waits = false;
    std::uint8_t held = 0;    // bits of locks
    std::uint8_t shared = 0;  // bits of those that are held shared
  };
  struct State {
    std::array<ThreadAt, kThreads> threads;
    bool a_try_failed = false;
  };

  static std::uint64_t Pack(const State& state);
  void Reach(const State& state);
  // Whether thread `t` could go on.
  bool Step(const State& state, std::size_t t);
  bool MayTake(const State& state, std::size_t t, Operation operation) const;
  bool WaitsToWrite(const State& state, std::size_t t, int lock) const;

  const Program* program_ = nullptr;
  std::vector<State> open_;
  // Open addressing; a slot is in use if its stamp is the current one.
  struct Slot {
    std::uint64_t key;
    std::uint64_t stamp;
  };
  std::vector<Slot> seen_ = std::vector<Slot>(1u << 14, Slot{0, 0});
  std::size_t used_ = 0;
  std::uint64_t stamp_ = 0;
};

}  // namespace locking::oracle

#endif  // TESTS_WITNESS_ORACLE_MODEL_H_
