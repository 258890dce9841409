// The descriptor of a running thread (an OS thread or a fibre) and the one thread-local word that
// every fast path tests. `thread_local` stands in this file alone: a fibre's state must move with
// the fibre, so a fibre switch swaps the word and nothing else.
//
// Lock key: (t) the thread itself; (a) atomic, read by the watchdog and by reports at any time;
// (c) constant after the thread started.
#ifndef LOCKING_THREAD_STATE_H_
#define LOCKING_THREAD_STATE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "locking/annotations.h"
#include "locking/finding.h"
#include "locking/held_locks.h"
#include "locking/lock_class.h"
#include "locking/site.h"

namespace locking {

class ChainCache;
class Executor;
class Limits;
class ReaderSlots;
class Witness;
struct ClassCount;  // statistics.h
struct Resource;    // resource.h
struct ThreadState;

// Why a primitive must leave its fast path; the bits of ThreadWord::watch.
enum Watch : std::uint32_t {
  kWatchUnregistered = 1,   // an OS thread that locking/ has not seen yet
  kWatchExecutor = 2,       // runs on a controlled executor: every operation is a scheduling point
  kWatchWitness = 4,        // keeps the held list and asks the witness
  kWatchHeld = 8,           // keeps the held list, for evidence
  kWatchFullBarriers = 16,  // the kernel has no asymmetric ones: an unlock needs a full barrier
  kWatchTimedHold = 32,     // a hold is being timed: its unlock must not be missed
  kWatchLimits = 64,        // every hold is timed, in the held list
  kWatchInterrupts = 128,   // takes interrupts: every operation may run a handler
};
// Either of these: an operation is more than itself.
inline constexpr std::uint32_t kWatchControlled = kWatchExecutor | kWatchInterrupts;
// One of these: the held list is kept.
inline constexpr std::uint32_t kWatchKeepsHeld = kWatchWitness | kWatchHeld | kWatchLimits;

// Bits of ThreadState::park_token.
inline constexpr std::uint32_t kParkUnparked = 1;
inline constexpr std::uint32_t kParkInterrupted = 2;

// What an owner word may hold instead of a thread id.
inline constexpr std::uint32_t kNobody = 0;
inline constexpr std::uint32_t kMany = 0xffffffffu;  // several holders, or the kernel of a pager
// Never in one: the id of a thread that is not registered, which holds nothing.
inline constexpr std::uint32_t kNoThread = 0xfffffffeu;

// Zero `watch` means that nothing watches this thread: the fast path is a plain lock.
struct ThreadWord {
  std::uint32_t watch = kWatchUnregistered;
  std::uint32_t id = kNoThread;  // of `self`: the owner word of locks
  ThreadState* self = nullptr;
  // Acquisitions by class, kCountedClasses of them; nullptr: no statistics are kept.
  ClassCount* counts = nullptr;
};
inline thread_local constinit ThreadWord t_word{};

// What a blocked thread waits for. `sequence` is odd while it waits: two equal readings with equal
// odd sequences mean that the thread has waited all along.
struct WaitRecord {
  std::atomic<std::uint32_t> sequence{0};
  std::atomic<const void*> target{nullptr};
  std::atomic<const LockClass*> target_class{nullptr};
  std::atomic<std::uint32_t> instance{0};
  std::atomic<LockMode> mode{LockMode::kExclusive};
  std::atomic<const std::atomic<std::uint32_t>*> holder{nullptr};  // thread id; see kNobody, kMany
  std::atomic<const char*> message{nullptr};
  std::atomic<Site> site{};
  std::atomic<bool> may_idle{false};  // a daemon waiting for work: not evidence of a hang
  std::atomic<bool> has_deadline{false};
  std::atomic<std::uint32_t> units{1};  // Resource::units
  // The thread has nothing left to do but wait. A sleeper still releases its interlock before that.
  std::atomic<bool> settled{false};
  std::atomic<bool> woken{false};  // its waker has been there: it has only to run
  std::atomic<std::uint64_t> since_ns{0};
  // Pinned by another thread that reads through `target` and `holder`: the wait does not end
  // before it is 0 again. See PinnedWait.
  mutable std::atomic<std::uint32_t> pins{0};
  // The thread's stack when it began to wait; kStackDepth entries, 0-terminated.
  static constexpr int kStackDepth = 24;
  std::atomic<std::uintptr_t> stack[kStackDepth]{};
};

class StatisticsBlock;  // statistics.h
struct InterruptState;  // interrupt_state.h

// What a run sets up for its threads; spawned threads inherit it.
struct RunContext {
  FindingSink* sink = nullptr;
  Witness* witness = nullptr;
  Limits* limits = nullptr;  // of OS threads alone: the time of an executor is its own
  bool statistics = false;
  std::uint32_t id = 0;  // of the run, for its watchdog; see NextRunId
};

// On cache lines of its own: the thread writes it with each lock that it takes.
struct alignas(64) ThreadState {
  explicit ThreadState(std::uint32_t id, std::string name);
  ~ThreadState();

  const std::uint32_t id;  // (c) from 1; unique in the process, or in the execution
  // (c) which no other live OS thread has, and small: what is kept for each few threads goes by it
  std::uint32_t ordinal;
  std::string name;              // (c)
  Executor* executor = nullptr;  // (c) nullptr: an OS thread
  // (c) where it says which biased locks it reads; nullptr: nowhere, as on an executor
  ReaderSlots* reader_slots = nullptr;
  RunContext run;           // (t)
  std::uint32_t spawn = 0;  // (t) SpawnedThread::number, if it was spawned under a witness
  std::atomic<std::uint32_t> run_id{0};            // (a) run.id, for the watchdog
  HeldLocks held;                                  // (t, a)
  WaitRecord waiting;                              // (a)
  std::atomic<const char*> operation{nullptr};     // (a) what the worker is doing
  std::atomic<std::uint64_t> operations_ended{0};  // (a) progress, for the watchdog
  std::atomic<std::uint32_t> park_token{0};  // (a) futex of Park; kParkUnparked, kParkInterrupted
  ThreadState* wait_next = nullptr;          // sleep queue bucket lock: next waiter of the bucket
  const void* wait_channel = nullptr;        // sleep queue bucket lock
  bool wait_signalled = false;               // sleep queue bucket lock
  std::atomic<StatisticsBlock*> statistics{nullptr};  // (a) owned; nullptr until it counts
  const void* timed_lock = nullptr;                   // (t) whose hold is timed; nullptr: none is
  std::uint64_t timed_since_ns = 0;                   // (t)
  void* executor_data = nullptr;                      // executor's own
  ChainCache* chains = nullptr;                       // (t) run.witness's own; nullptr: none yet
  std::unique_ptr<InterruptState> interrupts;         // (t) nullptr: it never took any
};

// Registers the calling OS thread under `name`; nothing if it is registered already.
ThreadState& RegisterThread(std::string name, const RunContext& run);
// The descriptor of the calling thread; registers an OS thread on its first call.
ThreadState& SelfSlow();
inline ThreadState& Self() {
  if (t_word.self == nullptr) [[unlikely]]
    return SelfSlow();
  return *t_word.self;
}
// Whether any of `bits` is set for the calling thread.
inline bool Watched(std::uint32_t bits) { return (t_word.watch & bits) != 0; }

// Sets the calling thread's run context and the watch bits that follow from it; returns the former
// one. Threads spawned later inherit it. With another witness the held list starts empty: call it
// with no lock held.
RunContext SetRunContext(const RunContext& context);
// A number for a run, never used before in this process.
std::uint32_t NextRunId();
// Makes `state` the calling context: fibre switches and thread starts use it.
LOCKING_UNINSTRUMENTED void InstallThreadWord(const ThreadWord& word);
// statistics.h: the counts of the thread's acquisitions, which it keeps from now on.
ClassCount* CountsOf(ThreadState& self);
// The word that a thread with this state must run under.
ThreadWord WordOf(ThreadState& state);

// OS threads that were spawned and have not registered yet.
std::atomic<std::uint32_t>& StartingThreads();

// Calls `visit` for every live OS thread known to locking/, in order of id. Holds the registry, so
// `visit` must neither spawn nor register a thread.
class ThreadVisitor {
 public:
  virtual ~ThreadVisitor() = default;
  virtual void Visit(ThreadState& thread) = 0;
};
void VisitNativeThreads(ThreadVisitor& visitor);
// The same for all of them at once: none ends while `inspect` looks.
void InspectNativeThreads(const std::function<void(std::span<ThreadState* const>)>& inspect);

// Marks the calling thread as waiting for the lifetime of the object.
class WaitScope {
 public:
  WaitScope(ThreadState& self, const void* target, const LockClass* target_class,
            std::uint32_t instance, LockMode mode, const std::atomic<std::uint32_t>* holder,
            const char* message, Site site);
  // A sleep, which is settled by Settle; every other wait is from its start.
  WaitScope(ThreadState& self, const void* channel, const Resource& resource,
            std::uint64_t deadline_ns, Site site);
  ~WaitScope();
  WaitScope(const WaitScope&) = delete;

  void Settle() { self_.waiting.settled.store(true, std::memory_order_release); }

 private:
  void Begin(Site site);

  ThreadState& self_;
};

// The caller's wait, if it is in one, has ended for all who look on, until the end of this scope.
class SuspendedWait {
 public:
  explicit SuspendedWait(ThreadState& self);
  ~SuspendedWait();
  SuspendedWait(const SuspendedWait&) = delete;

 private:
  ThreadState& self_;
  std::unique_ptr<WaitRecord> record_;  // nullptr: it was in none
};

// Keeps the wait of another thread from ending, so that what its record points to may be read. Hold
// it for a few loads.
class PinnedWait {
 public:
  explicit PinnedWait(const WaitRecord& wait) : wait_(wait) {
    wait_.pins.fetch_add(1, std::memory_order_seq_cst);
    sequence_ = wait_.sequence.load(std::memory_order_seq_cst);
  }
  ~PinnedWait() { wait_.pins.fetch_sub(1, std::memory_order_release); }
  PinnedWait(const PinnedWait&) = delete;

  // Whether the thread waits; if not, nothing of the record may be followed.
  bool waits() const { return sequence_ % 2 == 1; }
  std::uint32_t sequence() const { return sequence_; }

 private:
  const WaitRecord& wait_;
  std::uint32_t sequence_;
};

}  // namespace locking

#endif  // LOCKING_THREAD_STATE_H_
