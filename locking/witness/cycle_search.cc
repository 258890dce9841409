#include "locking/witness/cycle_search.h"

#include <algorithm>

namespace locking {
namespace {

// Attempts at an assignment before it counts as possible: a verdict may be too strong, never too
// weak.
constexpr int kMaxAssignmentSteps = 20000;

// Paths that are looked at for a provable cycle; then only those that are first to reach a state.
constexpr std::size_t kMaxPaths = 20000;

constexpr LockMode kModes[] = {LockMode::kExclusive, LockMode::kShared};

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
    case Tier::kProvable:
      return "provable";
  }
  return "unknown";
}

bool CycleSearch::Blocks(const ClassNode& node, LockMode waiter, LockMode holder, Pass pass) const {
  if (waiter == LockMode::kExclusive || holder == LockMode::kExclusive) return true;
  return !node.recursive_read && (!node.writers.empty() || pass == Pass::kAnyMode);
}

bool CycleSearch::HasFreeSample(const OrderEdge& edge, LockMode from_mode, LockMode to_mode,
                                std::uint32_t index) const {
  const Acquisition& closing = graph_.acquisition(index);
  const OrderEdge::Sample own{index, 0};
  if ((edge.overflow_modes & ModesBit(from_mode, to_mode)) != 0) return true;
  return std::any_of(edge.samples.begin(), edge.samples.end(), [&](const OrderEdge::Sample& s) {
    const Acquisition& a = graph_.acquisition(s.acquisition);
    return a.held[s.held].mode == from_mode && a.taken.mode == to_mode &&
           !graph_.OneThread(s, own) && !graph_.Ordered(s, own) && !graph_.Excluded(a, closing);
  });
}

std::vector<LockCycle> CycleSearch::Find(std::uint32_t index) {
  const Acquisition& closing = graph_.acquisition(index);
  std::vector<LockCycle> found;
  if (graph_.node(closing.taken.node).out.empty()) return found;
  reached_.resize(std::size_t{graph_.node_count()} * 2, 0);
  best_.assign(closing.held.size(), std::nullopt);
  // The last pass looks at most edges: where it finds nothing, none does.
  SearchFrom(closing, Pass::kAnyMode, index);
  const auto has_cycle = [](const std::optional<LockCycle>& cycle) { return cycle.has_value(); };
  if (std::none_of(best_.begin(), best_.end(), has_cycle)) return found;
  for (Pass pass : {Pass::kProvable, Pass::kAnySample}) SearchFrom(closing, pass, index);
  for (Tier tier : {Tier::kProvable, Tier::kGated, Tier::kOrdered, Tier::kOtherSignaller,
                    Tier::kSingleContext, Tier::kNoWriter})
    for (std::optional<LockCycle>& cycle : best_)
      if (cycle.has_value() && cycle->tier == tier) found.push_back(std::move(*cycle));
  return found;
}

void CycleSearch::SearchFrom(const Acquisition& closing, Pass pass, std::uint32_t index) {
  ++stamp_;
  const std::uint32_t start = StateOf(closing.taken.node, closing.taken.mode);
  reached_[start] = stamp_;
  steps_.assign(1, {start, 0, kStart, LockMode::kExclusive});
  for (std::uint32_t step = 0; step < steps_.size(); ++step) {
    const std::uint32_t state = steps_[step].state;
    const std::uint32_t node = state / 2;
    const auto waiter = static_cast<LockMode>(state % 2);
    bool ends = false;
    for (std::uint32_t i = 0; i < closing.held.size(); ++i) {
      const TakenLock& held = closing.held[i];
      if (held.node != node || node == closing.taken.node ||
          !Blocks(graph_.node(node), waiter, held.mode, pass))
        continue;
      ends = ends || held.mode == LockMode::kExclusive;
      std::optional<LockCycle>& best = best_[i];
      if (best.has_value() && best->tier == Tier::kProvable) continue;
      LockCycle cycle = Judge(index, i, NeedsOf(step, held.mode, pass), pass);
      if (!best.has_value() || best->tier < cycle.tier) best = std::move(cycle);
    }
    if (!ends) Expand(step, index, pass);
  }
}

bool CycleSearch::GoesOn(std::uint32_t step, std::uint32_t state, Pass pass) const {
  if (reached_[state] != stamp_) return true;
  if (pass != Pass::kProvable || steps_.size() >= kMaxPaths) return false;
  for (; step != kStart; step = steps_[step].previous)
    if (steps_[step].state / 2 == state / 2) return false;
  return true;
}

void CycleSearch::Expand(std::uint32_t step, std::uint32_t index, Pass pass) {
  const Acquisition& closing = graph_.acquisition(index);
  const std::uint32_t state = steps_[step].state;
  const ClassNode& node = graph_.node(state / 2);
  const auto waiter = static_cast<LockMode>(state % 2);
  for (std::uint32_t e : node.out) {
    const OrderEdge& edge = graph_.edge(e);
    if (edge.to == closing.taken.node) continue;
    for (LockMode from_mode : kModes) {
      if (!Blocks(node, waiter, from_mode, pass)) continue;
      for (LockMode to_mode : kModes) {
        const std::uint32_t to = StateOf(edge.to, to_mode);
        if ((edge.modes & ModesBit(from_mode, to_mode)) == 0 || !GoesOn(step, to, pass)) continue;
        if (pass == Pass::kProvable && !HasFreeSample(edge, from_mode, to_mode, index)) continue;
        reached_[to] = stamp_;
        steps_.push_back({to, e, step, from_mode});
      }
    }
  }
}

std::vector<CycleSearch::Need> CycleSearch::NeedsOf(std::uint32_t step, LockMode closing_mode,
                                                    Pass pass) const {
  std::vector<Need> needs;
  LockMode holder = closing_mode;  // of the class that the step leads to
  for (;; step = steps_[step].previous) {
    const std::uint32_t state = steps_[step].state;
    const auto waiter = static_cast<LockMode>(state % 2);
    const bool readers = waiter == LockMode::kShared && holder == LockMode::kShared;
    if (readers && pass != Pass::kAnyMode)
      needs.push_back({Need::What::kWriter, state / 2, LockMode::kExclusive, LockMode::kExclusive});
    if (steps_[step].previous == kStart) break;
    holder = steps_[step].from_mode;
    needs.push_back({Need::What::kEdge, steps_[step].edge, holder, waiter});
  }
  std::reverse(needs.begin(), needs.end());
  return needs;
}

LockCycle CycleSearch::Judge(std::uint32_t index, std::uint32_t held,
                             const std::vector<Need>& needs, Pass pass) const {
  LockCycle cycle{Tier::kSingleContext, {}, {}};
  std::vector<Choice> chosen{{{index, held}, false}};
  bool undecided = false;
  if (Assign(needs, Rule::kFree, &chosen, &undecided) || undecided)
    cycle.tier = Tier::kProvable;
  else if (Assign(needs, Rule::kUnordered, &chosen, &undecided))
    cycle.tier = Tier::kGated;
  else if (Assign(needs, Rule::kThreads, &chosen, &undecided))
    cycle.tier = Tier::kOrdered;
  else if (Assign(needs, Rule::kAnySignaller, &chosen, &undecided))
    cycle.tier = Tier::kOtherSignaller;
  if (chosen.size() <= needs.size()) Assign(needs, Rule::kNone, &chosen, &undecided);
  if (pass == Pass::kAnyMode) cycle.tier = Tier::kNoWriter;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (i > 0 && needs[i - 1].what == Need::What::kWriter)
      cycle.writers.push_back(chosen[i].sample.acquisition);
    else
      cycle.edges.push_back(chosen[i].sample);
  }
  return cycle;
}

bool CycleSearch::NobodyElseEndsIt(const std::vector<Choice>& chosen) const {
  return std::all_of(chosen.begin(), chosen.end(), [&](const Choice& choice) {
    if (choice.wildcard || !graph_.HasOtherSignallers(choice.sample)) return true;
    std::vector<std::uint32_t> others;
    for (const Choice& other : chosen)
      if (&other != &choice) others.push_back(other.sample.acquisition);
    return graph_.WithAllSignallers(choice.sample, others);
  });
}

std::size_t CycleSearch::Candidates(const Need& need) const {
  if (need.what == Need::What::kWriter) {
    const ClassNode& node = graph_.node(need.index);
    return node.writers.size() + (node.more_writers ? 1 : 0);
  }
  const OrderEdge& edge = graph_.edge(need.index);
  const bool overflow = (edge.overflow_modes & ModesBit(need.from_mode, need.to_mode)) != 0;
  return edge.samples.size() + (overflow ? 1 : 0);
}

bool CycleSearch::Candidate(const Need& need, std::size_t number, Choice* choice) const {
  if (need.what == Need::What::kWriter) {
    const std::vector<OrderEdge::Sample>& writers = graph_.node(need.index).writers;
    const bool wildcard = number == writers.size();
    *choice = {writers[wildcard ? 0 : number], wildcard};
    return true;
  }
  const OrderEdge& edge = graph_.edge(need.index);
  const bool wildcard = number == edge.samples.size();
  *choice = {edge.samples[wildcard ? 0 : number], wildcard};
  const Acquisition& a = graph_.acquisition(choice->sample.acquisition);
  return wildcard ||
         (a.held[choice->sample.held].mode == need.from_mode && a.taken.mode == need.to_mode);
}

bool CycleSearch::MayFollow(const std::vector<Choice>& chosen, const Choice& next,
                            Rule rule) const {
  if (rule == Rule::kNone || next.wildcard) return true;
  const Acquisition& a = graph_.acquisition(next.sample.acquisition);
  return std::all_of(chosen.begin(), chosen.end(), [&](const Choice& former) {
    const Acquisition& b = graph_.acquisition(former.sample.acquisition);
    if (former.wildcard) return true;
    return !graph_.OneThread(next.sample, former.sample) &&
           (rule >= Rule::kThreads || !graph_.Ordered(next.sample, former.sample)) &&
           (rule != Rule::kFree || !graph_.Excluded(a, b));
  });
}

bool CycleSearch::Assign(const std::vector<Need>& needs, Rule rule, std::vector<Choice>* chosen,
                         bool* undecided) const {
  chosen->resize(1);
  std::vector<std::size_t> next{0};  // candidate to try for each need
  for (int steps = 0; chosen->size() <= needs.size(); ++steps) {
    if (steps == kMaxAssignmentSteps) {
      *undecided = true;
      chosen->resize(1);
      return false;
    }
    const Need& need = needs[chosen->size() - 1];
    bool placed = false;
    while (!placed && next.back() < Candidates(need)) {
      Choice choice;
      if (!Candidate(need, next.back()++, &choice) || !MayFollow(*chosen, choice, rule)) continue;
      chosen->push_back(choice);
      if (chosen->size() > needs.size() && rule < Rule::kAnySignaller &&
          !NobodyElseEndsIt(*chosen)) {
        chosen->pop_back();
        continue;
      }
      next.push_back(0);
      placed = true;
    }
    if (placed) continue;
    next.pop_back();
    if (next.empty()) return false;
    chosen->pop_back();
  }
  return true;
}

}  // namespace locking
