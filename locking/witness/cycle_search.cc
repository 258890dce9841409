#include "locking/witness/cycle_search.h"

#include <algorithm>

#include "locking/witness/cycle_walk.h"

namespace locking {
namespace {

struct Level {
  Tier tier;
  CycleRules rules;
};

// Each gives up one rule more. Which locks they are is asked again behind `class-only`: where a
// cycle is real but for a gate, that is what is to be said of it.
constexpr Level kLevels[] = {
    {Tier::kProvable, {}},
    {Tier::kClassOnly, {.instances = false}},
    {Tier::kGated, {.gates = false}},
    {Tier::kGated, {.instances = false, .gates = false}},
    {Tier::kOrdered, {.gates = false, .order = false}},
    {Tier::kOrdered, {.instances = false, .gates = false, .order = false}},
    {Tier::kOtherSignaller, {.gates = false, .order = false, .signallers = false}},
    {Tier::kOtherSignaller,
     {.instances = false, .gates = false, .order = false, .signallers = false}},
    {Tier::kSingleContext, {.gates = false, .order = false, .signallers = false, .threads = false}},
    {Tier::kSingleContext,
     {.instances = false, .gates = false, .order = false, .signallers = false, .threads = false}},
    {Tier::kNoWriter,
     {.instances = false,
      .gates = false,
      .order = false,
      .signallers = false,
      .threads = false,
      .writers = false}},
};

}  // namespace

std::string_view TierName(Tier tier) {
  switch (tier) {
    case Tier::kNoWriter:
      return "no-writer";
    case Tier::kSingleContext:
      return "single-context";
    case Tier::kOtherSignaller:
      return "other-signaller";
    case Tier::kOrdered:
      return "ordered";
    case Tier::kGated:
      return "gated";
    case Tier::kClassOnly:
      return "class-only";
    case Tier::kProvable:
      return "provable";
  }
  return "unknown";
}

std::vector<LockCycle> CycleSearch::Find(std::uint32_t index) {
  const Acquisition& closing = graph_.acquisition(index);
  std::vector<LockCycle> found;
  if (!Reach(closing)) return found;
  for (std::uint32_t i = 0; i < closing.held.size(); ++i) {
    if (reached_[closing.held[i].node] != stamp_) continue;
    MeasureTo(closing.held[i]);
    std::optional<LockCycle> cycle = Judge(index, i);
    if (!cycle.has_value()) continue;
    const auto weaker = [&](const LockCycle& other) { return other.tier < cycle->tier; };
    const auto place = std::find_if(found.begin(), found.end(), weaker);
    found.insert(place, std::move(*cycle));
  }
  return found;
}

bool CycleSearch::Reach(const Acquisition& closing) {
  const std::uint32_t start = closing.taken.node;
  if (graph_.node(start).out.empty()) return false;
  reached_.resize(graph_.node_count(), 0);
  ++stamp_;
  queue_.assign(1, start);
  for (std::size_t i = 0; i < queue_.size(); ++i)
    for (const std::uint32_t e : graph_.node(queue_[i]).out) {
      const std::uint32_t to = graph_.edge(e).to;
      if (reached_[to] == stamp_) continue;
      reached_[to] = stamp_;
      queue_.push_back(to);
    }
  return std::any_of(closing.held.begin(), closing.held.end(),
                     [&](const TakenLock& held) { return reached_[held.node] == stamp_; });
}

void CycleSearch::MeasureTo(const TakenLock& held) {
  distance_.assign(graph_.node_count(), CycleWalk::kFar);
  distance_[held.node] = 0;
  queue_.assign(1, held.node);
  for (std::size_t i = 0; i < queue_.size(); ++i)
    for (const std::uint32_t e : graph_.node(queue_[i]).in) {
      const std::uint32_t from = graph_.edge(e).from;
      if (distance_[from] != CycleWalk::kFar) continue;
      distance_[from] = distance_[queue_[i]] + 1;
      queue_.push_back(from);
    }
}

std::optional<LockCycle> CycleSearch::Judge(std::uint32_t index, std::uint32_t held) const {
  std::optional<Tier> undecided;
  for (const Level& level : kLevels) {
    CycleWalk walk(graph_, level.rules, index, held, distance_);
    const CycleWalk::End end = walk.Run();
    if (end == CycleWalk::End::kGaveUp && !undecided.has_value()) undecided = level.tier;
    if (end != CycleWalk::End::kFound) continue;
    LockCycle cycle{undecided.value_or(level.tier), walk.edges(), {}};
    for (const OrderEdge::Sample& writer : walk.writers())
      cycle.writers.push_back(writer.acquisition);
    return cycle;
  }
  return std::nullopt;
}

}  // namespace locking
