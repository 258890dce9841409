// One walk of CycleSearch: over acquisitions that keep the rules, back to a lock that the closing
// one holds.
//
// Thread safety: none; guarded by the mutex of LockOrderWitness.
#ifndef LOCKING_WITNESS_CYCLE_WALK_H_
#define LOCKING_WITNESS_CYCLE_WALK_H_

#include <cstdint>
#include <vector>

#include "locking/witness/order_graph.h"

namespace locking {

// What is demanded of a cycle; see cycle_search.h.
struct CycleRules {
  bool instances = true;
  bool gates = true;
  bool order = true;
  bool signallers = true;
  bool threads = true;
  bool writers = true;
};

class CycleWalk {
 public:
  static constexpr std::uint32_t kFar = ~0u;
  enum class End : std::uint8_t { kFound, kNone, kGaveUp };

  // Back to acquisition(closing).held[held]; `distance`: of each class from that one, in edges.
  CycleWalk(const OrderGraph& graph, const CycleRules& rules, std::uint32_t closing,
            std::uint32_t held, const std::vector<std::uint32_t>& distance);

  // The shortest; kGaveUp: there may be one.
  End Run();
  // Of the cycle found: its edges, from the closing one on, and its writers.
  const std::vector<OrderEdge::Sample>& edges() const { return edges_; }
  const std::vector<OrderEdge::Sample>& writers() const { return writers_; }

 private:
  // Choices not yet made at one place of the walk.
  struct Place {
    std::uint32_t edge = 0;
    std::uint32_t sample = 0;
    std::uint32_t writer = 0;
    bool stepped = false;  // the next edge is chosen
    bool wrote = false;    // and a writer before it
  };
  enum class Wait : std::uint8_t { kNever, kAlways, kBehindWriter };

  const Acquisition& Of(const OrderEdge::Sample& sample) const {
    return graph_.acquisition(sample.acquisition);
  }
  const TakenLock& Held(const OrderEdge::Sample& sample) const {
    return Of(sample).held[sample.held];
  }
  const TakenLock& Wanted() const { return Of(edges_.back()).taken; }

  End RunWithin(std::size_t limit, bool* cut);
  // The next choice at the newest place; false: none is left.
  bool Step(std::size_t limit, bool* cut);
  void StepBack(Place* place);
  bool TryEdge(const OrderEdge& edge, Place* place);
  // Whether the last edge leads to the end, with the writer that it may take.
  bool Closes();
  bool NobodyElseEndsIt() const;
  bool MayEnter(const OrderEdge::Sample& sample) const;
  Wait WaitOf(const TakenLock& wanted, const TakenLock& held) const;
  // Whether the rules allow it beside all that was chosen.
  bool Fits(const OrderEdge::Sample& sample) const;
  bool FitBoth(const OrderEdge::Sample& a, const OrderEdge::Sample& b) const;
  // Chooses writer number *next or a later one; false: none fits.
  bool ChooseWriter(const TakenLock& lock, std::uint32_t* next);

  const OrderGraph& graph_;
  const CycleRules rules_;
  const TakenLock& target_;
  const std::vector<std::uint32_t>& distance_;
  std::vector<OrderEdge::Sample> edges_;
  std::vector<OrderEdge::Sample> writers_;
  std::vector<Place> places_;
  int steps_ = 0;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_CYCLE_WALK_H_
