// Watchdog: an OS thread of its own that looks at the threads of a run from time to time and ends a
// run that cannot go on, with every thread's held locks, wait and stack.
//
//   LK09  the wait-for graph has a cycle
//   LK10  every thread sleeps, none has a deadline, and nobody is left who could wake one
//   HANG  no operation of any thread ended for `stall_ns`, and one is under way
//   LK13  a hold or a wait goes on for longer than `limits` allow; this alone ends nothing
//
// LK09 and LK10 are reported when two looks in a row see the same waits. The threads of the run are
// the OS threads whose RunContext has its id. A sleep that may idle (a daemon's) is no evidence;
// whoever may wake another takes part or keeps the holder word kMany.
//
// Thread safety: Stop and scans by anyone; the sink is called by the watchdog's thread.
#ifndef LOCKING_WITNESS_WATCHDOG_H_
#define LOCKING_WITNESS_WATCHDOG_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "locking/bounds.h"
#include "locking/finding.h"
#include "locking/limits.h"
#include "locking/witness/deadlock.h"

namespace locking {

struct WatchdogOptions {
  std::uint32_t run_id = 0;     // RunContext::id of the threads to watch
  FindingSink* sink = nullptr;  // gets Report and ReportFatal; nullptr: the default sink
  std::uint64_t period_ns = kWatchdogPeriodNs;
  std::uint64_t stall_ns = kStallNs;
  Limits* limits = nullptr;  // nullptr: none
};

class Watchdog {
 public:
  explicit Watchdog(const WatchdogOptions& options);
  ~Watchdog() { Stop(); }
  Watchdog(const Watchdog&) = delete;

  // Returns at once, unless a report is being written.
  void Stop();
  // Looks so far.
  std::uint64_t scans() const { return scans_.load(std::memory_order_relaxed); }

 private:
  using Waits = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // (thread id, sequence)

  void Run();
  // True: `finding` ends the run.
  bool Look(std::uint64_t elapsed_ns, Finding* finding, std::vector<Finding>* overdue);
  bool LookAt(std::span<ThreadState* const> threads, std::uint64_t elapsed_ns, Finding* finding);
  bool SeenTwice(Waits* former, Waits now);
  bool NobodyCanWake(const std::vector<WaitView>& waits) const;
  bool Stalled(const std::vector<WaitView>& waits, std::uint64_t elapsed_ns);

  const WatchdogOptions options_;
  std::atomic<std::uint64_t> scans_{0};
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;  // guarded by mutex_
  // The watchdog's thread alone, from here on.
  Waits deadlock_;                // of the former look
  Waits sleepers_;                // of the former look
  std::uint64_t progress_ = 0;    // a digest of who had ended how many operations
  std::uint64_t stalled_ns_ = 0;  // since `progress_` changed
  std::thread thread_;            // last: it runs with all the others in place
};

}  // namespace locking

#endif  // LOCKING_WITNESS_WATCHDOG_H_
