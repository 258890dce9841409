// What a detector found: a rule or invariant id and its evidence. Every detector of the project
// (witness, watchdog, invariant checks, oracle, explorer) reports through FindingSink.
#ifndef LOCKING_FINDING_H_
#define LOCKING_FINDING_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "locking/site.h"

namespace locking {

// One thread's part in a finding.
struct ThreadEvidence {
  std::string thread;              // its name
  std::string what;                // what it did: "acquires page queues holding object #7"
  std::vector<std::string> held;   // locks held: "object #7 (exclusive) at vm/fault.cc:88"
  std::vector<std::string> stack;  // innermost first
  std::string site = {};           // of what it did: "vm/fault.cc:88"; empty: not known
};

// Where a thread stands in a circle of waits, seen or possible.
struct CycleWait {
  static constexpr std::uint32_t kNothing = ~0u;

  std::uint32_t held;    // id of the class that another one waits for; kNothing: see below
  std::uint32_t wanted;  // id of the class that it waits for
  Site site;             // where it waits
  // A writer that waits between two readers of the circle need not hold anything of it.
  bool is_writer_between() const { return held == kNothing; }
};

struct Finding {
  std::string id;    // "LK02", "INV-13", "RACE", ...
  std::string tier;  // witness tiers ("confirmed", "provable", ...); else empty
  std::string title;
  std::vector<ThreadEvidence> threads;
  std::vector<std::string> log_tail;  // last operations, oldest first
  std::string replay;                 // the command that runs it again; filled in by the run
  std::string signature;              // equal for equal failures; filled from id and title if empty
  // Of a deadlock, seen or possible: each thread of the circle, the writers between readers last.
  std::vector<CycleWait> cycle;
  // Of a cycle of lock classes, by name: each is taken inside the one before, the first inside the
  // last. What outlives the process of the run.
  std::vector<std::string> classes = {};
};

// Whether the run failed by this finding. A potential deadlock fails it only when its tier says
// that some schedule may force it ("confirmed", "provable"); the other tiers are listed.
bool FailsRun(const Finding& finding);

// Where findings go.
//
// Thread safety: Report may be called by any thread at any time, with any locks held; it must not
// take a lock of locking/.
class FindingSink {
 public:
  virtual ~FindingSink() = default;
  // The run goes on after this.
  virtual void Report(Finding finding) = 0;
  // The run cannot go on (a broken invariant): writes the evidence and ends the process. An
  // executor that can end one execution alone (explore) does so before it gets here.
  [[noreturn]] virtual void ReportFatal(Finding finding) = 0;
};

// Prints to standard error; ReportFatal aborts. Used by threads that nobody watches.
FindingSink& DefaultFindingSink();

// The finding as text, for a terminal.
std::string FormatFinding(const Finding& finding);

// Ends the run (native) or the execution (explore) of the calling thread with `finding`.
[[noreturn]] void Fail(Finding finding);
// The same for a broken invariant, with the caller's stack and held locks as evidence.
[[noreturn]] void FailInvariant(std::string_view id, std::string title);
// Reports to the sink of the calling thread's run and goes on.
void ReportFinding(Finding finding);

}  // namespace locking

#endif  // LOCKING_FINDING_H_
