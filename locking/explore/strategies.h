// The strategies of an exploration, by name.
//
// Thread safety: none; one strategy belongs to one executor.
#ifndef LOCKING_EXPLORE_STRATEGIES_H_
#define LOCKING_EXPLORE_STRATEGIES_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "locking/sched/plain_array.h"
#include "locking/sched/strategy.h"

namespace locking::explore {

struct StrategyInfo {
  const char* name;
  const char* description;
  bool parallel;  // executions are independent: several OS threads may share the work
};
// All of them, the default first.
std::vector<StrategyInfo> Strategies();
// nullptr: there is no such strategy. `depth`: as StrategyInfo's description says.
std::unique_ptr<Strategy> MakeStrategy(std::string_view name, std::uint32_t depth);

// Any runnable thread, each with the same probability.
class RandomWalk final : public Strategy {
 public:
  const char* name() const override { return "random"; }
  void BeginExecution(std::uint64_t seed) override;
  std::uint32_t Pick(const Choice& choice) override;
  UniformDraw* uniform() override { return &draw_; }

 private:
  UniformDraw draw_;
};

// The threads of a recorded execution, in their order.
class RecordedSchedule : public Strategy {
 public:
  explicit RecordedSchedule(std::span<const std::uint32_t> choices);
  const char* name() const override { return "replay"; }
  void BeginExecution(std::uint64_t seed) override;
  std::uint32_t Pick(const Choice& choice) override;
  // The program could not follow the record: the thread picked at `divergence_step` could not run.
  // It went on in some order, as it does beyond the end of the record.
  bool diverged() const { return diverged_; }
  std::uint32_t divergence_step() const { return divergence_step_; }

 private:
  PlainArray<std::uint32_t> choices_;
  bool diverged_ = false;
  std::uint32_t divergence_step_ = 0;
};

}  // namespace locking::explore

#endif  // LOCKING_EXPLORE_STRATEGIES_H_
