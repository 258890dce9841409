// Compiled without sanitizers, as strategy.h asks.
#include "locking/explore/strategies.h"

namespace locking::explore {

std::vector<StrategyInfo> Strategies() {
  return {{"random", "any runnable thread, each with the same probability", true}};
}

std::unique_ptr<Strategy> MakeStrategy(std::string_view name, std::uint32_t depth) {
  (void)depth;
  if (name == "random") return std::make_unique<RandomWalk>();
  return nullptr;
}

void RandomWalk::BeginExecution(std::uint64_t seed) { draw_.Begin(seed); }

std::uint32_t RandomWalk::Pick(const Choice& choice) { return draw_.Below(choice.count); }

RecordedSchedule::RecordedSchedule(std::span<const std::uint32_t> choices) {
  for (std::uint32_t choice : choices) choices_.push_back(choice);
}

void RecordedSchedule::BeginExecution(std::uint64_t seed) {
  (void)seed;
  diverged_ = false;
}

std::uint32_t RecordedSchedule::Pick(const Choice& choice) {
  // Beyond its end the record says nothing: who is asked for may all find their locks held.
  if (choice.step >= choices_.size()) return 0;
  for (std::uint32_t i = 0; i < choice.count; ++i) {
    if (choice.runnable[i]->id != choices_[choice.step]) continue;
    if (diverged_ && divergence_step_ == choice.step) diverged_ = false;
    return i;
  }
  // It may run once time has passed, which it does when all who are asked for find their locks
  // held: then the same step is asked for again.
  if (!diverged_) {
    diverged_ = true;
    divergence_step_ = choice.step;
  }
  return 0;
}

}  // namespace locking::explore
