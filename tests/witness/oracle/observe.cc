#include "tests/witness/oracle/observe.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "locking/executor.h"
#include "locking/thread_state.h"
#include "locking/witness/lock_order_witness.h"

namespace locking::oracle {
namespace {

constexpr const char* kVerdictNames[kVerdicts] = {
    "", "no-writer", "single-context", "ordered", "gated", "class-only", "provable"};

[[noreturn]] void EndWith(const Finding& finding) {
  std::fputs(FormatFinding(finding).c_str(), stderr);
  std::abort();
}

// Keeps the strongest tier; nothing but cycles may be found here.
class StrongestTier : public FindingSink {
 public:
  void Report(Finding finding) override {
    const auto* const name = std::find_if(
        kVerdictNames, kVerdictNames + kVerdicts,
        [&](const char* verdict) { return std::string_view(verdict) == finding.tier; });
    const bool cycle = finding.id == "LK02" || finding.id == "LK03" || finding.id == "LK07";
    if (!cycle || name == kVerdictNames + kVerdicts) EndWith(finding);
    strongest_ = std::max(strongest_, static_cast<Verdict>(name - kVerdictNames));
  }
  [[noreturn]] void ReportFatal(Finding finding) override { EndWith(finding); }
  Verdict strongest() const { return strongest_; }

 private:
  Verdict strongest_ = Verdict::kNone;
};

// What a thread that is a descriptor alone runs on: it runs when it is called, nothing ever waits,
// and no stack is taken.
class SerialExecutor : public Executor {
 public:
  SerialExecutor() { wants_evidence_.store(false, std::memory_order_relaxed); }
  void AtPoint(PointKind, const void*, const LockClass*, Site) override {}
  void WakeAddress(const void*) override {}
  std::uint64_t NowNs() override { return 0; }
  void TakeInterrupt(Interrupt&, std::uint32_t) override {}
  void LeaveInterrupt(Interrupt&) override {}
  void PostInterrupt(Interrupt&) override {}
  void BlockOn(const void*) override { std::abort(); }
  bool Park(std::uint64_t) override { std::abort(); }
  void Unpark(ThreadState&) override { std::abort(); }
  void Yield(Site) override { std::abort(); }
  ThreadState* Spawn(std::string, std::function<void()>, Site) override { std::abort(); }
  void Join(ThreadState*, Site) override { std::abort(); }
  [[noreturn]] void Fail(Finding finding) override { EndWith(finding); }
  void UnwindIfAbandoned() override {}
  void NoteSanitizerReport(const SanitizerReport&) override {}
};

}  // namespace

const char* VerdictName(Verdict verdict) {
  return verdict == Verdict::kNone ? "none" : kVerdictNames[static_cast<int>(verdict)];
}

Observer::Lock::Lock(int i)
    : mutex_class(std::string("mutex ") + static_cast<char>('A' + i), LockKind::kMutex),
      rw_class(std::string("rw ") + static_cast<char>('A' + i), LockKind::kMutex),
      mutex(mutex_class),
      rw(rw_class) {}

Observer::Observer() {
  for (int i = 0; i < kLocks; ++i) locks_[i] = std::make_unique<Lock>(i);
}
Observer::~Observer() = default;

Verdict Observer::Watch(const Program& program, std::span<const Order> orders) {
  StrongestTier sink;
  LockOrderWitness witness;
  RunContext run;
  run.sink = &sink;
  run.witness = &witness;
  // The witness knows a thread by its executor and its number: in each run it looks anew at what
  // the same threads do.
  std::vector<SerialExecutor> executors(orders.size());
  const ThreadWord caller = t_word;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    for (int thread : orders[i]) {
      ThreadState state(static_cast<std::uint32_t>(thread) + 1, "thread");
      state.run = run;
      state.executor = &executors[i];
      InstallThreadWord(WordOf(state));
      Run(program, thread);
      witness.AtThreadEnd(state);
    }
  }
  InstallThreadWord(caller);
  return sink.strongest();
}

void Observer::Run(const Program& program, int thread) {
  unsigned shared = 0;
  for (Operation operation : *program.threads[thread]) DoOne(program.kinds, operation, &shared);
}

void Observer::DoOne(const Kinds& kinds, Operation operation, unsigned* shared) {
  Lock& lock = *locks_[operation.lock];
  const bool is_mutex = kinds[operation.lock] == Kind::kMutex;
  bool taken = true;
  switch (operation.what) {
    case Do::kLock:
      is_mutex ? lock.mutex.Lock() : lock.rw.Lock();
      break;
    case Do::kTry:
      taken = is_mutex ? lock.mutex.TryLock() : lock.rw.TryLock();
      break;
    case Do::kRead:
      lock.rw.LockShared();
      break;
    case Do::kTryRead:
      taken = lock.rw.TryLockShared();
      break;
    case Do::kUnlock:
      if (is_mutex)
        lock.mutex.Unlock();
      else if ((*shared >> operation.lock & 1u) != 0)
        lock.rw.UnlockShared();
      else
        lock.rw.Unlock();
      *shared &= ~(1u << operation.lock);
      return;
  }
  if (!taken) std::abort();  // nobody else runs
  if (IsShared(operation.what)) *shared |= 1u << operation.lock;
}

}  // namespace locking::oracle
