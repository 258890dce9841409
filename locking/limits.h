// Limits: how long the threads of a run may hold a lock, and wait for a lock or a resource; what
// takes longer is LK13. It is told of each hold and wait that ends; the watchdog looks for those
// that do not. Each is reported once for its class and call site, and the run goes on.
//
// Thread safety: all functions may be called by any thread at any time, with any locks held.
#ifndef LOCKING_LIMITS_H_
#define LOCKING_LIMITS_H_

#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "locking/finding.h"
#include "locking/thread_state.h"

namespace locking {

class Limits {
 public:
  struct Bounds {
    std::uint64_t hold_ns = 0;  // 0: no limit
    std::uint64_t wait_ns = 0;  // 0: no limit
  };
  explicit Limits(const Bounds& bounds) : bounds_(bounds) {}
  Limits(const Limits&) = delete;

  const Bounds& bounds() const { return bounds_; }

  // The caller is about to let go of what `held`, an entry of its list at `index`, stands for.
  void HoldEnds(ThreadState& self, std::uint32_t index, Site site);
  // The caller's wait, of which its record still tells, has ended.
  void WaitEnds(ThreadState& self);
  // What goes on for too long by now, each with the evidence of all threads, the guilty first. The
  // threads must not end meanwhile; they may run.
  std::vector<Finding> Overdue(std::span<ThreadState* const> threads);

 private:
  // A hold or a wait, as anybody may read it at any time.
  struct Stretch {
    std::uint64_t since_ns = 0;  // 0: there is none
    const LockClass* lock_class = nullptr;
    std::uint32_t instance = 0;
    Site site = {};
  };
  enum class Kind : std::uint8_t { kHold, kWait };
  enum class End : std::uint8_t { kOver, kGoesOn };

  static Stretch HoldOf(const HeldLock& held);
  static Stretch WaitOf(const WaitRecord& wait);
  // Whether it was too long, and none like it was reported before.
  bool Exceeds(Kind kind, const Stretch& stretch, std::uint64_t now_ns);
  Finding Describe(Kind kind, End end, const Stretch& stretch, std::uint64_t now_ns) const;
  void AddOverdue(Kind kind, const Stretch& stretch, const ThreadState& thread,
                  std::span<ThreadState* const> threads, std::vector<Finding>* findings);

  const Bounds bounds_;
  std::mutex mutex_;
  std::set<std::string> reported_;  // signatures; guarded by mutex_
};

}  // namespace locking

#endif  // LOCKING_LIMITS_H_
