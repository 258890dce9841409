// Fibre: one thread of a controlled executor: a stack, the saved context, the descriptor that
// locking/ knows it by, and what the sanitizers must be told. Fibres are pooled by their executor:
// the same fibre is thread n of every execution, and goes on from the bottom of its stack each
// time.
//
// Lock key: (s) the scheduler's: written by whichever fibre runs, without a happens-before edge, so
// touched only by code compiled without sanitizers; (i) ordered by spawn, end and join, and may be
// touched by instrumented code; (c) constant.
#ifndef LOCKING_SCHED_FIBRE_H_
#define LOCKING_SCHED_FIBRE_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "locking/sched/context.h"
#include "locking/sched/stack_memory.h"
#include "locking/sched/strategy.h"
#include "locking/thread_state.h"

namespace locking {

class ExploreExecutor;

// What a switch saves and restores, of a fibre or of the OS thread that hosts them.
struct FibreContext {
  Context context{};                      // (s)
  ThreadWord word{};                      // (s)
  void* caught_exceptions = nullptr;      // (s) its part of __cxa_eh_globals
  std::uint32_t uncaught_exceptions = 0;  // (s)
  void* tsan_fibre = nullptr;             // (s)
  void* asan_fake_stack = nullptr;        // (s)
  const void* stack_bottom = nullptr;     // (s)
  std::size_t stack_bytes = 0;            // (s)
};

enum class FibreState : std::uint8_t {
  kRunnable,
  kYielded,  // runnable once another thread has run
  kBlocked,  // until WakeAddress
  kParked,   // until Unpark, or its deadline
  kEnded,
};

struct Fibre : ThreadView, FibreContext {
  Fibre(ExploreExecutor* owner, std::uint32_t fibre_id, std::size_t bytes);
  ~Fibre();
  Fibre(const Fibre&) = delete;

  FibreState state = FibreState::kEnded;    // (s)
  bool unparked = false;                    // (s) an Unpark that no Park has taken yet
  bool timed_out = false;                   // (s) of the last Park
  bool tsan_ignores = false;                // (s) it unwinds: TSan does not look at it
  bool stack_unusable = true;               // (s) new, or left in the middle
  std::uint32_t runnable_index = 0;         // (s)
  std::uint64_t next_hash = 0;              // (s) of `next`
  const void* blocked_on = nullptr;         // (s)
  Fibre* next_blocked = nullptr;            // (s)
  std::uint64_t deadline_ns = kNoDeadline;  // (s)
  Interrupt* interrupt = nullptr;           // (s) picked: whose handler to run before it goes on
  bool interrupted_asleep = false;          // (s) it was parked when picked so
  std::uint32_t abandoned_points = 0;       // (s) operations since the execution was given up
  std::uint32_t abandoned_waits = 0;        // (s)
  ExploreExecutor* const executor;          // (c)
  char start_edge = 0;                      // address of TSan's edge from spawn to body
  char end_edge = 0;                        // the same from the body to its join
  std::atomic<std::uint32_t> running_id{kNobody};  // its id until it ends: the holder of its join
  StackMemory stack;                               // (c)
  std::function<void()> body;                      // (i)
  ThreadState thread;                              // (i)
};

// A thread that takes an interrupt.
struct InterruptLine : ThreadView {
  std::uint64_t next_hash = 0;     // (s) of `next`
  Fibre* fibre = nullptr;          // (s) nullptr: it takes it no longer
  Interrupt* interrupt = nullptr;  // (s)
  std::uint32_t posts = 0;         // (s) not handled yet
};

}  // namespace locking

#endif  // LOCKING_SCHED_FIBRE_H_
