#include "locking/witness/cycle_walk.h"

#include <algorithm>

namespace locking {
namespace {

// Choices of one walk. A verdict may be too strong beyond this, never too weak.
constexpr int kMaxSteps = 20000;

}  // namespace

CycleWalk::CycleWalk(const OrderGraph& graph, const CycleRules& rules, std::uint32_t closing,
                     std::uint32_t held, const std::vector<std::uint32_t>& distance)
    : graph_(graph),
      rules_(rules),
      target_(graph.acquisition(closing).held[held]),
      distance_(distance),
      edges_{{closing, held}} {}

CycleWalk::End CycleWalk::Run() {
  std::size_t limit = distance_[Wanted().node];
  for (bool cut = true; cut; ++limit) {
    cut = false;
    const End end = RunWithin(limit, &cut);
    if (end != End::kNone) return end;
  }
  return End::kNone;
}

CycleWalk::End CycleWalk::RunWithin(std::size_t limit, bool* cut) {
  places_.assign(1, {});
  while (!places_.empty()) {
    if (++steps_ > kMaxSteps) return End::kGaveUp;
    if (!Step(limit, cut)) {
      places_.pop_back();
      continue;
    }
    if (Closes()) return End::kFound;
    places_.push_back({});
  }
  return End::kNone;
}

bool CycleWalk::Step(std::size_t limit, bool* cut) {
  Place& place = places_.back();
  StepBack(&place);
  const std::vector<std::uint32_t>& out = graph_.node(Wanted().node).out;
  for (; place.edge < out.size(); ++place.edge, place.sample = 0, place.writer = 0) {
    const OrderEdge& edge = graph_.edge(out[place.edge]);
    if (distance_[edge.to] == kFar) continue;
    if (edges_.size() + distance_[edge.to] > limit) {
      *cut = true;
      continue;
    }
    if (TryEdge(edge, &place)) return true;
  }
  return false;
}

void CycleWalk::StepBack(Place* place) {
  if (place->stepped) edges_.pop_back();
  if (place->wrote) writers_.pop_back();
  place->stepped = place->wrote = false;
}

bool CycleWalk::TryEdge(const OrderEdge& edge, Place* place) {
  const TakenLock& wanted = Wanted();
  for (; place->sample < edge.samples.size(); ++place->sample, place->writer = 0) {
    const OrderEdge::Sample& sample = edge.samples[place->sample];
    const Wait wait = WaitOf(wanted, Held(sample));
    if (wait == Wait::kNever || !MayEnter(sample) || !Fits(sample)) continue;
    edges_.push_back(sample);
    place->stepped = true;
    if (wait == Wait::kAlways) {
      ++place->sample;
      return true;
    }
    place->wrote = ChooseWriter(wanted, &place->writer);
    if (place->wrote) return true;
    StepBack(place);
  }
  return false;
}

bool CycleWalk::Closes() {
  const TakenLock& wanted = Wanted();
  if (wanted.node != target_.node) return false;
  const Wait wait = WaitOf(wanted, target_);
  if (wait == Wait::kNever || (rules_.signallers && !NobodyElseEndsIt())) return false;
  std::uint32_t first = 0;
  return wait == Wait::kAlways || ChooseWriter(wanted, &first);
}

bool CycleWalk::NobodyElseEndsIt() const {
  return std::all_of(edges_.begin(), edges_.end(), [&](const OrderEdge::Sample& edge) {
    if (!graph_.HasOtherSignallers(edge)) return true;
    std::vector<std::uint32_t> others;
    for (const OrderEdge::Sample& other : edges_)
      if (&other != &edge) others.push_back(other.acquisition);
    for (const OrderEdge::Sample& writer : writers_) others.push_back(writer.acquisition);
    return graph_.WithAllSignallers(edge, others);
  });
}

bool CycleWalk::ChooseWriter(const TakenLock& lock, std::uint32_t* next) {
  const std::vector<OrderEdge::Sample>& writers = graph_.node(lock.node).writers;
  while (*next < writers.size()) {
    const OrderEdge::Sample& writer = writers[(*next)++];
    if ((rules_.instances && !OrderGraph::MaySame(Of(writer).taken, lock)) || !Fits(writer))
      continue;
    writers_.push_back(writer);
    return true;
  }
  return false;
}

bool CycleWalk::MayEnter(const OrderEdge::Sample& sample) const {
  const TakenLock& entered = Of(sample).taken;
  const auto same = [&](const TakenLock& lock) {
    return lock.node == entered.node && (!rules_.instances || OrderGraph::MaySame(lock, entered));
  };
  const auto taken = [&](const OrderEdge::Sample& edge) { return same(Of(edge).taken); };
  if (std::any_of(edges_.begin(), edges_.end(), taken)) return false;
  const std::vector<TakenLock>& held = Of(edges_.front()).held;
  return std::none_of(held.begin(), held.end(), [&](const TakenLock& lock) {
    return &lock != &target_ && lock.mode == LockMode::kExclusive && same(lock);
  });
}

CycleWalk::Wait CycleWalk::WaitOf(const TakenLock& wanted, const TakenLock& held) const {
  if (rules_.instances && !OrderGraph::MaySame(wanted, held)) return Wait::kNever;
  if (wanted.mode == LockMode::kExclusive || held.mode == LockMode::kExclusive)
    return Wait::kAlways;
  if (graph_.node(wanted.node).recursive_read) return Wait::kNever;
  return rules_.writers ? Wait::kBehindWriter : Wait::kAlways;
}

bool CycleWalk::Fits(const OrderEdge::Sample& sample) const {
  const auto fits = [&](const OrderEdge::Sample& former) { return FitBoth(sample, former); };
  return std::all_of(edges_.begin(), edges_.end(), fits) &&
         std::all_of(writers_.begin(), writers_.end(), fits);
}

bool CycleWalk::FitBoth(const OrderEdge::Sample& a, const OrderEdge::Sample& b) const {
  return !(rules_.threads && graph_.OneThread(a, b)) && !(rules_.order && graph_.Ordered(a, b)) &&
         !(rules_.gates && graph_.Excluded(Of(a), Of(b)));
}

}  // namespace locking
