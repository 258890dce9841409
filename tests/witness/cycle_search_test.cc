// The search for cycles against a naive one that walks every path.
#include "locking/witness/cycle_search.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>

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

  void Add(const NaiveEdge& edge) {
    edges_.push_back(edge);
    if (edge.to_mode == LockMode::kExclusive) writer_seen_[edge.to] = true;
  }
  // Whether some schedule may block all threads of some cycle that ends in the last edge.
  bool LastClosesCycle() const {
    const NaiveEdge& last = edges_.back();
    std::array<bool, kClasses> visited{};
    return Reaches(last.to, last.to_mode, last, &visited);
  }

 private:
  bool Blocks(int node, LockMode waiter, LockMode holder) const {
    return waiter == LockMode::kExclusive || holder == LockMode::kExclusive ||
           (!recursive_read_[node] && writer_seen_[node]);
  }
  bool Reaches(int node, LockMode waiter, const NaiveEdge& last,
               std::array<bool, kClasses>* visited) const {
    if (node == last.from) return Blocks(node, waiter, last.from_mode);
    (*visited)[node] = true;
    for (const NaiveEdge& edge : edges_)
      if (edge.from == node && !(*visited)[edge.to] && Blocks(node, waiter, edge.from_mode) &&
          Reaches(edge.to, edge.to_mode, last, visited))
        return true;
    (*visited)[node] = false;
    return false;
  }

  const std::array<bool, kClasses> recursive_read_;
  std::array<bool, kClasses> writer_seen_{};
  std::vector<NaiveEdge> edges_;
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
  Acquisition a{
      .thread = thread, .thread_name = graph->InternThreadName("t"), .taken = {}, .held = {}};
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
  if (edge.to_mode == LockMode::kExclusive) graph->node(a.taken.node).writer_seen = true;
  std::uint32_t index = 0;
  graph->Add(std::move(a), &index);
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

}  // namespace
}  // namespace locking
