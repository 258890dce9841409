// A random walk into a circle of waits: a thread that stands where the circle has one of its
// threads, with what another one waits for and about to wait itself, is kept there while others can
// run; so is an interrupt, until its thread stands there. Where all of them stand there, they go on
// and wait for each other.
//
// Each execution that it begins is another walk, also with the same seed: the seed of the execution
// that showed the circle may stay, and with it what the body does.
//
// Thread safety: as Strategy.
#ifndef LOCKING_EXPLORE_DIRECTED_WALK_H_
#define LOCKING_EXPLORE_DIRECTED_WALK_H_

#include <cstdint>
#include <vector>

#include "locking/finding.h"
#include "locking/sched/plain_array.h"
#include "locking/sched/strategy.h"

namespace locking::explore {

class DirectedWalk final : public Strategy {
 public:
  explicit DirectedWalk(const std::vector<CycleWait>& cycle);
  const char* name() const override { return "directed"; }
  void BeginExecution(std::uint64_t seed) override;
  std::uint32_t Pick(const Choice& choice) override;

 private:
  struct Place {
    bool needs_held;
    std::uint32_t held;
    std::uint32_t wanted;
    std::uint64_t site_hash;
  };
  bool IsInCircle(const ThreadView& thread) const;
  bool ComesTooEarly(const ThreadView& interrupt) const;

  PlainArray<Place> places_;
  std::uint64_t walks_ = 0;
  UniformDraw draw_;
};

}  // namespace locking::explore

#endif  // LOCKING_EXPLORE_DIRECTED_WALK_H_
