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

// Whether the thread of `view` holds `target` in a mode that keeps out a waiter in `mode`.
bool HoldsAgainst(const WaitView& view, const void* target, LockMode mode) {
  const HeldLocks& held = view.thread->held;
  for (std::uint32_t i = held.size(); i-- > 0;) {
    const HeldLock& lock = held.at(i);
    if (lock.lock.load(std::memory_order_relaxed) == target)
      return mode == LockMode::kExclusive || lock.mode() == LockMode::kExclusive;
  }
  return false;
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
  if (!from.waits || !to.waits || from.has_deadline || to.has_deadline) return false;
  if (from.holder != kNobody && from.holder != kMany) return from.holder == to.thread->id;
  if (HoldsAgainst(to, from.target, from.mode)) return true;
  return from.mode == LockMode::kShared && to.mode == LockMode::kExclusive &&
         to.target == from.target && &from != &to && from.for_lock && !from.recursive_read;
}

std::vector<std::uint32_t> FindWaitCycle(const std::vector<WaitView>& waits) {
  const auto n = static_cast<std::uint32_t>(waits.size());
  enum class Mark : std::uint8_t { kNew, kOnPath, kDone };
  std::vector<Mark> marks(n, Mark::kNew);
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
