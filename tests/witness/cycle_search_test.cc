// The search for cycles against a naive one that walks every path.
#include "locking/witness/cycle_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "locking/random.h"

namespace locking {
namespace {

constexpr int kClasses = 6;

struct NaiveEdge {
  int from;
  int to;
  LockMode from_mode;
  LockMode to_mode;
};

// All edges that were added, and every simple path over them.
class NaiveGraph {
 public:
  explicit NaiveGraph(const std::array<bool, kClasses>& recursive_read)
      : recursive_read_(recursive_read) {}

  void Add(const NaiveEdge& edge) { edges_.push_back(edge); }
  // Whether some schedule may block all threads of some cycle that ends in the last edge.
  bool LastClosesCycle() {
    path_ = {edges_.back()};
    std::array<bool, kClasses> visited{};
    return Reaches(edges_.back().to, &visited);
  }

 private:
  // Each edge is made by a thread of its own, which holds one lock.
  static bool MayOverlap(const NaiveEdge& a, const NaiveEdge& b) {
    return a.from != b.from ||
           (a.from_mode == LockMode::kShared && b.from_mode == LockMode::kShared);
  }
  static bool FitsInto(const std::vector<NaiveEdge>& path, const NaiveEdge& edge) {
    return std::all_of(path.begin(), path.end(),
                       [&](const NaiveEdge& other) { return MayOverlap(edge, other); });
  }
  // Whether writers wait at all these classes, between readers of the path.
  bool HasWriters(std::vector<int> nodes, const std::vector<NaiveEdge>& together) const {
    if (nodes.empty()) return true;
    const int node = nodes.back();
    nodes.pop_back();
    return std::any_of(edges_.begin(), edges_.end(), [&](const NaiveEdge& edge) {
      if (edge.to != node || edge.to_mode != LockMode::kExclusive || !FitsInto(together, edge))
        return false;
      std::vector<NaiveEdge> more = together;
      more.push_back(edge);
      return HasWriters(nodes, more);
    });
  }
  // Whether the path leads from its last edge, which waits at `node`, back to the first.
  bool Closes() const {
    std::vector<int> readers;
    for (std::size_t i = 0; i < path_.size(); ++i) {
      const LockMode holder = path_[(i + 1) % path_.size()].from_mode;
      if (path_[i].to_mode == LockMode::kExclusive || holder == LockMode::kExclusive) continue;
      if (recursive_read_[path_[i].to]) return false;
      readers.push_back(path_[i].to);
    }
    return HasWriters(readers, path_);
  }
  bool Reaches(int node, std::array<bool, kClasses>* visited) {
    if (node == path_.front().from) return Closes();
    (*visited)[node] = true;
    for (const NaiveEdge& edge : edges_) {
      if (edge.from != node || (*visited)[edge.to]) continue;
      path_.push_back(edge);
      const bool closes = Reaches(edge.to, visited);
      path_.pop_back();
      if (closes) return true;
    }
    (*visited)[node] = false;
    return false;
  }

  const std::array<bool, kClasses> recursive_read_;
  std::vector<NaiveEdge> edges_;
  std::vector<NaiveEdge> path_;
};

class Classes {
 public:
  explicit Classes(const std::array<bool, kClasses>& recursive_read) {
    for (int i = 0; i < kClasses; ++i)
      classes_[i].emplace(
          "class " + std::to_string(i), LockKind::kMutex,
          recursive_read[i] ? LockClassFlags::kRecursiveRead : LockClassFlags::kNone);
  }
  const LockClass& at(int i) const { return *classes_[i]; }

 private:
  std::array<std::optional<LockClass>, kClasses> classes_;
};

// An edge that a thread of its own makes.
bool AddAndSearch(OrderGraph* graph, CycleSearch* search, const Classes& classes,
                  std::uint32_t thread, const NaiveEdge& edge) {
  Acquisition a{.thread = thread,
                .thread_name = graph->InternThreadName("t"),
                .moment = std::make_shared<const Moment>(thread),
                .taken = {},
                .held = {}};
  a.taken = {.node = graph->NodeOf(classes.at(edge.to)),
             .instance = 0,
             .mode = edge.to_mode,
             .attempt = Attempt::kBlocking,
             .site = {},
             .stack = kNoStack,
             .stack_site = {}};
  a.held.push_back({.node = graph->NodeOf(classes.at(edge.from)),
                    .instance = 0,
                    .mode = edge.from_mode,
                    .attempt = Attempt::kBlocking,
                    .site = {},
                    .stack = kNoStack,
                    .stack_site = {}});
  std::uint32_t index = 0;
  graph->Add(std::move(a), true, &index);
  if (edge.to_mode == LockMode::kExclusive) graph->AddWriter(index);
  for (const LockCycle& cycle : search->Find(index))
    if (cycle.tier == Tier::kProvable) return true;
  return false;
}

TEST(CycleSearch, AgreesWithTheNaiveSearchOnRandomGraphs) {
  Random random(7);
  int cycles = 0, none = 0;
  for (int round = 0; round < 1500; ++round) {
    std::array<bool, kClasses> recursive_read{};
    for (bool& r : recursive_read) r = random.Below(2) == 0;
    const Classes classes(recursive_read);
    OrderGraph graph;
    CycleSearch search(graph);
    NaiveGraph naive(recursive_read);
    const std::uint32_t edges = 2 + static_cast<std::uint32_t>(random.Below(16));
    for (std::uint32_t i = 0; i < edges; ++i) {
      NaiveEdge edge{static_cast<int>(random.Below(kClasses)),
                     static_cast<int>(random.Below(kClasses)),
                     random.Below(3) != 0 ? LockMode::kShared : LockMode::kExclusive,
                     random.Below(3) != 0 ? LockMode::kShared : LockMode::kExclusive};
      if (edge.from == edge.to) continue;
      naive.Add(edge);
      const bool expected = naive.LastClosesCycle();
      ++(expected ? cycles : none);
      ASSERT_EQ(AddAndSearch(&graph, &search, classes, i + 1, edge), expected)
          << "round " << round << " edge " << i;
    }
  }
  EXPECT_GT(cycles, 500);
  EXPECT_GT(none, 500);
}

TEST(CycleSearch, AgreesWithTheNaiveSearchWithoutReaders) {
  Random random(11);
  const Classes classes({});
  for (int round = 0; round < 200; ++round) {
    OrderGraph graph;
    CycleSearch search(graph);
    NaiveGraph naive({});
    for (std::uint32_t i = 0; i < 12; ++i) {
      NaiveEdge edge{static_cast<int>(random.Below(kClasses)),
                     static_cast<int>(random.Below(kClasses)), LockMode::kExclusive,
                     LockMode::kExclusive};
      if (edge.from == edge.to) continue;
      naive.Add(edge);
      ASSERT_EQ(AddAndSearch(&graph, &search, classes, i + 1, edge), naive.LastClosesCycle());
    }
  }
}

// More threads than an edge keeps samples of do the same.
TEST(OrderGraph, ACrowdFollowsOnlyWhatAllOfItFollow) {
  const LockClass outer("outer", LockKind::kMutex), inner("inner", LockKind::kMutex);
  OrderGraph graph;
  const auto lock_of = [&](const LockClass& lock_class) {
    return TakenLock{.node = graph.NodeOf(lock_class),
                     .instance = 0,
                     .mode = LockMode::kExclusive,
                     .attempt = Attempt::kBlocking,
                     .site = {},
                     .stack = kNoStack,
                     .stack_site = {}};
  };
  const auto add = [&](const Moment& moment, std::uint32_t thread, const LockClass& held,
                       const LockClass& taken) {
    std::uint32_t index = 0;
    graph.Add({.thread = thread,
               .thread_name = graph.InternThreadName("t"),
               .moment = std::make_shared<const Moment>(moment),
               .taken = lock_of(taken),
               .held = {lock_of(held)}},
              false, &index);
    return index;
  };
  constexpr std::uint32_t kFirst = 1000, kApart = OrderEdge::kSamples + 1, kLast = kApart + 1;
  const Moment first(kFirst);
  const OrderEdge::Sample before{add(first, kFirst, inner, outer), 0};
  const auto crowded = [&]() -> const OrderEdge::Sample& {
    return graph.edge(graph.FindEdge(graph.NodeOf(outer), graph.NodeOf(inner))).samples[0];
  };
  for (std::uint32_t thread = 1; thread <= kLast; ++thread) {
    Moment moment(thread);
    if (thread != kApart) moment.Follow(first);
    add(moment, thread, outer, inner);
    EXPECT_EQ(graph.Ordered(before, crowded()), thread < kApart) << thread;
  }
}

}  // namespace
}  // namespace locking
