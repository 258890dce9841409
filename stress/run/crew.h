// Crew: the worker threads of a run. Each has its own random numbers, from the seed, and picks one
// worker kind a step by weight.
//
// Thread safety: by the thread that made it; the counters may be read by anyone at any time.
#ifndef STRESS_RUN_CREW_H_
#define STRESS_RUN_CREW_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "locking/thread.h"
#include "stress/config/scenario.h"
#include "stress/run/safe_point.h"
#include "stress/workers/worker.h"

namespace stress {

struct CrewConfig {
  std::uint32_t threads = 1;
  std::uint64_t seed = 0;
  std::uint64_t operations = 0;  // of all threads together; 0: until RequestStop
  // Of the host; the threads are pinned to them in turn. Empty: wherever the host runs them.
  std::vector<std::uint32_t> cores = {};
};

class Crew {
 public:
  // `at_end` is called by each worker thread as its last act; may be empty. `safe_point` may be
  // nullptr.
  Crew(World& world, const std::vector<WorkerSpec>& specs, const CrewConfig& config,
       SafePoint* safe_point, std::function<void()> at_end);
  ~Crew();  // stops and joins

  void Start();
  void RequestStop() { stop_.Store(true, std::memory_order_relaxed); }
  void Join();

  std::uint64_t operations() const;
  std::map<std::string, std::uint64_t> operations_by_kind() const;
  std::uint64_t loads_checked() const;
  std::uint64_t stores() const;
  std::uint64_t refused() const;
  // The last operations: all of the worker whose thread has this name, else a few of each.
  std::vector<std::string> LogTail(const std::string& thread_name) const;

 private:
  struct Member;
  void Work(Member& member);
  std::size_t PickSpec(Member& member) const;

  const std::vector<WorkerSpec> specs_;
  const CrewConfig config_;
  SafePoint* const safe_point_;
  const std::function<void()> at_end_;
  locking::Atomic<bool> stop_{false};
  std::uint32_t total_weight_ = 0;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace stress

#endif  // STRESS_RUN_CREW_H_
