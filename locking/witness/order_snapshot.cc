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
    const auto same_places = [&](const ObservedOrder& s) {
      return s.held.mode == sample.held.mode && s.taken.mode == sample.taken.mode &&
             s.held.site == sample.held.site && s.taken.site == sample.taken.site;
    };
    const auto same = [&](const ObservedOrder& s) {
      return s.run == sample.run && s.thread == sample.thread && same_places(s);
    };
    const auto& kept = edge->samples;
    const bool more = kept.size() < kMergedSamples;
    if (more ? std::none_of(kept.begin(), kept.end(), same)
             : std::none_of(kept.begin(), kept.end(), same_places))
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

std::string ThreadOf(const ObservedOrder& order) {
  return order.thread + (order.run.empty() ? "" : " (" + order.run + ")");
}

void NameRun(const std::string& run, OrderSnapshot* snapshot) {
  for (ObservedEdge& edge : snapshot->edges)
    for (ObservedOrder& sample : edge.samples)
      sample.run = sample.run.empty() ? run : run + ": " + sample.run;
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
