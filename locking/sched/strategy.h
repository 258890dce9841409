// Strategy: who runs next. The executor asks at every scheduling point and shows, of every thread
// that can run, the operation that it is about to do.
//
// Contract: Pick depends on nothing but the seed, the strategy's own state and what a Choice shows,
// and never on an address (only on the equality of two), so that the same seed gives the same
// schedule on every machine.
//
// Thread safety: none; one strategy belongs to one executor. Pick runs on the fibres without a
// happens-before edge between its calls: an implementation is compiled without sanitizers
// (UNINSTRUMENTED_COPTS) and holds its state in PlainArray and plain values.
#ifndef LOCKING_SCHED_STRATEGY_H_
#define LOCKING_SCHED_STRATEGY_H_

#include <cstdint>

#include "locking/executor.h"
#include "locking/held_locks.h"
#include "locking/random.h"

namespace locking {

// What a strategy may know of a thread; or of a handler that may interrupt one now.
struct ThreadView {
  // From 1, in order of creation; 1 is the body itself. Handlers count from kFirstInterruptId on.
  std::uint32_t id = 0;
  // Id of the thread that spawned it; 0 for the body. Of a handler: the thread that it interrupts.
  std::uint32_t parent = 0;
  Point next{};                     // what it does when it is picked; kStart before its first point
  const HeldLocks* held = nullptr;  // what that thread holds, where something keeps the list
};

inline constexpr std::uint32_t kFirstInterruptId = 1u << 20;

struct Choice {
  const ThreadView* const* runnable;  // in an order that depends on the schedule so far alone
  std::uint32_t count;                // > 0
  const ThreadView* previous;         // who ran until now, runnable or not; nullptr at first
  std::uint32_t step;                 // scheduling points so far in this execution
};

// The draw of a strategy that takes any runnable thread: the executor draws without a call. The
// high half of a linear congruential generator, whose seed a better one has made.
struct UniformDraw {
  std::uint64_t state = 0;

  void Begin(std::uint64_t seed) { state = Random(seed).Next(); }
  std::uint32_t Below(std::uint32_t bound) {
    const auto index = static_cast<std::uint32_t>(((state >> 32) * bound) >> 32);
    state = state * 6364136223846793005u + 1442695040888963407u;
    return index;
  }
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  virtual const char* name() const = 0;
  // Before each execution. `seed` belongs to this execution alone.
  virtual void BeginExecution(std::uint64_t seed) = 0;
  // The index in `choice.runnable` of the thread that does its next operation now. Asked again, at
  // the same step, when that thread would only find its lock held: it is no longer among them.
  virtual std::uint32_t Pick(const Choice& choice) = 0;
  // Not nullptr: Pick is Below(choice.count) of this draw, and is not called.
  virtual UniformDraw* uniform() { return nullptr; }
  // After each execution that was not given up; false: nothing is left to explore.
  virtual bool EndExecution() { return true; }
};

}  // namespace locking

#endif  // LOCKING_SCHED_STRATEGY_H_
