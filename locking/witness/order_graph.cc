#include "locking/witness/order_graph.h"

#include <algorithm>
#include <utility>

namespace locking {
namespace {

std::uint64_t PairKey(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::uint64_t>(from) << 32 | to;
}

constexpr std::size_t kMostInCrowd = 1024;

bool SameLock(const TakenLock& a, const TakenLock& b) {
  return a.node == b.node && a.instance == b.instance;
}

// Whether each lock that is held each time in `a` is so in `b`.
bool HoldsAllOf(const Acquisition& b, const Acquisition& a) {
  return std::all_of(a.held.begin(), a.held.end(), [&](const TakenLock& gate) {
    return !gate.stable || std::any_of(b.held.begin(), b.held.end(), [&](const TakenLock& other) {
      return other.stable && other.mode == gate.mode && SameLock(other, gate);
    });
  });
}

}  // namespace

std::uint32_t OrderGraph::NodeOf(const LockClass& lock_class) {
  const std::uint32_t id = lock_class.id();
  if (id >= node_of_class_.size()) node_of_class_.resize(id + 1, 0);
  if (node_of_class_[id] == 0) {
    nodes_.push_back({.name = lock_class.name(),
                      .class_id = id,
                      .kind = lock_class.kind(),
                      .recursive_read = lock_class.Has(LockClassFlags::kRecursiveRead) ||
                                        lock_class.kind() == LockKind::kResource,
                      .duplicate_ok = lock_class.Has(LockClassFlags::kDuplicateOk),
                      .writers = {},
                      .out = {}});
    node_of_class_[id] = node_count();
    bytes_ += sizeof(ClassNode);
  }
  return node_of_class_[id] - 1;
}

std::uint32_t OrderGraph::AddEnd(std::uint32_t spawn, const LockClass& join_class,
                                 std::string name) {
  nodes_.push_back({.name = std::move(name),
                    .class_id = join_class.id(),
                    .kind = join_class.kind(),
                    .recursive_read = true,
                    .duplicate_ok = true,
                    .writers = {},
                    .is_end = true,
                    .out = {}});
  end_of_spawn_.emplace(spawn, node_count() - 1);
  bytes_ += sizeof(ClassNode) + 64;
  return node_count() - 1;
}

TakenLock OrderGraph::HeldEnd(std::uint32_t end, std::uint32_t thread) {
  return {.node = end,
          .instance = thread,
          .mode = LockMode::kExclusive,
          .attempt = Attempt::kPromise,
          .stable = false,
          .site = {},
          .stack = kNoStack,
          .stack_site = {}};
}

std::uint32_t OrderGraph::InternThreadName(const std::string& name) {
  const auto [it, added] =
      thread_name_index_.emplace(name, static_cast<std::uint32_t>(thread_names_.size()));
  if (added) {
    thread_names_.push_back(name);
    bytes_ += 2 * sizeof(std::string) + 2 * name.size() + 48;
  }
  return it->second;
}

std::uint32_t OrderGraph::FindEdge(std::uint32_t from, std::uint32_t to) const {
  const auto it = edge_of_pair_.find(PairKey(from, to));
  return it == edge_of_pair_.end() ? kNoEdge : it->second;
}

bool OrderGraph::HasRoom(std::uint32_t node, std::size_t memory_bytes) const {
  if (bytes() <= memory_bytes / 2) return true;
  return bytes() <= memory_bytes && nodes_[node].bytes <= memory_bytes / 2 / node_count();
}

bool OrderGraph::Add(Acquisition acquisition, std::uint32_t* index) {
  *index = acquisition_count();
  const std::size_t bytes = sizeof(Acquisition) + acquisition.held.size() * sizeof(TakenLock);
  bytes_ += bytes;
  nodes_[acquisition.taken.node].bytes += bytes;
  acquisitions_.push_back(std::move(acquisition));
  return AddAgain(*index);
}

bool OrderGraph::AddAgain(std::uint32_t index) {
  const Acquisition& a = acquisitions_[index];
  if (a.taken.attempt != Attempt::kBlocking) return false;
  bool news = false;
  for (std::uint32_t i = 0; i < a.held.size(); ++i)
    if (a.held[i].node != a.taken.node && AddToEdge(index, i)) news = true;
  return news;
}

bool OrderGraph::AddWriter(std::uint32_t acquisition) {
  const Acquisition& a = acquisitions_[acquisition];
  if (a.taken.attempt != Attempt::kBlocking || a.taken.mode == LockMode::kShared ||
      nodes_[a.taken.node].recursive_read)
    return false;
  ClassNode& node = nodes_[a.taken.node];
  for (const OrderEdge::Sample& writer : node.writers) {
    const Acquisition& b = acquisitions_[writer.acquisition];
    if (b.thread == a.thread && *b.moment == *a.moment && HoldsAllOf(a, b)) return false;
  }
  if (node.writers.size() < OrderEdge::kSamples) {
    node.writers.push_back({acquisition, OrderEdge::Sample::kNothing});
    bytes_ += sizeof(OrderEdge::Sample);
    return true;
  }
  for (OrderEdge::Sample& writer : node.writers) {
    const Acquisition& b = acquisitions_[writer.acquisition];
    if (HoldsAllOf(a, b) && HoldsAllOf(b, a)) return Join(&writer, a);
  }
  const bool news = !node.more_writers;
  node.more_writers = true;
  return news;
}

bool OrderGraph::AddToEdge(std::uint32_t acquisition, std::uint32_t held) {
  const Acquisition& a = acquisitions_[acquisition];
  const TakenLock& from = a.held[held];
  const auto [it, added] = edge_of_pair_.emplace(PairKey(from.node, a.taken.node), edge_count());
  if (added) {
    edges_.push_back({.from = from.node, .to = a.taken.node, .samples = {}});
    nodes_[from.node].out.push_back(it->second);
    bytes_ += sizeof(OrderEdge) + 64;
  }
  OrderEdge& edge = edges_[it->second];
  const std::uint8_t bit = ModesBit(from.mode, a.taken.mode);
  edge.modes |= bit;
  for (const OrderEdge::Sample& sample : edge.samples)
    if (Covers(sample, a, held)) return false;
  if (edge.samples.size() < OrderEdge::kSamples) {
    edge.samples.push_back({acquisition, held});
    bytes_ += sizeof(OrderEdge::Sample);
    return true;
  }
  for (OrderEdge::Sample& sample : edge.samples)
    if (Like(sample, a, held)) return Join(&sample, a);
  const bool news = (edge.overflow_modes & bit) == 0;
  edge.overflow_modes |= bit;
  return news;
}

bool OrderGraph::Covers(const OrderEdge::Sample& s, const Acquisition& a,
                        std::uint32_t held) const {
  const Acquisition& b = acquisitions_[s.acquisition];
  return b.thread == a.thread && *b.moment == *a.moment && b.taken.mode == a.taken.mode &&
         b.held[s.held].mode == a.held[held].mode && HoldsAllOf(a, b);
}

bool OrderGraph::Like(const OrderEdge::Sample& s, const Acquisition& a, std::uint32_t held) const {
  const Acquisition& b = acquisitions_[s.acquisition];
  return b.taken.mode == a.taken.mode && b.held[s.held].mode == a.held[held].mode &&
         HoldsAllOf(a, b) && HoldsAllOf(b, a);
}

bool OrderGraph::Join(OrderEdge::Sample* s, const Acquisition& a) {
  if (s->crowd == nullptr) {
    const Acquisition& b = acquisitions_[s->acquisition];
    s->crowd = std::make_shared<OrderEdge::Crowd>(
        OrderEdge::Crowd{.follows = *b.moment, .last = {{b.thread, b.moment->EpochOf(b.thread)}}});
    bytes_ += sizeof(OrderEdge::Crowd);
  }
  OrderEdge::Crowd& crowd = *s->crowd;
  crowd.follows.Meet(*a.moment);
  const std::uint32_t epoch = a.moment->EpochOf(a.thread);
  const auto [last, added] = crowd.last.emplace(a.thread, epoch);
  if (!added) last->second = std::max(last->second, epoch);
  if (crowd.last.size() <= kMostInCrowd) return true;
  crowd.last.erase(last);
  return std::exchange(crowd.complete, false);
}

bool OrderGraph::Precedes(const OrderEdge::Sample& a, const OrderEdge::Sample& b) const {
  const auto followed = [&](std::uint32_t thread, std::uint32_t epoch) {
    const OrderEdge::Crowd* crowd = b.crowd.get();
    const Acquisition& y = acquisitions_[b.acquisition];
    return (crowd == nullptr ? y.moment->EpochOf(thread) : crowd->follows.EpochOf(thread)) >= epoch;
  };
  if (const OrderEdge::Crowd* crowd = a.crowd.get(); crowd != nullptr)
    return crowd->complete && std::all_of(crowd->last.begin(), crowd->last.end(), [&](auto& last) {
             return followed(last.first, last.second);
           });
  const Acquisition& x = acquisitions_[a.acquisition];
  return followed(x.thread, x.moment->EpochOf(x.thread));
}

bool OrderGraph::HasOtherSignallers(const OrderEdge::Sample& s) const {
  if (s.held == OrderEdge::Sample::kNothing) return false;
  const TakenLock& held = acquisitions_[s.acquisition].held[s.held];
  return held.attempt == Attempt::kPromise || nodes_[held.node].units > 1;
}

bool OrderGraph::WithAllSignallers(const OrderEdge::Sample& s,
                                   const std::vector<std::uint32_t>& others) const {
  const Acquisition& a = acquisitions_[s.acquisition];
  const TakenLock& from = a.held[s.held];
  const ClassNode& node = nodes_[from.node];
  const auto is_such = [&](const TakenLock& lock) {
    return SameLock(lock, from) && lock.attempt == from.attempt;
  };
  std::set<std::uint32_t> stuck;
  for (const OrderEdge::Sample& like : edges_[FindEdge(from.node, a.taken.node)].samples) {
    const Acquisition& b = acquisitions_[like.acquisition];
    if (b.taken.mode != a.taken.mode || !is_such(b.held[like.held])) continue;
    stuck.insert(b.thread);
    if (like.crowd != nullptr)
      for (const auto& [thread, epoch] : like.crowd->last) stuck.insert(thread);
  }
  for (const std::uint32_t other : others) {
    const Acquisition& b = acquisitions_[other];
    const bool ends_it =
        from.attempt == Attempt::kPromise || std::any_of(b.held.begin(), b.held.end(), is_such);
    if (ends_it)
      stuck.insert(b.thread);
    else
      stuck.erase(b.thread);  // it stands elsewhere
  }
  if (from.attempt != Attempt::kPromise) return stuck.size() >= node.units;
  const auto signallers = node.signallers.find(from.instance);
  return signallers == node.signallers.end() ||
         std::includes(stuck.begin(), stuck.end(), signallers->second.begin(),
                       signallers->second.end());
}

bool OrderGraph::Excluded(const Acquisition& a, const Acquisition& b) const {
  for (const TakenLock& x : a.held) {
    if (!x.stable || nodes_[x.node].ambiguous) continue;
    for (const TakenLock& y : b.held) {
      if (!y.stable || !SameLock(x, y)) continue;
      if (x.mode == LockMode::kExclusive || y.mode == LockMode::kExclusive) return true;
    }
  }
  return false;
}

}  // namespace locking
