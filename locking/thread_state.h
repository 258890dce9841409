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
#include <memory>
#include <string>
#include <vector>

#include "locking/annotations.h"
#include "locking/finding.h"
#include "locking/lock_class.h"
#include "locking/site.h"

namespace locking {

class Executor;
class Witness;
struct ThreadState;

// Why a primitive must leave its fast path; the bits of ThreadWord::watch.
enum Watch : std::uint32_t {
  kWatchUnregistered = 1,  // an OS thread that locking/ has not seen yet
  kWatchExecutor = 2,      // runs on a controlled executor: every operation is a scheduling point
  kWatchWitness = 4,       // keeps the held list and asks the witness
  kWatchStatistics = 8,    // counts acquisitions, waits and holds by class
};

// Zero `watch` means that nothing watches this thread: the fast path is a plain lock.
struct ThreadWord {
  std::uint32_t watch;
  std::uint32_t id;          // of `self`: the owner word of locks; 0 only while unregistered
  std::uint32_t spin_depth;  // spin locks held: simulated interrupts are off while it is not 0
  ThreadState* self;
};
inline thread_local constinit ThreadWord t_word{kWatchUnregistered, 0, 0, nullptr};

enum class LockMode : std::uint8_t { kExclusive, kShared };

// A lock that the thread holds. Read by other threads for reports, so its fields are relaxed
// atomics, and the array they stand in is never freed while the thread lives.
struct HeldLock {
  std::atomic<const void*> lock;
  std::atomic<const LockClass*> lock_class;
  std::atomic<Site> site;
  std::atomic<std::uint32_t> instance;
  std::atomic<LockMode> mode;
  std::uint64_t chain;        // (t) witness: hash of the chain up to and including this one
  std::uint64_t acquired_ns;  // (t) statistics
};

// The locks a thread holds, in order of acquisition. No cap.
class HeldLocks {
 public:
  HeldLocks();
  ~HeldLocks();
  HeldLocks(const HeldLocks&) = delete;

  std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  HeldLock& at(std::uint32_t i) const { return entries_.load(std::memory_order_acquire)[i]; }
  HeldLock& Push(const void* lock, const LockClass* lock_class, std::uint32_t instance,
                 LockMode mode, Site site);
  // Removes the newest entry of `lock`; returns its former index, or -1 when it is not held.
  int Remove(const void* lock, LockMode* mode, std::uint64_t* acquired_ns);
  // The newest entry of `lock`, or nullptr.
  HeldLock* Find(const void* lock) const;
  void Clear() { size_.store(0, std::memory_order_release); }

 private:
  static constexpr std::uint32_t kInlineEntries = 16;
  void Grow();

  std::atomic<std::uint32_t> size_{0};
  std::uint32_t capacity_ = kInlineEntries;
  std::atomic<HeldLock*> entries_;
  HeldLock inline_entries_[kInlineEntries];
  std::vector<std::unique_ptr<HeldLock[]>> grown_;  // the newest is in use; older ones may be read
};

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
  std::atomic<std::uint64_t> since_ns{0};
  // The thread's stack when it began to wait; kStackDepth entries, 0-terminated.
  static constexpr int kStackDepth = 24;
  std::atomic<std::uintptr_t> stack[kStackDepth]{};
};

inline constexpr std::uint32_t kNobody = 0;
inline constexpr std::uint32_t kMany = 0xffffffffu;  // several holders, or the kernel of a pager

class StatisticsBlock;  // statistics.h

// What a run sets up for its threads; spawned threads inherit it.
struct RunContext {
  FindingSink* sink = nullptr;
  Witness* witness = nullptr;
  bool statistics = false;
};

struct ThreadState {
  explicit ThreadState(std::uint32_t id, std::string name);
  ~ThreadState();

  const std::uint32_t id;        // (c) from 1; unique in the process, or in the execution
  std::string name;              // (c)
  Executor* executor = nullptr;  // (c) nullptr: an OS thread
  RunContext run;                // (c)
  HeldLocks held;                // (t, a)
  WaitRecord waiting;            // (a)
  std::atomic<const char*> operation{nullptr};     // (a) what the worker is doing
  std::atomic<std::uint64_t> operations_ended{0};  // (a) progress, for the watchdog
  std::atomic<std::uint32_t> park_token{0};        // (a) futex of Park and Unpark
  ThreadState* wait_next = nullptr;    // sleep queue bucket lock: next waiter of the bucket
  const void* wait_channel = nullptr;  // sleep queue bucket lock
  bool wait_signalled = false;         // sleep queue bucket lock
  std::atomic<StatisticsBlock*> statistics{nullptr};  // (a) owned; nullptr until it counts
  void* executor_data = nullptr;                      // executor's own
  void* witness_data = nullptr;                       // witness's own, by thread
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
// one. Threads spawned later inherit it.
RunContext SetRunContext(const RunContext& context);
// Makes `state` the calling context: fibre switches and thread starts use it.
LOCKING_UNINSTRUMENTED void InstallThreadWord(const ThreadWord& word);
// The watch word that a thread with this state must run under.
std::uint32_t WatchBitsOf(const ThreadState& state);

// Calls `visit` for every live OS thread known to locking/, in order of id. Holds the registry, so
// `visit` must neither spawn nor register a thread.
class ThreadVisitor {
 public:
  virtual ~ThreadVisitor() = default;
  virtual void Visit(ThreadState& thread) = 0;
};
void VisitNativeThreads(ThreadVisitor& visitor);

// Marks the calling thread as waiting for the lifetime of the object.
class WaitScope {
 public:
  WaitScope(ThreadState& self, const void* target, const LockClass* target_class,
            std::uint32_t instance, LockMode mode, const std::atomic<std::uint32_t>* holder,
            const char* message, Site site);
  ~WaitScope();
  WaitScope(const WaitScope&) = delete;

 private:
  ThreadState& self_;
};

}  // namespace locking

#endif  // LOCKING_THREAD_STATE_H_
