// Finds the cycles of the order graph that an acquisition closes, and says of each how far it is
// from a deadlock (its tier).
//
// A cycle is a deadlock when some schedule makes each of its threads wait for the next one. So the
// search walks over (class, mode it is waited for in): it goes on through an edge only if the mode
// in which the edge's thread holds the class blocks such a waiter.
//
//   shared waiter, shared holder: blocks only if a writer may wait between them, which takes a
//   class that is not recursive-read and of which a writer was ever seen; without a writer the
//   tier is no-writer
//
// Of all cycles through one acquisition those are found that have no shorter one inside: the walk
// does not go on behind a class that the acquisition itself holds exclusively.
//
// Thread safety: none; guarded by the mutex of LockOrderWitness.
#ifndef LOCKING_WITNESS_CYCLE_SEARCH_H_
#define LOCKING_WITNESS_CYCLE_SEARCH_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "locking/witness/order_graph.h"

namespace locking {

// From the weakest to the strongest.
enum class Tier : std::uint8_t { kNoWriter, kSingleContext, kGated, kProvable };
std::string_view TierName(Tier tier);

struct LockCycle {
  Tier tier;
  // One sample an edge, in order; the first is the acquisition that closed the cycle. Edge i leads
  // from the class that its sample held to the class that the sample of edge i + 1 held.
  std::vector<OrderEdge::Sample> edges;
};

class CycleSearch {
 public:
  explicit CycleSearch(const OrderGraph& graph) : graph_(graph) {}

  // The cycles that acquisition `index` closes now, provable ones first.
  std::vector<LockCycle> Find(std::uint32_t index);

 private:
  enum class Pass : std::uint8_t { kProvable, kAnySample, kAnyMode };
  struct Step {  // how a state was reached
    std::uint32_t edge;
    std::uint32_t previous;  // state
    LockMode from_mode;
  };
  struct PathEdge {
    std::uint32_t edge;
    LockMode from_mode;
    LockMode to_mode;
  };
  static constexpr std::uint32_t kStart = ~0u;
  static std::uint32_t StateOf(std::uint32_t node, LockMode mode) {
    return node * 2 + static_cast<std::uint32_t>(mode);
  }

  bool Blocks(const ClassNode& node, LockMode waiter, LockMode holder, Pass pass) const;
  // Whether a thread other than that of `closing` did it without a common lock.
  bool HasFreeSample(const OrderEdge& edge, LockMode from_mode, LockMode to_mode,
                     const Acquisition& closing) const;
  void SearchFrom(const Acquisition& closing, Pass pass, std::vector<LockCycle>* found,
                  std::uint32_t index);
  void Expand(std::uint32_t state, const Acquisition& closing, Pass pass);
  std::vector<PathEdge> PathTo(std::uint32_t state) const;
  LockCycle Judge(std::uint32_t index, std::uint32_t held, const std::vector<PathEdge>& path,
                  Pass pass) const;
  enum class Rule : std::uint8_t { kThreadsAndGates, kThreads, kNone };
  // Picks a sample for each edge of the path such that no two of them break the rule.
  bool Assign(const std::vector<PathEdge>& path, Rule rule, std::vector<OrderEdge::Sample>* chosen,
              bool* undecided) const;
  bool MayFollow(const std::vector<OrderEdge::Sample>& chosen, OrderEdge::Sample next,
                 bool wildcard, const std::vector<bool>& wildcards, Rule rule) const;

  const OrderGraph& graph_;
  // Scratch space of one search, kept for the next: valid where the stamp is the current one.
  std::uint64_t stamp_ = 0;
  std::vector<std::uint64_t> reached_;  // by state
  std::vector<Step> steps_;             // by state
  std::vector<std::uint32_t> queue_;
  std::vector<bool> done_;  // by index in held: a cycle was found already
};

}  // namespace locking

#endif  // LOCKING_WITNESS_CYCLE_SEARCH_H_
