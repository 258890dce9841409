#include "locking/witness/order_output.h"

#include <algorithm>

#include "locking/witness/order_graph.h"

namespace locking {
namespace {

using Json = nlohmann::ordered_json;

const char* ModeName(LockMode mode) { return mode == LockMode::kShared ? "shared" : "exclusive"; }

const char* ApprovalName(Approval approval) {
  switch (approval) {
    case Approval::kByOrder:
      return "order";
    case Approval::kByException:
      return "exception";
    case Approval::kUndeclared:
      return "undeclared";
    case Approval::kContrary:
      return "contrary";
  }
  return "unknown";
}

std::string Side(const std::string& what, const std::string& name, const ObservedLock& lock) {
  std::string text = "    " + what + " " + name;
  if (lock.instance != 0) text += " #" + std::to_string(lock.instance);
  text += " (" + std::string(ModeName(lock.mode)) + ") at " + lock.site + "\n";
  for (const std::string& frame : lock.stack) text += "      " + frame + "\n";
  return text;
}

std::string Indented(const std::string& text, const std::string& indent) {
  std::string result = indent;
  for (char c : text) {
    result += c;
    if (c == '\n') result += indent;
  }
  return result + "\n";
}

std::string CycleText(const OrderCycle& cycle) {
  std::string text;
  for (const std::string& name : cycle.classes) text += name + " -> ";
  return text + cycle.classes[0];
}

std::string UnapprovedText(const JudgedEdge& judged, const OrderBook& book) {
  const ObservedEdge& edge = judged.edge;
  std::string text = "unapproved: " + edge.from + " -> " + edge.to + " (" +
                     std::to_string(edge.count) + " times): " + judged.why + "\n";
  if (!edge.samples.empty()) {
    const ObservedOrder& first = edge.samples[0];
    text += "  " + ThreadOf(first) + "\n" + Side("took", edge.from, first.held) +
            Side("then took", edge.to, first.taken);
  }
  const char* where = judged.to_add.starts_with("[[") ? " to " : " to `order` in ";
  return text + "  if it is meant, add" + where + book.file() + "\n" +
         Indented(judged.to_add, "    ");
}

std::string Escaped(const std::string& name) {
  std::string text = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

Json LockJson(const ObservedLock& lock) {
  return {{"instance", lock.instance},
          {"mode", ModeName(lock.mode)},
          {"site", lock.site},
          {"stack", lock.stack}};
}

Json SamplesJson(const ObservedEdge& edge) {
  Json samples = Json::array();
  for (const ObservedOrder& sample : edge.samples)
    samples.push_back({{"run", sample.run},
                       {"thread", sample.thread},
                       {"held", LockJson(sample.held)},
                       {"taken", LockJson(sample.taken)}});
  return samples;
}

Json EdgeJson(const JudgedEdge& judged) {
  const ObservedEdge& edge = judged.edge;
  Json json = {{"from", edge.from},
               {"to", edge.to},
               {"count", edge.count},
               {"approved", judged.approved()},
               {"site", edge.samples.empty() ? "" : edge.samples[0].taken.site},
               {"approval", ApprovalName(judged.approval)},
               {"modes", Json::array()}};
  for (LockMode from : {LockMode::kExclusive, LockMode::kShared})
    for (LockMode to : {LockMode::kExclusive, LockMode::kShared})
      if ((edge.modes & ModesBit(from, to)) != 0)
        json["modes"].push_back({ModeName(from), ModeName(to)});
  json["samples"] = SamplesJson(edge);
  return json;
}

Json UnapprovedJson(const JudgedEdge& judged) {
  return {{"from", judged.edge.from},
          {"to", judged.edge.to},
          {"why", judged.why},
          {"to_add", judged.to_add},
          {"samples", SamplesJson(judged.edge)}};
}

}  // namespace

std::string OrderText(const OrderVerdict& verdict, const OrderBook& book) {
  const auto unapproved = std::count_if(verdict.edges.begin(), verdict.edges.end(),
                                        [](const JudgedEdge& edge) { return !edge.approved(); });
  std::string text;
  for (const JudgedEdge& judged : verdict.edges)
    if (!judged.approved()) text += UnapprovedText(judged, book) + "\n";
  for (const OrderCycle& cycle : verdict.cycles)
    text += (cycle.approved ? "cycle (by exception): " : "cycle: ") + CycleText(cycle) + " (" +
            cycle.tier + ")\n";
  for (const JudgedEdge& judged : verdict.edges)
    if (judged.approved())
      text += "approved: " + judged.edge.from + " -> " + judged.edge.to + " (" +
              std::to_string(judged.edge.count) + " times): " + judged.why + "\n";
  for (const ClassPair& pair : verdict.unexercised)
    text += "not exercised: " + pair.first + " -> " + pair.second + "\n";
  for (const std::string& note : verdict.notes) text += "note: " + note + "\n";
  for (const auto& [name, dropped] : verdict.dropped_by_class)
    text += "dropped: " + name + ": " + std::to_string(dropped) +
            " acquisitions for want of memory; edges to it may be missing\n";
  return text + "lock order: " + std::to_string(verdict.edges.size()) + " edges observed, " +
         std::to_string(unapproved) + " unapproved, " + std::to_string(verdict.unexercised.size()) +
         " declared but not exercised, " + std::to_string(verdict.cycles.size()) + " cycles\n";
}

std::string OrderDot(const OrderVerdict& verdict, const OrderBook& book) {
  std::string text = "digraph lock_order {\n  node [shape=box];\n";
  for (const std::string& leaf : book.leaves())
    text += "  " + Escaped(leaf) + " [style=rounded];\n";
  for (const JudgedEdge& judged : verdict.edges) {
    const char* color = !judged.approved()                          ? "red"
                        : judged.approval == Approval::kByException ? "orange"
                                                                    : "black";
    text += "  " + Escaped(judged.edge.from) + " -> " + Escaped(judged.edge.to) +
            " [color=" + color + ", label=\"" + std::to_string(judged.edge.count) + "\"];\n";
  }
  for (const ClassPair& pair : verdict.unexercised)
    text += "  " + Escaped(pair.first) + " -> " + Escaped(pair.second) + " [style=dashed];\n";
  return text + "}\n";
}

Json OrderJson(const OrderVerdict& verdict, const OrderBook& book) {
  Json json = {{"book", book.file()},
               {"failed", verdict.Failed()},
               {"edges", Json::array()},
               {"unapproved", Json::array()},
               {"unexercised", Json::array()},
               {"cycles", Json::array()},
               {"notes", verdict.notes},
               {"dropped", verdict.dropped},
               {"dropped_classes", Json::array()}};
  for (const JudgedEdge& judged : verdict.edges) {
    json["edges"].push_back(EdgeJson(judged));
    if (!judged.approved()) json["unapproved"].push_back(UnapprovedJson(judged));
  }
  for (const ClassPair& pair : verdict.unexercised)
    json["unexercised"].push_back({{"from", pair.first}, {"to", pair.second}});
  for (const OrderCycle& cycle : verdict.cycles)
    json["cycles"].push_back(
        {{"classes", cycle.classes}, {"approved", cycle.approved}, {"tier", cycle.tier}});
  for (const auto& [name, dropped] : verdict.dropped_by_class)
    json["dropped_classes"].push_back({{"class", name}, {"acquisitions", dropped}});
  return json;
}

}  // namespace locking
