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

bool Conflict(LockMode a, LockMode b) {
  return a == LockMode::kExclusive || b == LockMode::kExclusive;
}

// Whether `other` tells of the lock as `lock` does, or of fewer.
bool TellsOf(const TakenLock& lock, const TakenLock& other) {
  return !lock.exact || (other.exact && other.mode == lock.mode && SameLock(other, lock));
}

bool Holds(const Acquisition& a, const TakenLock& lock) {
  return std::any_of(a.held.begin(), a.held.end(),
                     [&](const TakenLock& held) { return TellsOf(lock, held); });
}

bool SameOutlived(const Acquisition& a, const Acquisition& b) {
  return std::equal(a.outlived.begin(), a.outlived.end(), b.outlived.begin(), b.outlived.end());
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
                      .writers = {},
                      .out = {},
                      .in = {}});
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
                    .writers = {},
                    .is_end = true,
                    .out = {},
                    .in = {}});
  end_of_spawn_.emplace(spawn, node_count() - 1);
  bytes_ += sizeof(ClassNode) + 64;
  return node_count() - 1;
}

TakenLock OrderGraph::HeldEnd(std::uint32_t end, std::uint32_t thread) {
  return {.node = end,
          .instance = thread,
          .mode = LockMode::kShared,
          .attempt = Attempt::kPromise,
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

bool OrderGraph::Add(Acquisition acquisition, bool declared, std::uint32_t* index) {
  *index = acquisition_count();
  const std::size_t bytes = sizeof(Acquisition) + acquisition.held.size() * sizeof(TakenLock) +
                            acquisition.outlived.size() * sizeof(OutlivedLock);
  bytes_ += bytes;
  nodes_[acquisition.taken.node].bytes += bytes;
  acquisitions_.push_back(std::move(acquisition));
  const Acquisition& a = acquisitions_[*index];
  if (!Waits(a.taken.attempt)) return false;
  bool news = false;
  for (std::uint32_t i = 0; i < a.held.size(); ++i) {
    if (a.held[i].node == a.taken.node && (declared || MaySame(a.held[i], a.taken))) continue;
    if (AddToEdge(*index, i)) news = true;
  }
  return news;
}

void OrderGraph::AddHeld(std::uint32_t index, const TakenLock& held) {
  Acquisition& a = acquisitions_[index];
  a.held.push_back(held);
  if (Waits(a.taken.attempt)) AddToEdge(index, static_cast<std::uint32_t>(a.held.size() - 1));
}

bool OrderGraph::AddWriter(std::uint32_t acquisition) {
  const Acquisition& a = acquisitions_[acquisition];
  if (!Waits(a.taken.attempt) || a.taken.mode == LockMode::kShared ||
      nodes_[a.taken.node].recursive_read)
    return false;
  return AddSample(&nodes_[a.taken.node].writers, acquisition, OrderEdge::Sample::kNothing);
}

bool OrderGraph::AddToEdge(std::uint32_t acquisition, std::uint32_t held) {
  const Acquisition& a = acquisitions_[acquisition];
  const TakenLock& from = a.held[held];
  const auto [it, added] = edge_of_pair_.emplace(PairKey(from.node, a.taken.node), edge_count());
  if (added) {
    edges_.push_back({.from = from.node, .to = a.taken.node, .samples = {}});
    nodes_[from.node].out.push_back(it->second);
    nodes_[a.taken.node].in.push_back(it->second);
    bytes_ += sizeof(OrderEdge) + 64;
  }
  OrderEdge& edge = edges_[it->second];
  edge.modes |= ModesBit(from.mode, a.taken.mode);
  return AddSample(&edge.samples, acquisition, held);
}

bool OrderGraph::AddSample(std::vector<OrderEdge::Sample>* samples, std::uint32_t acquisition,
                           std::uint32_t held) {
  const Acquisition& a = acquisitions_[acquisition];
  std::size_t alike = 0;
  for (const OrderEdge::Sample& sample : *samples) {
    if (Covers(sample, a, held)) return false;
    if (SameModes(sample, a, held)) ++alike;
  }
  const bool one_class = held != OrderEdge::Sample::kNothing && a.held[held].node == a.taken.node;
  if (alike < (one_class ? OrderEdge::kInstanceSamples : OrderEdge::kSamples)) {
    samples->push_back({acquisition, held});
    bytes_ += sizeof(OrderEdge::Sample);
    return true;
  }
  if (one_class) {
    ++nodes_[a.taken.node].dropped;
    return false;
  }
  OrderEdge::Sample* nearest = nullptr;
  for (OrderEdge::Sample& sample : *samples)
    if (SameModes(sample, a, held) &&
        (nearest == nullptr || Distance(sample, a) < Distance(*nearest, a)))
      nearest = &sample;
  Widen(nearest, a);
  return Join(nearest, a);
}

bool OrderGraph::SameModes(const OrderEdge::Sample& s, const Acquisition& a,
                           std::uint32_t held) const {
  if (held == OrderEdge::Sample::kNothing) return true;
  const Acquisition& b = acquisitions_[s.acquisition];
  return b.taken.mode == a.taken.mode && b.held[s.held].mode == a.held[held].mode;
}

bool OrderGraph::Covers(const OrderEdge::Sample& s, const Acquisition& a,
                        std::uint32_t held) const {
  const Acquisition& b = acquisitions_[s.acquisition];
  return b.thread == a.thread && SameModes(s, a, held) && TellsOf(b.taken, a.taken) &&
         (b.moment == a.moment || *b.moment == *a.moment) && Distance(s, a) == 0 &&
         (held == OrderEdge::Sample::kNothing || TellsOf(b.held[s.held], a.held[held]));
}

std::size_t OrderGraph::Distance(const OrderEdge::Sample& s, const Acquisition& a) const {
  const Acquisition& b = acquisitions_[s.acquisition];
  std::size_t differ = TellsOf(b.taken, a.taken) ? 0 : 1;
  for (const TakenLock& lock : b.held)
    if (!Holds(a, lock)) ++differ;
  if (!SameOutlived(a, b)) ++differ;
  return differ;
}

void OrderGraph::Widen(OrderEdge::Sample* s, const Acquisition& a) {
  if (Distance(*s, a) == 0) return;
  Acquisition wider = acquisitions_[s->acquisition];
  wider.count = 0;
  if (!TellsOf(wider.taken, a.taken)) wider.taken.exact = false;
  for (TakenLock& lock : wider.held)
    if (!Holds(a, lock)) lock.exact = false;
  if (!SameOutlived(a, wider)) wider.outlived.clear();
  s->acquisition = acquisition_count();
  bytes_ += sizeof(Acquisition) + wider.held.size() * sizeof(TakenLock);
  acquisitions_.push_back(std::move(wider));
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
  for (std::uint32_t i = 0; i < a.held.size(); ++i) {
    const TakenLock& x = a.held[i];
    if (!x.exact || x.attempt == Attempt::kPromise || nodes_[x.node].ambiguous) continue;
    if (IsInterrupt(x)) continue;  // its handler may run on several threads at once
    for (const TakenLock& y : b.held)
      if (y.exact && SameLock(x, y) && Conflict(x.mode, y.mode)) return true;
    if (!a.outlived.empty() && !b.outlived.empty() && KeptApart(a, i, b)) return true;
  }
  return false;
}

// Whether `a` took held[held] when it held a lock that `b` holds now, and `b` took that one when it
// held the former.
bool OrderGraph::KeptApart(const Acquisition& a, std::uint32_t held, const Acquisition& b) const {
  const auto outlives = [this](const Acquisition& one, std::uint32_t by, const TakenLock& lock) {
    return std::any_of(one.outlived.begin(), one.outlived.end(), [&](const OutlivedLock& former) {
      return former.by == by && former.node == lock.node && former.instance == lock.instance &&
             !nodes_[lock.node].ambiguous && Conflict(former.mode, lock.mode);
    });
  };
  for (std::uint32_t i = 0; i < b.held.size(); ++i)
    if (b.held[i].exact && outlives(a, held, b.held[i]) && outlives(b, i, a.held[held]))
      return true;
  return false;
}

}  // namespace locking
