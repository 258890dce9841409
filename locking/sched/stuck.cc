#include "locking/sched/stuck.h"

#include <algorithm>
#include <string>

#include "locking/evidence.h"
#include "locking/thread.h"

namespace locking {
namespace {

using Threads = std::vector<UnfinishedThread>;

// "object #7"
std::string TargetOf(const ThreadState& thread) {
  const LockClass* target = thread.waiting.target_class.load(std::memory_order_relaxed);
  if (target == nullptr) return "an event";
  return FormatLock(*target, thread.waiting.instance.load(std::memory_order_relaxed));
}

// "object at vm/fault.cc:88": the class alone, so that equal failures look equal.
std::string WaitSignature(const ThreadState& thread) {
  const LockClass* target = thread.waiting.target_class.load(std::memory_order_relaxed);
  return (target == nullptr ? "event" : target->name()) + " at " +
         FormatSite(thread.waiting.site.load(std::memory_order_relaxed));
}

std::uint32_t ClassWaitedFor(const ThreadState& thread) {
  const LockClass* target = thread.waiting.target_class.load(std::memory_order_relaxed);
  return target == nullptr ? CycleWait::kNothing : target->id();
}

bool Holds(const ThreadState& thread, const void* lock) {
  const std::uint32_t n = thread.held.size();
  for (std::uint32_t i = 0; i < n; ++i)
    if (thread.held.at(i).lock.load(std::memory_order_relaxed) == lock) return true;
  return false;
}

std::uint32_t HolderId(const ThreadState& thread) {
  const auto* holder = thread.waiting.holder.load(std::memory_order_relaxed);
  return holder == nullptr ? kNobody : holder->load(std::memory_order_relaxed);
}

// A waiting writer goes before readers that come after it.
bool QueuesBehind(const WaitRecord& reader, const WaitRecord& writer) {
  return reader.mode.load(std::memory_order_relaxed) == LockMode::kShared &&
         writer.mode.load(std::memory_order_relaxed) == LockMode::kExclusive &&
         reader.target.load(std::memory_order_relaxed) ==
             writer.target.load(std::memory_order_relaxed);
}

// Whether `waiter` can go on only after `other` has done something.
bool WaitsFor(const ThreadState& waiter, const ThreadState& other) {
  if (HolderId(waiter) == other.id) return true;
  if (&waiter == &other) return false;
  return Holds(other, waiter.waiting.target.load(std::memory_order_relaxed)) ||
         QueuesBehind(waiter.waiting, other.waiting);
}

// Extends `path`, a chain in which each waits for the next, until one of it comes again. True: from
// `*start` on it is a circle. `seen` are those from which no circle is reached.
bool FindCircle(const Threads& threads, std::vector<std::size_t>* path, std::vector<bool>* seen,
                std::size_t* start) {
  const ThreadState& last = *threads[path->back()].thread;
  for (std::size_t next = 0; next < threads.size(); ++next) {
    if ((*seen)[next] || !WaitsFor(last, *threads[next].thread)) continue;
    const auto again = std::find(path->begin(), path->end(), next);
    if (again != path->end()) {
      *start = static_cast<std::size_t>(again - path->begin());
      return true;
    }
    path->push_back(next);
    if (FindCircle(threads, path, seen, start)) return true;
    (*seen)[next] = true;
    path->pop_back();
  }
  return false;
}

// Indices of threads that wait for each other in a circle; empty: there is none.
std::vector<std::size_t> Circle(const Threads& threads) {
  std::vector<bool> seen(threads.size(), false);
  for (std::size_t first = 0; first < threads.size(); ++first) {
    std::vector<std::size_t> path = {first};
    std::size_t start = 0;
    if (!seen[first] && FindCircle(threads, &path, &seen, &start))
      return {path.begin() + static_cast<std::ptrdiff_t>(start), path.end()};
    seen[first] = true;
  }
  return {};
}

ThreadEvidence Evidence(const UnfinishedThread& thread) {
  ThreadEvidence evidence = EvidenceOf(*thread.thread);
  if (!thread.stack.empty()) evidence.stack = FormatStack(thread.stack);
  return evidence;
}

// The threads of `first` before all others.
void AddEvidence(const Threads& threads, const std::vector<std::size_t>& first, Finding* finding) {
  for (std::size_t i : first) finding->threads.push_back(Evidence(threads[i]));
  for (std::size_t i = 0; i < threads.size(); ++i)
    if (std::find(first.begin(), first.end(), i) == first.end())
      finding->threads.push_back(Evidence(threads[i]));
}

// Equal sets of waits have equal signatures, whatever the order of their threads.
std::string Signature(const std::string& id, const Threads& threads,
                      const std::vector<std::size_t>& of) {
  std::vector<std::string> parts;
  for (std::size_t i : of) parts.push_back(WaitSignature(*threads[i].thread));
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  std::string signature = id + ":";
  for (const std::string& part : parts) signature += " " + part + ";";
  return signature;
}

// The place of `waiter`, who holds what `former` waits for. In a handler these are two, where the
// thread that it interrupts is the holder: that waits for the handler.
void AddToCycle(const ThreadState& waiter, const ThreadState& former,
                std::vector<CycleWait>* cycle) {
  std::uint32_t held = ClassWaitedFor(former);
  const void* lock = former.waiting.target.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < waiter.held.interrupted_size(); ++i) {
    if (waiter.held.at(i).lock.load(std::memory_order_relaxed) != lock) continue;
    const HeldLock& interrupt = waiter.held.own(0);
    const std::uint32_t handler = interrupt.lock_class.load(std::memory_order_relaxed)->id();
    cycle->push_back({held, handler, interrupt.site.load(std::memory_order_relaxed)});
    held = handler;
    break;
  }
  cycle->push_back(
      {held, ClassWaitedFor(waiter), waiter.waiting.site.load(std::memory_order_relaxed)});
}

Finding Deadlock(const Threads& threads, const std::vector<std::size_t>& circle) {
  Finding finding;
  finding.id = "LK09";
  finding.tier = "confirmed";
  finding.title = "deadlock:";
  for (std::size_t i = 0; i < circle.size(); ++i) {
    const ThreadState& waiter = *threads[circle[i]].thread;
    const ThreadState& holder = *threads[circle[(i + 1) % circle.size()]].thread;
    const bool joins =
        waiter.waiting.target_class.load(std::memory_order_relaxed) == &kThreadJoinClass;
    finding.title += (i == 0 ? " " : ", ") + waiter.name + " waits for " +
                     (joins ? "the end of " : TargetOf(waiter) + " held by ") + holder.name;
    const ThreadState& former = *threads[circle[(i + circle.size() - 1) % circle.size()]].thread;
    AddToCycle(waiter, former, &finding.cycle);
  }
  finding.signature = Signature(finding.id, threads, circle);
  return finding;
}

// Waits for a lock whose holder is none of the unfinished threads.
bool HolderHasEnded(const Threads& threads, const UnfinishedThread& waiter) {
  const std::uint32_t holder = HolderId(*waiter.thread);
  if (waiter.sleeps || holder == kNobody || holder == kMany) return false;
  return std::none_of(threads.begin(), threads.end(),
                      [&](const UnfinishedThread& other) { return other.thread->id == holder; });
}

bool MayIdle(const UnfinishedThread& thread) {
  return thread.sleeps && thread.thread->waiting.may_idle.load(std::memory_order_relaxed);
}

Finding LostWakeup(const Threads& threads, const std::vector<std::size_t>& sleepers) {
  Finding finding;
  finding.id = "LK10";
  finding.tier = "confirmed";
  const bool daemons_only = std::all_of(sleepers.begin(), sleepers.end(),
                                        [&](std::size_t i) { return MayIdle(threads[i]); });
  finding.title = daemons_only ? "a daemon waits for work that nobody brings, and others for it:"
                               : "lost wakeup: nobody is left to wake";
  for (std::size_t i : sleepers) {
    const ThreadState& thread = *threads[i].thread;
    const char* message = thread.waiting.message.load(std::memory_order_relaxed);
    finding.title +=
        (i == sleepers.front() ? " " : ", ") + thread.name + " (" + TargetOf(thread) +
        (message == nullptr || *message == '\0' ? ")" : std::string(", ") + message + ")");
  }
  finding.signature = Signature(finding.id, threads, sleepers);
  return finding;
}

}  // namespace

bool OnlyIdle(const Threads& threads) {
  return std::all_of(threads.begin(), threads.end(), MayIdle);
}

Finding ExplainStuck(const Threads& threads, bool with_evidence) {
  std::vector<std::size_t> guilty = Circle(threads);
  Finding finding;
  if (!guilty.empty()) {
    finding = Deadlock(threads, guilty);
  } else {
    for (std::size_t i = 0; i < threads.size() && guilty.empty(); ++i)
      if (HolderHasEnded(threads, threads[i])) guilty.push_back(i);
    if (!guilty.empty()) {
      const ThreadState& waiter = *threads[guilty[0]].thread;
      finding.id = "LK11";
      finding.tier = "confirmed";
      finding.title = waiter.name + " waits for " + TargetOf(waiter) + ", whose holder, thread " +
                      std::to_string(HolderId(waiter)) + ", has ended";
      finding.signature = Signature(finding.id, threads, guilty);
    } else {
      for (std::size_t i = 0; i < threads.size(); ++i)
        if (threads[i].sleeps && !MayIdle(threads[i])) guilty.push_back(i);
      for (std::size_t i = 0; i < threads.size() && guilty.empty(); ++i)
        if (threads[i].sleeps) guilty.push_back(i);
      finding = LostWakeup(threads, guilty);
    }
  }
  if (with_evidence) AddEvidence(threads, guilty, &finding);
  return finding;
}

Finding ExplainLivelock(const Threads& threads, std::uint32_t steps, bool with_evidence) {
  Finding finding;
  finding.id = "LIVELOCK";
  finding.title = "no end after " + std::to_string(steps) + " scheduling points";
  finding.signature = "LIVELOCK:";
  for (const UnfinishedThread& thread : threads) {
    ThreadEvidence evidence;
    evidence = Evidence(thread);
    if (thread.thread->waiting.sequence.load(std::memory_order_relaxed) % 2 == 0 &&
        thread.next.kind != PointKind::kStart)
      evidence.what = std::string("goes on with ") + PointKindName(thread.next.kind) + " at " +
                      FormatSite(thread.next.site);
    if (with_evidence) finding.threads.push_back(std::move(evidence));
  }
  return finding;
}

}  // namespace locking
