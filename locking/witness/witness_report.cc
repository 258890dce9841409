#include "locking/witness/witness_report.h"

#include <algorithm>

#include "locking/stack.h"

namespace locking {
namespace {

std::string NameOf(const OrderGraph& graph, const TakenLock& lock) {
  const std::string& name = graph.node(lock.node).name;
  return lock.instance == 0 || graph.IsEnd(lock.node) ? name
                                                      : name + " #" + std::to_string(lock.instance);
}

std::string LockText(const OrderGraph& graph, const TakenLock& lock) {
  std::string text = NameOf(graph, lock);
  if (graph.IsEnd(lock.node) || graph.IsInterrupt(lock)) return text;
  if (lock.attempt == Attempt::kPromise) return text;
  return text + (lock.mode == LockMode::kShared ? " (shared)" : " (exclusive)");
}

bool IsResource(const OrderGraph& graph, std::uint32_t node) {
  return graph.node(node).kind == LockKind::kResource;
}

bool IsLock(const OrderGraph& graph, std::uint32_t node) {
  return graph.node(node).kind < LockKind::kInterrupt;
}

std::string LockAndSite(const OrderGraph& graph, const TakenLock& lock) {
  return LockText(graph, lock) + " at " + FormatSite(lock.site);
}

// The first `count` of what was held, behind what an interrupted thread holds.
std::vector<std::string> HeldTexts(const OrderGraph& graph, const Acquisition& a,
                                   std::size_t count) {
  std::vector<std::string> texts;
  for (const TakenLock& lock : a.interrupted) texts.push_back(LockAndSite(graph, lock));
  for (std::size_t i = 0; i < count; ++i)
    if (!graph.IsEnd(a.held[i].node)) texts.push_back(LockAndSite(graph, a.held[i]));
  return texts;
}

// What the thread had done that others wait for.
std::string HeldText(const OrderGraph& graph, const TakenLock& lock) {
  if (lock.attempt == Attempt::kPromise)
    return "is to end the waits for " + LockAndSite(graph, lock);
  const char* what = IsResource(graph, lock.node) ? "held "
                     : graph.IsInterrupt(lock)    ? "was interrupted by "
                                                  : "took ";
  return what + LockAndSite(graph, lock);
}

ThreadEvidence HeldSide(const OrderGraph& graph, const Acquisition& a, std::uint32_t held) {
  const TakenLock& lock = a.held[held];
  ThreadEvidence evidence;
  evidence.thread = graph.thread_name(a.thread_name);
  evidence.what = HeldText(graph, lock);
  evidence.site = FormatSite(lock.site);
  evidence.held = HeldTexts(graph, a, held);
  evidence.stack = FormatStack(graph.stacks().Get(lock.stack));
  if (evidence.stack.empty())
    evidence.what += " (no stack was kept)";
  else if (FormatSite(lock.stack_site) != FormatSite(lock.site))
    evidence.what +=
        " (the stack is that of its first time, at " + FormatSite(lock.stack_site) + ")";
  return evidence;
}

std::string TakenText(const OrderGraph& graph, const TakenLock& lock) {
  if (graph.IsInterrupt(lock)) return "could then be interrupted by " + LockAndSite(graph, lock);
  if (!IsResource(graph, lock.node)) return "then took " + LockAndSite(graph, lock);
  return "then waited for " + NameOf(graph, lock) + " at " + FormatSite(lock.site);
}

ThreadEvidence TakenSide(const OrderGraph& graph, const Acquisition& a, std::uint32_t held) {
  ThreadEvidence evidence;
  evidence.thread = graph.thread_name(a.thread_name);
  const char* over = a.held[held].attempt == Attempt::kPromise ? " before it ended a wait for "
                     : graph.IsInterrupt(a.held[held])         ? " in the handler of "
                                                               : " while it held ";
  evidence.what = TakenText(graph, a.taken) + over + LockText(graph, a.held[held]);
  evidence.site = FormatSite(a.taken.site);
  evidence.held = HeldTexts(graph, a, a.held.size());
  evidence.stack = FormatStack(graph.stacks().Get(a.taken.stack));
  return evidence;
}

ThreadEvidence WriterSide(const OrderGraph& graph, std::uint32_t writer) {
  const Acquisition& a = graph.acquisition(writer);
  ThreadEvidence evidence;
  evidence.thread = graph.thread_name(a.thread_name);
  evidence.what = "took " + LockAndSite(graph, a.taken) + ": while it waits, a reader waits too";
  evidence.site = FormatSite(a.taken.site);
  evidence.held = HeldTexts(graph, a, a.held.size());
  evidence.stack = FormatStack(graph.stacks().Get(a.taken.stack));
  return evidence;
}

ObservedLock ObservedSide(const OrderGraph& graph, const TakenLock& lock, bool with_stack) {
  ObservedLock side{lock.instance, lock.mode, FormatSite(lock.site), {}};
  if (with_stack) side.stack = FormatStack(graph.stacks().Get(lock.stack));
  return side;
}

void AddSides(const OrderGraph& graph, const OrderEdge::Sample& sample, Finding* finding) {
  const Acquisition& a = graph.acquisition(sample.acquisition);
  if (!graph.IsEnd(a.held[sample.held].node))
    finding->threads.push_back(HeldSide(graph, a, sample.held));
  finding->threads.push_back(TakenSide(graph, a, sample.held));
}

// What kind of cycle it is.
const char* CycleId(const OrderGraph& graph, const LockCycle& cycle) {
  const auto reads = [&](const OrderEdge::Sample& sample) {
    const Acquisition& a = graph.acquisition(sample.acquisition);
    return a.taken.mode == LockMode::kShared || a.held[sample.held].mode == LockMode::kShared;
  };
  const auto in_class = [&](const OrderEdge::Sample& sample) {
    const Acquisition& a = graph.acquisition(sample.acquisition);
    return a.taken.node == a.held[sample.held].node;
  };
  const auto waits = [&](const OrderEdge::Sample& sample) {
    return IsResource(graph, graph.acquisition(sample.acquisition).taken.node);
  };
  const auto interrupts = [&](const OrderEdge::Sample& sample) { return graph.ByHandler(sample); };
  if (std::any_of(cycle.edges.begin(), cycle.edges.end(), interrupts)) return "LK06";
  if (std::any_of(cycle.edges.begin(), cycle.edges.end(), waits)) return "LK08";
  if (std::all_of(cycle.edges.begin(), cycle.edges.end(), in_class)) return "LK04";
  if (std::any_of(cycle.edges.begin(), cycle.edges.end(), reads)) return "LK07";
  return cycle.edges.size() == 2 ? "LK02" : "LK03";
}

}  // namespace

Finding CycleFinding(const OrderGraph& graph, const LockCycle& cycle) {
  Finding finding;
  finding.id = CycleId(graph, cycle);
  finding.tier = TierName(cycle.tier);
  std::vector<std::string> edges;
  std::string path;
  for (const OrderEdge::Sample& sample : cycle.edges) {
    const Acquisition& a = graph.acquisition(sample.acquisition);
    const std::string& from = graph.node(a.held[sample.held].node).name;
    path += from + " -> ";
    finding.classes.push_back(from);
    edges.push_back(from + " -> " + graph.node(a.taken.node).name + " at " +
                    FormatSite(a.taken.site));
    AddSides(graph, sample, &finding);
    finding.cycle.push_back({graph.node(a.held[sample.held].node).class_id,
                             graph.node(a.taken.node).class_id, a.taken.site});
  }
  for (std::uint32_t writer : cycle.writers) {
    const TakenLock& taken = graph.acquisition(writer).taken;
    finding.threads.push_back(WriterSide(graph, writer));
    finding.cycle.push_back({CycleWait::kNothing, graph.node(taken.node).class_id, taken.site});
  }
  const Acquisition& closing = graph.acquisition(cycle.edges[0].acquisition);
  path += graph.node(closing.held[cycle.edges[0].held].node).name;
  const char* kind = edges.size() == 2 ? "lock order reversal: " : "lock order cycle: ";
  finding.title = (finding.id == "LK06"   ? "interrupt inversion: "
                   : finding.id == "LK08" ? "wait-dependency cycle: "
                                          : kind) +
                  path;
  std::rotate(edges.begin(), std::min_element(edges.begin(), edges.end()), edges.end());
  finding.signature = finding.id + ":";
  for (const std::string& edge : edges) finding.signature += " " + edge + ";";
  return finding;
}

Finding PairFinding(const OrderGraph& graph, std::uint32_t index, std::uint32_t held,
                    const char* id, std::string tier, std::string title) {
  const Acquisition& a = graph.acquisition(index);
  Finding finding;
  finding.id = id;
  finding.tier = std::move(tier);
  finding.title = std::move(title);
  AddSides(graph, {index, held}, &finding);
  finding.signature = finding.id + ": " + graph.node(a.held[held].node).name + " -> " +
                      graph.node(a.taken.node).name + " at " + FormatSite(a.taken.site);
  return finding;
}

OrderSnapshot Observed(const OrderGraph& graph, const std::vector<std::uint64_t>& counts,
                       bool with_stacks) {
  std::vector<std::uint64_t> edge_counts(graph.edge_count(), 0);
  for (std::uint32_t i = 0; i < graph.acquisition_count(); ++i) {
    const Acquisition& a = graph.acquisition(i);
    for (const TakenLock& held : a.held)
      if (const std::uint32_t e = graph.FindEdge(held.node, a.taken.node); e != OrderGraph::kNoEdge)
        edge_counts[e] += counts[i];
  }
  OrderSnapshot snapshot;
  for (std::uint32_t e = 0; e < graph.edge_count(); ++e) {
    const OrderEdge& edge = graph.edge(e);
    if (!IsLock(graph, edge.from) || !IsLock(graph, edge.to)) continue;
    ObservedEdge observed{.from = graph.node(edge.from).name,
                          .to = graph.node(edge.to).name,
                          .count = edge_counts[e],
                          .modes = edge.modes,
                          .samples = {}};
    for (const OrderEdge::Sample& sample : edge.samples) {
      const Acquisition& a = graph.acquisition(sample.acquisition);
      const bool stacks = with_stacks && observed.samples.empty();
      observed.samples.push_back({graph.thread_name(a.thread_name),
                                  ObservedSide(graph, a.held[sample.held], stacks),
                                  ObservedSide(graph, a.taken, stacks)});
    }
    snapshot.edges.push_back(std::move(observed));
  }
  for (std::uint32_t n = 0; n < graph.node_count(); ++n)
    if (const ClassNode& node = graph.node(n); node.dropped != 0)
      snapshot.dropped_by_class[node.name] += node.dropped;
  SortAndUnite(&snapshot);
  return snapshot;
}

}  // namespace locking
