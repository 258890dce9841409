#include "locking/witness/cycle_search.h"

#include <algorithm>

namespace locking {
namespace {

// Attempts at an assignment before it counts as possible: a verdict may be too strong, never too
// weak.
constexpr int kMaxAssignmentSteps = 20000;

constexpr LockMode kModes[] = {LockMode::kExclusive, LockMode::kShared};

}  // namespace

std::string_view TierName(Tier tier) {
  switch (tier) {
    case Tier::kNoWriter:
      return "no-writer";
    case Tier::kSingleContext:
      return "single-context";
    case Tier::kGated:
      return "gated";
    case Tier::kProvable:
      return "provable";
  }
  return "unknown";
}

bool CycleSearch::Blocks(const ClassNode& node, LockMode waiter, LockMode holder, Pass pass) const {
  if (waiter == LockMode::kExclusive || holder == LockMode::kExclusive) return true;
  return !node.recursive_read && (node.writer_seen || pass == Pass::kAnyMode);
}

bool CycleSearch::HasFreeSample(const OrderEdge& edge, LockMode from_mode, LockMode to_mode,
                                const Acquisition& closing) const {
  if ((edge.overflow_modes & ModesBit(from_mode, to_mode)) != 0) return true;
  return std::any_of(edge.samples.begin(), edge.samples.end(), [&](OrderEdge::Sample s) {
    const Acquisition& a = graph_.acquisition(s.acquisition);
    return a.held[s.held].mode == from_mode && a.taken.mode == to_mode &&
           a.thread != closing.thread && graph_.MayOverlap(a, closing);
  });
}

std::vector<LockCycle> CycleSearch::Find(std::uint32_t index) {
  const Acquisition& closing = graph_.acquisition(index);
  std::vector<LockCycle> found;
  if (graph_.node(closing.taken.node).out.empty()) return found;
  const std::size_t vertices = std::size_t{graph_.node_count()} * 2;
  reached_.resize(vertices, 0);
  steps_.resize(vertices);
  done_.assign(closing.held.size(), false);
  // The last pass looks at most edges: where it finds nothing, none does.
  std::vector<LockCycle> any;
  SearchFrom(closing, Pass::kAnyMode, &any, index);
  if (any.empty()) return found;
  done_.assign(closing.held.size(), false);
  for (Pass pass : {Pass::kProvable, Pass::kAnySample, Pass::kAnyMode})
    SearchFrom(closing, pass, &found, index);
  return found;
}

void CycleSearch::SearchFrom(const Acquisition& closing, Pass pass, std::vector<LockCycle>* found,
                             std::uint32_t index) {
  ++stamp_;
  queue_.clear();
  const std::uint32_t start = StateOf(closing.taken.node, closing.taken.mode);
  reached_[start] = stamp_;
  steps_[start].previous = kStart;
  queue_.push_back(start);
  for (std::size_t next = 0; next < queue_.size(); ++next) {
    const std::uint32_t state = queue_[next];
    const std::uint32_t node = state / 2;
    const auto waiter = static_cast<LockMode>(state % 2);
    bool ends = false;
    for (std::uint32_t i = 0; i < closing.held.size(); ++i) {
      const TakenLock& held = closing.held[i];
      if (held.node != node || node == closing.taken.node ||
          !Blocks(graph_.node(node), waiter, held.mode, pass))
        continue;
      ends = ends || held.mode == LockMode::kExclusive;
      if (done_[i]) continue;
      done_[i] = true;
      found->push_back(Judge(index, i, PathTo(state), pass));
    }
    if (!ends) Expand(state, closing, pass);
  }
}

void CycleSearch::Expand(std::uint32_t state, const Acquisition& closing, Pass pass) {
  const ClassNode& node = graph_.node(state / 2);
  const auto waiter = static_cast<LockMode>(state % 2);
  for (std::uint32_t e : node.out) {
    const OrderEdge& edge = graph_.edge(e);
    if (edge.to == closing.taken.node) continue;
    for (LockMode from_mode : kModes) {
      if (!Blocks(node, waiter, from_mode, pass)) continue;
      for (LockMode to_mode : kModes) {
        const std::uint32_t to = StateOf(edge.to, to_mode);
        if (reached_[to] == stamp_ || (edge.modes & ModesBit(from_mode, to_mode)) == 0) continue;
        if (pass == Pass::kProvable && !HasFreeSample(edge, from_mode, to_mode, closing)) continue;
        reached_[to] = stamp_;
        steps_[to] = {e, state, from_mode};
        queue_.push_back(to);
      }
    }
  }
}

std::vector<CycleSearch::PathEdge> CycleSearch::PathTo(std::uint32_t state) const {
  std::vector<PathEdge> path;
  for (; steps_[state].previous != kStart; state = steps_[state].previous)
    path.push_back({steps_[state].edge, steps_[state].from_mode, static_cast<LockMode>(state % 2)});
  std::reverse(path.begin(), path.end());
  return path;
}

LockCycle CycleSearch::Judge(std::uint32_t index, std::uint32_t held,
                             const std::vector<PathEdge>& path, Pass pass) const {
  LockCycle cycle{Tier::kSingleContext, {{index, held}}};
  bool undecided = false;
  if (Assign(path, Rule::kThreadsAndGates, &cycle.edges, &undecided) || undecided)
    cycle.tier = Tier::kProvable;
  else if (Assign(path, Rule::kThreads, &cycle.edges, &undecided))
    cycle.tier = Tier::kGated;
  if (cycle.edges.size() <= path.size()) Assign(path, Rule::kNone, &cycle.edges, &undecided);
  if (pass == Pass::kAnyMode) cycle.tier = Tier::kNoWriter;
  return cycle;
}

bool CycleSearch::MayFollow(const std::vector<OrderEdge::Sample>& chosen, OrderEdge::Sample next,
                            bool wildcard, const std::vector<bool>& wildcards, Rule rule) const {
  if (rule == Rule::kNone || wildcard) return true;
  const Acquisition& a = graph_.acquisition(next.acquisition);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (wildcards[i]) continue;
    const Acquisition& b = graph_.acquisition(chosen[i].acquisition);
    if (a.thread == b.thread) return false;
    if (rule == Rule::kThreadsAndGates && !graph_.MayOverlap(a, b)) return false;
  }
  return true;
}

bool CycleSearch::Assign(const std::vector<PathEdge>& path, Rule rule,
                         std::vector<OrderEdge::Sample>* chosen, bool* undecided) const {
  chosen->resize(1);
  std::vector<bool> wildcards{false};
  std::vector<std::size_t> next{0};  // candidate to try at each edge of the path
  for (int steps = 0; chosen->size() <= path.size(); ++steps) {
    if (steps == kMaxAssignmentSteps) {
      *undecided = true;
      chosen->resize(1);
      return false;
    }
    const PathEdge& at = path[chosen->size() - 1];
    const OrderEdge& edge = graph_.edge(at.edge);
    const bool overflow = (edge.overflow_modes & ModesBit(at.from_mode, at.to_mode)) != 0;
    bool placed = false;
    while (!placed && next.back() < edge.samples.size() + (overflow ? 1 : 0)) {
      const std::size_t candidate = next.back()++;
      const bool wildcard = candidate == edge.samples.size();
      const OrderEdge::Sample sample = edge.samples[wildcard ? 0 : candidate];
      const Acquisition& a = graph_.acquisition(sample.acquisition);
      const bool modes_fit = a.held[sample.held].mode == at.from_mode && a.taken.mode == at.to_mode;
      if (!wildcard && !modes_fit) continue;
      if (!MayFollow(*chosen, sample, wildcard, wildcards, rule)) continue;
      chosen->push_back(sample);
      wildcards.push_back(wildcard);
      next.push_back(0);
      placed = true;
    }
    if (placed) continue;
    next.pop_back();
    if (next.empty()) return false;
    chosen->pop_back();
    wildcards.pop_back();
  }
  return true;
}

}  // namespace locking
