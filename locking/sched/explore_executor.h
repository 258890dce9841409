// ExploreExecutor: runs a body and the threads it spawns as fibres of one OS thread, one at a time;
// at every synchronisation operation a strategy picks who goes on. The schedule depends on the
// strategy alone, so an execution that fails can be run again exactly.
//
// An execution ends when every thread has ended, or at the first failure: then all fibres unwind,
// youngest first, so that nothing leaks and no frame dies under a thread that refers to it. What
// ends an execution: Fail of any detector; LK09, LK10 or LK11 when nobody can run; LIVELOCK at the
// step limit; EXCEPTION when one leaves a thread's body or a noexcept function. Threads that sleep
// with `may_idle` when all others have ended are no failure.
//
// Time is a counter: kPointNs for each scheduling point; when nobody can run, or everybody spins,
// it jumps to the earliest deadline of a sleeper.
//
// Thread safety: one OS thread uses an executor; several executors may run side by side.
// Lock key: (s) and (i) as in fibre.h.
#ifndef LOCKING_SCHED_EXPLORE_EXECUTOR_H_
#define LOCKING_SCHED_EXPLORE_EXECUTOR_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "locking/executor.h"
#include "locking/finding.h"
#include "locking/sched/fibre.h"
#include "locking/sched/plain_array.h"
#include "locking/sched/strategy.h"
#include "locking/sched/stuck.h"
#include "locking/thread_state.h"

namespace locking {

struct EhGlobals;

class ExploreExecutor final : public Executor {
 public:
  static constexpr std::uint64_t kPointNs = 100;
  static constexpr std::uint32_t kDefaultMaxSteps = 100'000;

  ExploreExecutor();
  ~ExploreExecutor() override;

  struct Execution {
    std::uint64_t seed = 0;
    std::uint32_t max_steps = kDefaultMaxSteps;
    RunContext run{};             // of the body; its threads inherit it
    bool wants_evidence = false;  // keep held lists, symbolise stacks
  };
  // Runs `body` once as thread 1, "main". True: it ended without a failure.
  bool Run(const std::function<void()>& body, Strategy& strategy, const Execution& execution);

  // Of the last execution.
  const Finding& failure() const { return failure_; }  // when Run returned false
  std::uint32_t steps() const { return steps_; }
  // Of all steps: thread, kind, lock class and call site.
  std::uint64_t trace_hash() const { return trace_hash_; }
  // The thread picked at each step.
  std::span<const std::uint32_t> choices() const { return {choices_.data(), choices_.size()}; }

  // Reports of a sanitizer about threads of the last execution, and the first of them.
  std::uint32_t sanitizer_reports() const { return sanitizer_reports_; }
  const SanitizerReport& sanitizer_report() const { return sanitizer_report_; }
  // Of the execution that runs: what its body may draw random numbers from.
  std::uint64_t seed() const { return seed_; }

  // Executor.
  void AtPoint(PointKind kind, const void* address, const LockClass* lock_class,
               Site site) override;
  void BlockOn(const void* address) override;
  void WakeAddress(const void* address) override;
  bool Park(std::uint64_t deadline_ns) override;
  void Unpark(ThreadState& thread) override;
  void Yield(Site site) override;
  ThreadState* Spawn(std::string name, std::function<void()> body, Site site) override;
  void Join(ThreadState* thread, Site site) override;
  std::uint64_t NowNs() override;
  void TakeInterrupt(Interrupt& interrupt, std::uint32_t posts) override;
  void LeaveInterrupt(Interrupt& interrupt) override;
  void PostInterrupt(Interrupt& interrupt) override;
  [[noreturn]] void Fail(Finding finding) override;
  void UnwindIfAbandoned() override;
  void NoteSanitizerReport(const SanitizerReport& report) override;

  // What std::terminate does on a fibre: an EXCEPTION finding, and the stack is left as it is.
  [[noreturn]] void TerminateFibre();

 private:
  // explore_core.cc, without sanitizers: the scheduler.
  void BeginExecution(Strategy& strategy, const Execution& execution);
  void RunFibres(Fibre& main);
  void Announce(Fibre& self, PointKind kind, const void* address, const LockClass* lock_class,
                Site site);
  bool WouldBlock(const Fibre& fibre) const;
  void SetAsideBlocked();
  std::uint32_t AskStrategy();
  Fibre* Decide();
  void GoOnWith(Fibre& self, Fibre* next);
  void Reschedule(Fibre& self);
  void Block(Fibre& fibre, const void* address);
  void SwitchTo(Fibre& next);
  void Switch(FibreContext& from, FibreContext& to, bool last);
  void SwitchAnnounced(FibreContext& from, FibreContext& to, bool last);
  void LeaveFibre(Fibre& self);
  static void FibreMain(void* argument);
  void PrepareFibre(Fibre& fibre);
  Fibre& TakeFibre(std::uint32_t parent);
  void StartFibre(Fibre& fibre);
  void AddRunnable(Fibre& fibre);
  void RemoveRunnable(Fibre& fibre);
  void RestoreYielded();
  bool JumpClock();
  void WakeTimedOut();
  void FindEarliestDeadline();
  void ForgetDeadline(const Fibre& fibre);
  void RunInterrupts(Fibre& self);
  std::uint64_t HashOfSite(const void* key, Site site);
  // explore_interrupts.cc: without sanitizers, too.
  static bool MayInterrupt(const InterruptLine& line);
  const ThreadView* PickWithInterrupts();
  Fibre* DecideWithInterrupts();
  void Interrupted(InterruptLine& line);
  void Unblock(Fibre& fibre);
  void RunInterrupt(Fibre& self);
  bool SleepsOnAfterInterrupt(Fibre& self);
  // explore_fibres.cc: an execution that is given up.
  void GiveUp();
  void IgnoreUnwinding(Fibre& self);
  void PassAbandoned(bool may_throw);
  void WaitAbandoned();
  Fibre* YoungestUnfinished();
  [[noreturn]] void LeaveForGood(Fibre& self);
  void DismissFibres();

  // explore_executor.cc: what runs on fibres and is ordered between them.
  void RunBody(Fibre& self);
  void DropBody(Fibre& self);
  Fibre* NewFibre(std::uint32_t id);
  void ResetThread(Fibre& fibre, std::string name, const RunContext& run);
  // The first failure counts; the execution is given up. Throws nothing.
  void DeclareFailure(Finding finding);
  void DeclareStuck();
  void DeclareException(const char* what);
  std::vector<UnfinishedThread> UnfinishedThreads();
  [[noreturn]] void FailLivelock();

  static constexpr std::uint32_t kBuckets = 64;  // of blocked fibres, by address
  static constexpr std::uint32_t kSiteEntries = 1024;
  struct SiteEntry {
    const void* site;
    std::uint64_t hash;
  };

  Strategy* strategy_ = nullptr;         // (s)
  UniformDraw* uniform_ = nullptr;       // (s) of strategy_
  Fibre* current_ = nullptr;             // (s)
  PlainArray<ThreadView*> runnable_;     // (s)
  std::uint64_t clock_ns_ = 0;           // (s)
  std::uint64_t earliest_deadline_ = 0;  // (s)
  std::uint32_t steps_ = 0;              // (s)
  std::uint32_t max_steps_ = 0;          // (s)
  std::uint64_t trace_hash_ = 0;         // (s)
  PlainArray<std::uint32_t> choices_;    // (s)
  std::uint32_t unfinished_ = 0;         // (s)
  std::uint32_t blocked_ = 0;            // (s)
  std::uint32_t idle_yields_ = 0;        // (s) yields since an operation that could help others
  PlainArray<Fibre*> yielded_;           // (s)
  PlainArray<Fibre*> timed_;             // (s) parked with a deadline
  Fibre* blocked_heads_[kBuckets] = {};  // (s) in order of arrival
  Fibre* blocked_tails_[kBuckets] = {};  // (s)
  PlainArray<InterruptLine*> lines_;     // (s) all ever made; that of number n has n as its id
  std::uint32_t lines_used_ = 0;         // (s) of this execution, some of them no longer
  PlainArray<const ThreadView*> candidates_;  // (s) scratch space
  PlainArray<Fibre*> fibres_;                 // (s) all ever made; thread n is fibres_[n - 1]
  std::uint32_t used_ = 0;                    // (s) of this execution
  FibreContext host_;                         // (s)
  EhGlobals* eh_globals_ = nullptr;           // (s)
  bool dismissed_ = false;                    // (s)
  const bool announces_;                      // (c) a sanitizer wants to know of switches
  std::uint64_t seed_ = 0;                    // (s)
  std::uint32_t sanitizer_reports_ = 0;       // (s)
  SanitizerReport sanitizer_report_;          // (s)
  SiteEntry sites_[kSiteEntries] = {};        // (s)

  const std::function<void()>* main_body_ = nullptr;  // (i)
  bool failed_ = false;                               // (i)
  Finding failure_;                                   // (i)
};

}  // namespace locking

#endif  // LOCKING_SCHED_EXPLORE_EXECUTOR_H_
