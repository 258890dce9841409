// Finds the cycles of the order graph that an acquisition closes, and says of each how far it is
// from a deadlock (its tier).
//
// A cycle is a list of acquisitions, each by a thread that holds the lock which the one before
// waits for. It is a deadlock when some schedule brings all of them there at once, so the search
// walks over the acquisitions that were kept and demands of them, from the first rule to the last,
//
//   instances  what one waits for may be the very lock that the next holds
//   gates      no two of them hold a lock that excludes the other
//   order      none is over before another can begin
//   signallers nobody else could end one of the waits: of several who can, each is seen to wait for
//              the same
//   threads    each is of a thread of its own
//   writers    where a reader waits for a reader, somebody waits to write, free of all the others;
//              readers of a recursive-read class never wait for each other
//
// The tier is how many of the rules some cycle keeps.
//
// Of all cycles through one acquisition the shortest is found for each lock that it holds, and none
// that has a shorter one inside: the walk does not come to a lock twice, nor go on behind one that
// the acquisition itself holds exclusively.
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
  kClassOnly,
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
  // Which classes can be reached from the one that is taken. False: none that is held.
  bool Reach(const Acquisition& closing);
  // How far each of them is from the class of closing.held[held].
  void MeasureTo(const TakenLock& held);
  // The strongest cycle that ends there.
  std::optional<LockCycle> Judge(std::uint32_t index, std::uint32_t held) const;

  const OrderGraph& graph_;
  // Scratch space of one search, kept for the next: valid where the stamp is the current one.
  std::uint64_t stamp_ = 0;
  std::vector<std::uint64_t> reached_;   // by class
  std::vector<std::uint32_t> queue_;     // classes to look at
  std::vector<std::uint32_t> distance_;  // in edges, by class; CycleWalk::kFar: not that way
};

}  // namespace locking

#endif  // LOCKING_WITNESS_CYCLE_SEARCH_H_
