#include "locking/witness/order_snapshot.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace locking {
namespace {

bool Before(const ObservedEdge& a, const ObservedEdge& b) {
  return std::tie(a.from, a.to) < std::tie(b.from, b.to);
}

void MergeInto(ObservedEdge* edge, const ObservedEdge& other) {
  edge->count += other.count;
  edge->modes |= other.modes;
  for (const ObservedOrder& sample : other.samples) {
    if (edge->samples.size() == kMergedSamples) return;
    const auto same = [&](const ObservedOrder& s) {
      return s.thread == sample.thread && s.held.mode == sample.held.mode &&
             s.taken.mode == sample.taken.mode && s.held.site == sample.held.site &&
             s.taken.site == sample.taken.site;
    };
    if (std::none_of(edge->samples.begin(), edge->samples.end(), same))
      edge->samples.push_back(sample);
  }
}

}  // namespace

const ObservedEdge* OrderSnapshot::Find(const std::string& from, const std::string& to) const {
  ObservedEdge key;
  key.from = from;
  key.to = to;
  const auto it = std::lower_bound(edges.begin(), edges.end(), key, Before);
  return it != edges.end() && it->from == from && it->to == to ? &*it : nullptr;
}

void SortAndUnite(OrderSnapshot* snapshot) {
  std::map<std::pair<std::string, std::string>, ObservedEdge> united;
  for (ObservedEdge& edge : snapshot->edges) {
    const auto [it, added] = united.try_emplace({edge.from, edge.to});
    if (added)
      it->second = std::move(edge);
    else
      MergeInto(&it->second, edge);
  }
  snapshot->edges.clear();
  for (auto& [names, edge] : united) snapshot->edges.push_back(std::move(edge));
}

OrderSnapshot Merge(const OrderSnapshot& a, const OrderSnapshot& b) {
  OrderSnapshot merged;
  merged.dropped = a.dropped + b.dropped;
  merged.dropped_by_class = a.dropped_by_class;
  for (const auto& [name, dropped] : b.dropped_by_class) merged.dropped_by_class[name] += dropped;
  merged.edges = a.edges;
  merged.edges.insert(merged.edges.end(), b.edges.begin(), b.edges.end());
  SortAndUnite(&merged);
  return merged;
}

}  // namespace locking
