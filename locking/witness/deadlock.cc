#include "locking/witness/deadlock.h"

#include <algorithm>

#include "locking/evidence.h"

namespace locking {
namespace {

WaitView ViewWait(ThreadState& thread) {
  const WaitRecord& wait = thread.waiting;
  WaitView view{.thread = &thread};
  PinnedWait pinned(wait);
  if (!pinned.waits() || !wait.settled.load(std::memory_order_acquire)) return view;
  view.waits = true;
  view.sequence = pinned.sequence();
  view.may_idle = wait.may_idle.load(std::memory_order_relaxed);
  view.has_deadline = wait.has_deadline.load(std::memory_order_relaxed);
  view.woken = wait.woken.load(std::memory_order_relaxed);
  view.mode = wait.mode.load(std::memory_order_relaxed);
  view.units = wait.units.load(std::memory_order_relaxed);
  view.target = wait.target.load(std::memory_order_relaxed);
  if (const LockClass* target = wait.target_class.load(std::memory_order_relaxed);
      target != nullptr) {
    view.for_lock = target->kind() != LockKind::kResource;
    view.recursive_read = target->Has(LockClassFlags::kRecursiveRead);
  }
  if (const auto* holder = wait.holder.load(std::memory_order_relaxed); holder != nullptr)
    view.holder = holder->load(std::memory_order_relaxed);
  return view;
}

// What the thread of `view` has of `target` that keeps out a waiter in `mode`.
struct Claim {
  std::uint32_t holds = 0;  // times
  bool promised = false;
};
Claim ClaimOf(const WaitView& view, const void* target, LockMode mode) {
  Claim claim;
  const HeldLocks& held = view.thread->held;
  for (std::uint32_t i = held.size(); i-- > 0;) {
    const HeldLock& lock = held.at(i);
    if (lock.lock.load(std::memory_order_relaxed) != target) continue;
    if (lock.attempt() == Attempt::kPromise)
      claim.promised = true;
    else if (mode == LockMode::kExclusive || lock.mode() == LockMode::kExclusive)
      ++claim.holds;
  }
  return claim;
}

// Whether those with `stuck` keep waits[i] from going on for ever.
bool StaysStuck(const std::vector<WaitView>& waits, std::size_t i, const std::vector<bool>& stuck) {
  const WaitView& wait = waits[i];
  bool by_one = false;        // it takes one to be stuck, and one is
  std::uint32_t units = 0;    // held by stuck threads
  bool promised = false;      // by anyone
  bool all_promisers = true;  // of whom all are stuck
  bool any_holder = false;
  for (std::size_t k = 0; k < waits.size(); ++k) {
    by_one = by_one || (stuck[k] && WaitsFor(wait, waits[k]));
    const Claim claim = ClaimOf(waits[k], wait.target, wait.mode);
    any_holder = any_holder || claim.holds > 0;
    if (stuck[k]) units += claim.holds;
    promised = promised || claim.promised;
    all_promisers = all_promisers && (!claim.promised || stuck[k]);
  }
  if (wait.units > 1) return units >= wait.units;
  if (!any_holder && promised) return all_promisers;
  return by_one;
}

// Those that wait for each other, or for one that does.
std::vector<bool> Stuck(const std::vector<WaitView>& waits) {
  std::vector<bool> stuck;
  for (const WaitView& wait : waits) stuck.push_back(wait.waits && !wait.has_deadline);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < waits.size(); ++i) {
      if (!stuck[i] || StaysStuck(waits, i, stuck)) continue;
      stuck[i] = false;
      changed = true;
    }
  }
  return stuck;
}

std::string Chain(std::span<ThreadState* const> cycle) {
  std::string text;
  for (const ThreadState* thread : cycle) {
    const WaitRecord& wait = thread->waiting;
    const LockClass* target = wait.target_class.load(std::memory_order_relaxed);
    text +=
        thread->name + " waits for " +
        (target == nullptr ? std::string("an event") : FormatLock(*target, wait.instance.load())) +
        "; ";
  }
  return text + "then " + cycle[0]->name + " again";
}

}  // namespace

std::vector<WaitView> ViewWaits(std::span<ThreadState* const> threads) {
  std::vector<WaitView> views;
  views.reserve(threads.size());
  for (ThreadState* thread : threads) views.push_back(ViewWait(*thread));
  return views;
}

bool WaitsFor(const WaitView& from, const WaitView& to) {
  if (!from.waits || !to.waits) return false;
  if (from.holder != kNobody && from.holder != kMany) return from.holder == to.thread->id;
  const Claim claim = ClaimOf(to, from.target, from.mode);
  if (claim.promised || claim.holds > 0) return true;
  return from.mode == LockMode::kShared && to.mode == LockMode::kExclusive &&
         to.target == from.target && &from != &to && from.for_lock && !from.recursive_read;
}

std::vector<std::uint32_t> FindWaitCycle(const std::vector<WaitView>& waits) {
  const auto n = static_cast<std::uint32_t>(waits.size());
  enum class Mark : std::uint8_t { kNew, kOnPath, kDone };
  std::vector<Mark> marks(n, Mark::kNew);
  const std::vector<bool> stuck = Stuck(waits);
  for (std::uint32_t i = 0; i < n; ++i)
    if (!stuck[i]) marks[i] = Mark::kDone;
  std::vector<std::uint32_t> path;
  std::vector<std::uint32_t> next;  // neighbour to try, by position on the path
  for (std::uint32_t root = 0; root < n; ++root) {
    if (marks[root] != Mark::kNew) continue;
    path.assign(1, root);
    next.assign(1, 0);
    marks[root] = Mark::kOnPath;
    while (!path.empty()) {
      if (next.back() == n) {
        marks[path.back()] = Mark::kDone;
        path.pop_back();
        next.pop_back();
        continue;
      }
      const std::uint32_t to = next.back()++;
      if (marks[to] == Mark::kDone || !WaitsFor(waits[path.back()], waits[to])) continue;
      if (marks[to] == Mark::kOnPath) return {std::find(path.begin(), path.end(), to), path.end()};
      marks[to] = Mark::kOnPath;
      path.push_back(to);
      next.push_back(0);
    }
  }
  return {};
}

std::vector<ThreadState*> FindDeadlock(std::span<ThreadState* const> threads) {
  std::vector<ThreadState*> cycle;
  for (std::uint32_t i : FindWaitCycle(ViewWaits(threads))) cycle.push_back(threads[i]);
  return cycle;
}

Finding DeadlockFinding(std::span<ThreadState* const> cycle) {
  Finding finding;
  finding.id = "LK09";
  finding.tier = "confirmed";
  finding.title = "deadlock: " + Chain(cycle);
  std::vector<std::string> classes;
  for (const ThreadState* thread : cycle) {
    finding.threads.push_back(EvidenceOf(*thread));
    const LockClass* target = thread->waiting.target_class.load(std::memory_order_relaxed);
    classes.push_back(target == nullptr ? "event" : target->name());
  }
  std::rotate(classes.begin(), std::min_element(classes.begin(), classes.end()), classes.end());
  finding.signature = "LK09:";
  for (const std::string& name : classes) finding.signature += " " + name;
  return finding;
}

}  // namespace locking
