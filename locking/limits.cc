#include "locking/limits.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "locking/evidence.h"
#include "locking/futex.h"
#include "locking/stack.h"
#include "locking/witness.h"

namespace locking {
namespace {

std::string Duration(std::uint64_t ns) {
  return absl::FormatDuration(absl::Nanoseconds(static_cast<std::int64_t>(ns)));
}

}  // namespace

// The time is stored last and taken away first: where it is the same behind the other fields, they
// belong to it.
Limits::Stretch Limits::HoldOf(const HeldLock& held) {
  Stretch hold;
  hold.since_ns = held.since_ns.load(std::memory_order_acquire);
  hold.lock_class = held.lock_class.load(std::memory_order_acquire);
  hold.instance = held.instance();
  hold.site = held.site.load(std::memory_order_acquire);
  if (held.since_ns.load(std::memory_order_acquire) != hold.since_ns) return {};
  return hold;
}

Limits::Stretch Limits::WaitOf(const WaitRecord& wait) {
  if (wait.may_idle.load(std::memory_order_relaxed)) return {};
  return {.since_ns = wait.since_ns.load(std::memory_order_relaxed),
          .lock_class = wait.target_class.load(std::memory_order_relaxed),
          .instance = wait.instance.load(std::memory_order_relaxed),
          .site = wait.site.load(std::memory_order_relaxed)};
}

bool Limits::Exceeds(Kind kind, const Stretch& stretch, std::uint64_t now_ns) {
  const std::uint64_t bound = kind == Kind::kHold ? bounds_.hold_ns : bounds_.wait_ns;
  if (bound == 0 || stretch.since_ns == 0 || now_ns - stretch.since_ns <= bound ||
      now_ns < stretch.since_ns)
    return false;
  std::lock_guard lock(mutex_);
  return reported_.insert(Describe(kind, End::kOver, stretch, now_ns).signature).second;
}

Finding Limits::Describe(Kind kind, End end, const Stretch& stretch, std::uint64_t now_ns) const {
  const bool hold = kind == Kind::kHold;
  const std::string lock = stretch.lock_class == nullptr
                               ? "an event"
                               : FormatLock(*stretch.lock_class, stretch.instance);
  const std::string took = " for " + Duration(now_ns - stretch.since_ns) + ", longer than the " +
                           Duration(hold ? bounds_.hold_ns : bounds_.wait_ns) + " allowed; ";
  const std::string site = FormatSite(stretch.site);
  Finding finding;
  finding.id = "LK13";
  if (hold)
    finding.title =
        lock + (end == End::kOver ? " was held" : " has been held") + took + "taken at " + site;
  else
    finding.title = (end == End::kOver ? "a thread waited for " : "a thread has waited for ") +
                    lock + took + "at " + site;
  finding.signature =
      "LK13: " + (stretch.lock_class == nullptr ? "an event" : stretch.lock_class->name()) +
      (hold ? " held, taken at " : " waited for at ") + site;
  return finding;
}

void Limits::HoldEnds(ThreadState& self, std::uint32_t index, Site site) {
  const std::uint64_t now_ns = MonotonicNs();
  const Stretch hold = HoldOf(self.held.at(index));
  if (!Exceeds(Kind::kHold, hold, now_ns)) return;
  Finding finding = Describe(Kind::kHold, End::kOver, hold, now_ns);
  ThreadEvidence taken;
  taken.thread = self.name;
  taken.what = "took " + hold.lock_class->name() + " at " + FormatSite(hold.site);
  if (self.run.witness != nullptr) taken.stack = self.run.witness->StackOfHeld(self, index);
  finding.threads.push_back(std::move(taken));
  finding.threads.push_back(EvidenceOfCaller("lets go of it at " + FormatSite(site)));
  ReportFinding(std::move(finding));
}

void Limits::WaitEnds(ThreadState& self) {
  const std::uint64_t now_ns = MonotonicNs();
  const Stretch wait = WaitOf(self.waiting);
  if (!Exceeds(Kind::kWait, wait, now_ns)) return;
  Finding finding = Describe(Kind::kWait, End::kOver, wait, now_ns);
  finding.threads.push_back(EvidenceOfCaller("has waited at " + FormatSite(wait.site)));
  ReportFinding(std::move(finding));
}

void Limits::AddOverdue(Kind kind, const Stretch& stretch, const ThreadState& thread,
                        std::span<ThreadState* const> threads, std::vector<Finding>* findings) {
  const std::uint64_t now_ns = MonotonicNs();
  if (!Exceeds(kind, stretch, now_ns)) return;
  Finding finding = Describe(kind, End::kGoesOn, stretch, now_ns);
  finding.threads.push_back(EvidenceOf(thread));
  for (const ThreadState* other : threads)
    if (other != &thread) finding.threads.push_back(EvidenceOf(*other));
  findings->push_back(std::move(finding));
}

std::vector<Finding> Limits::Overdue(std::span<ThreadState* const> threads) {
  std::vector<Finding> findings;
  for (const ThreadState* thread : threads) {
    if (bounds_.hold_ns != 0) {
      for (std::uint32_t i = 0; i < thread->held.size(); ++i)
        AddOverdue(Kind::kHold, HoldOf(thread->held.at(i)), *thread, threads, &findings);
    }
    Stretch wait;
    if (PinnedWait pinned(thread->waiting); pinned.waits()) wait = WaitOf(thread->waiting);
    AddOverdue(Kind::kWait, wait, *thread, threads, &findings);
  }
  return findings;
}

}  // namespace locking
