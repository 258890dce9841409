// What runs threads when the operating system does not: the interface that `explore` (and later
// `simulate`) implements. Native threads have no executor; the primitives then use futexes.
//
// Thread safety: an executor runs all its threads on one OS thread; its functions are called by the
// thread that runs.
#ifndef LOCKING_EXECUTOR_H_
#define LOCKING_EXECUTOR_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "locking/finding.h"
#include "locking/lock_class.h"
#include "locking/sanitizer_report.h"
#include "locking/site.h"

namespace locking {

class Interrupt;
struct ThreadState;

enum class PointKind : std::uint8_t {
  kLock,
  kLockShared,
  kTryLock,
  kUnlock,
  kSleep,
  kWakeup,
  kLoad,
  kStore,
  kReadModifyWrite,
  kSpawn,
  kJoin,
  kYield,
  kStart,          // the first step of a new thread
  kInterruptsOff,  // a thread that takes interrupts turns them off
  kInterrupt,      // an interrupt's handler begins
};
const char* PointKindName(PointKind kind);

// One scheduling point: the operation that the thread is about to do.
struct Point {
  PointKind kind;
  // What it operates on: for kLock and kLockShared a LockBase, for kJoin the executor's own. Never
  // hashed, never ordered by.
  const void* address;
  const LockClass* lock_class;  // nullptr for atomics
  Site site;
};

// Thrown through a fibre whose execution was given up (a failure elsewhere), so that its stack
// unwinds. Only executors throw and catch it. Never thrown where a thread releases, wakes, spawns
// or joins (destructors do that), nor while another exception unwinds the stack.
struct ExecutionAbandoned {};

class Executor {
 public:
  virtual ~Executor() = default;

  // A scheduling point: another thread may run before this returns. The parameters are those of
  // Point.
  virtual void AtPoint(PointKind kind, const void* address, const LockClass* lock_class,
                       Site site) = 0;
  // Blocks the calling thread until WakeAddress(address); spurious returns are allowed. The wait
  // record of the caller says what it waits for.
  virtual void BlockOn(const void* address) = 0;
  virtual void WakeAddress(const void* address) = 0;
  // Blocks until Unpark(self) or until the executor's clock reaches `deadline_ns` (kNoDeadline:
  // never); false: timed out, or the execution is given up. An Unpark before the Park is
  // remembered. Throws nothing.
  virtual bool Park(std::uint64_t deadline_ns) = 0;
  virtual void Unpark(ThreadState& thread) = 0;
  // A spin loop that cannot go on until somebody else runs.
  virtual void Yield(Site site) = 0;
  virtual ThreadState* Spawn(std::string name, std::function<void()> body, Site site) = 0;
  // Returns once the thread has ended, or has unwound; throws nothing.
  virtual void Join(ThreadState* thread, Site site) = 0;
  virtual std::uint64_t NowNs() = 0;
  // From now on the calling thread takes `interrupt`, which was posted `posts` times already. Its
  // handler runs in the thread's own operations, where its InterruptState allows it.
  virtual void TakeInterrupt(Interrupt& interrupt, std::uint32_t posts) = 0;
  virtual void LeaveInterrupt(Interrupt& interrupt) = 0;
  // To each thread that takes it.
  virtual void PostInterrupt(Interrupt& interrupt) = 0;
  // Ends this execution with `finding`; the calling thread unwinds.
  [[noreturn]] virtual void Fail(Finding finding) = 0;
  // In an execution that is given up: throws ExecutionAbandoned, unless the caller unwinds already
  // or stands in a noexcept function.
  virtual void UnwindIfAbandoned() = 0;

  // True while the execution is being given up: primitives then neither wait nor check.
  bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }
  // Whether evidence is worth its price in this execution: held lists and symbolised stacks.
  bool wants_evidence() const { return wants_evidence_.load(std::memory_order_relaxed); }
  // A sanitizer reported something about the thread that runs; under the sanitizer's locks.
  virtual void NoteSanitizerReport(const SanitizerReport& report) = 0;

 protected:
  std::atomic<bool> abandoned_{false};
  std::atomic<bool> wants_evidence_{true};
};

inline constexpr std::uint64_t kNoDeadline = ~0ull;

}  // namespace locking

#endif  // LOCKING_EXECUTOR_H_
