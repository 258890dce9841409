// Finds the cycles of the order graph that an acquisition closes, and says of each how far it is
// from a deadlock (its tier).
//
// A cycle is a deadlock when some schedule makes each of its threads wait for the next one. So the
// search walks over (class, mode it is waited for in): it goes on through an edge only if the mode
// in which the edge's thread holds the class blocks such a waiter.
//
//   shared waiter, shared holder: blocks only if a writer waits between them, which takes a class
//   that is not recursive-read and one more thread, as free as the others; if nobody ever waited to
//   write, the tier is no-writer
//
// Of all cycles through one acquisition those are found that have no shorter one inside: the walk
// does not go on behind a class that the acquisition itself holds exclusively.
//
// Thread safety: none; guarded by the mutex of LockOrderWitness.
#ifndef LOCKING_WITNESS_CYCLE_SEARCH_H_
#define LOCKING_WITNESS_CYCLE_SEARCH_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "locking/witness/order_graph.h"

namespace locking {

// From the weakest to the strongest.
enum class Tier : std::uint8_t {
  kNoWriter,
  kSingleContext,
  kOtherSignaller,
  kOrdered,
  kGated,
  kProvable
};
std::string_view TierName(Tier tier);

struct LockCycle {
  Tier tier;
  // One sample an edge, in order; the first is the acquisition that closed the cycle. Edge i leads
  // from the class that its sample held to the class that the sample of edge i + 1 held.
  std::vector<OrderEdge::Sample> edges;
  // Acquisitions that wait to write where one of the cycle's readers waits for another.
  std::vector<std::uint32_t> writers;
};

class CycleSearch {
 public:
  explicit CycleSearch(const OrderGraph& graph) : graph_(graph) {}

  // The cycles that acquisition `index` closes now, provable ones first.
  std::vector<LockCycle> Find(std::uint32_t index);

 private:
  enum class Pass : std::uint8_t { kProvable, kAnySample, kAnyMode };
  struct Step {  // the end of a path from the closing acquisition
    std::uint32_t state;
    std::uint32_t edge;      // the last of the path
    std::uint32_t previous;  // step
    LockMode from_mode;      // in which the last edge's thread holds
  };
  // What a cycle needs besides its closing acquisition: one for each edge of the path, and a writer
  // wherever a reader waits for a reader.
  struct Need {
    enum class What : std::uint8_t { kEdge, kWriter } what;
    std::uint32_t index;  // of the edge, or of the writer's class
    LockMode from_mode;
    LockMode to_mode;
  };
  struct Choice {  // an acquisition for a need
    OrderEdge::Sample sample;
    bool wildcard;  // one that was not kept
  };
  static constexpr std::uint32_t kStart = ~0u;
  static std::uint32_t StateOf(std::uint32_t node, LockMode mode) {
    return node * 2 + static_cast<std::uint32_t>(mode);
  }

  bool Blocks(const ClassNode& node, LockMode waiter, LockMode holder, Pass pass) const;
  // Whether a thread other than that of acquisition `index` did it, with nothing to keep the two
  // apart.
  bool HasFreeSample(const OrderEdge& edge, LockMode from_mode, LockMode to_mode,
                     std::uint32_t index) const;
  void SearchFrom(const Acquisition& closing, Pass pass, std::uint32_t index);
  void Expand(std::uint32_t step, std::uint32_t index, Pass pass);
  // Whether the path to `step` goes on to that state.
  bool GoesOn(std::uint32_t step, std::uint32_t state, Pass pass) const;
  std::vector<Need> NeedsOf(std::uint32_t step, LockMode closing_mode, Pass pass) const;
  LockCycle Judge(std::uint32_t index, std::uint32_t held, const std::vector<Need>& needs,
                  Pass pass) const;
  enum class Rule : std::uint8_t { kFree, kUnordered, kThreads, kAnySignaller, kNone };
  // Picks an acquisition for each need such that no two of them break the rule. `chosen` begins
  // with the closing one.
  bool Assign(const std::vector<Need>& needs, Rule rule, std::vector<Choice>* chosen,
              bool* undecided) const;
  // The candidate of that number; false: it is not one.
  bool Candidate(const Need& need, std::size_t number, Choice* choice) const;
  std::size_t Candidates(const Need& need) const;
  // Whether nobody outside of the circle is left who could end one of its waits: of several who
  // can, each is seen to wait for the same thing.
  bool NobodyElseEndsIt(const std::vector<Choice>& chosen) const;
  bool MayFollow(const std::vector<Choice>& chosen, const Choice& next, Rule rule) const;

  const OrderGraph& graph_;
  // Scratch space of one search, kept for the next: valid where the stamp is the current one.
  std::uint64_t stamp_ = 0;
  std::vector<std::uint64_t> reached_;  // by state
  std::vector<Step> steps_;             // in order of length, the next to look at behind the last
  std::vector<std::optional<LockCycle>> best_;  // by index in held: of all passes
};

}  // namespace locking

#endif  // LOCKING_WITNESS_CYCLE_SEARCH_H_
