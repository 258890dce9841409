// The witness's findings as reports: each shows both sides, with both stacks. And its graph as
// data.
//
// Thread safety: none; called under the mutex of LockOrderWitness.
#ifndef LOCKING_WITNESS_WITNESS_REPORT_H_
#define LOCKING_WITNESS_WITNESS_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "locking/finding.h"
#include "locking/witness/cycle_search.h"
#include "locking/witness/order_graph.h"
#include "locking/witness/order_snapshot.h"

namespace locking {

// LK08 if a resource is part of it, else LK02 for two classes and LK03 for more: for each edge of
// the cycle where its thread took the first lock, and where it then took the second.
Finding CycleFinding(const OrderGraph& graph, const LockCycle& cycle);
// LK04, LK05: `index` took its lock while it held the one at `held`; `title` says what is wrong.
Finding PairFinding(const OrderGraph& graph, std::uint32_t index, std::uint32_t held,
                    const char* id, std::string tier, std::string title);
// The edges between locks as plain data, without those of resources. `counts`: how often each
// acquisition was made.
OrderSnapshot Observed(const OrderGraph& graph, const std::vector<std::uint64_t>& counts,
                       bool with_stacks);

}  // namespace locking

#endif  // LOCKING_WITNESS_WITNESS_REPORT_H_
