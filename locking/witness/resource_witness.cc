// What the witness makes of resources: a sleep is an acquisition that stands under all that is held
// over it, a holder or signaller one that holds the resource.
#include <algorithm>

#include "locking/evidence.h"
#include "locking/executor.h"
#include "locking/stack.h"
#include "locking/thread.h"
#include "locking/witness/lock_order_witness.h"
#include "locking/witness/quiet_section.h"

namespace locking {

Stack LockOrderWitness::StackOf(const ThreadState& self) {
  const bool wants_stack = self.executor == nullptr || self.executor->wants_evidence();
  return wants_stack ? CurrentStack(4) : Stack();
}

void LockOrderWitness::DecideHold(ThreadState& self, const Resource& resource, LockMode mode,
                                  Attempt attempt, Site site) {
  const LockClass& resource_class = *resource.resource_class;
  const Attempted holding{.lock_class = resource_class,
                          .instance = resource.instance,
                          .mode = mode,
                          .attempt = attempt,
                          .site = site,
                          .chain = self.held.ChainWith(resource_class, mode, attempt),
                          .class_held = false,
                          .order = SameClass::kInOrder,
                          .lock = nullptr,
                          .released = nullptr};
  if (attempt == Attempt::kPromise) {
    QuietSection section(mutex_, self);
    ClassNode& node = graph_.node(graph_.NodeOf(resource_class));
    node.signallers[resource.instance].insert(self.id);
  }
  DecideWithStack(self, holding);
}

void LockOrderWitness::BeforeSleep(ThreadState& self, const LockBase* interlock,
                                   const Resource& resource, std::uint64_t deadline_ns, Site site) {
  const LockClass& resource_class = *resource.resource_class;
  const bool holds_more =
      CheckHeldAtSleep(self, interlock, FormatLock(resource_class, resource.instance), site);
  // A deadline ends the sleep by itself, and so does whoever brings work to a daemon.
  if (deadline_ns != kNoDeadline || resource.may_idle) return;
  const std::uint64_t chain = self.held.ChainWithout(interlock, resource_class);
  // With nothing held it says only what a spawned thread waits for before it ends.
  if (!holds_more &&
      (self.spawn == 0 || (self.chains != nullptr &&
                           self.chains->Hit(chain, self.held.InstancesWith(resource.instance)))))
    return;
  if (resource.units > 1) {
    QuietSection section(mutex_, self);
    ClassNode& node = graph_.node(graph_.NodeOf(resource_class));
    node.units = std::max(node.units, resource.units);
  }
  const Attempted waiting{.lock_class = resource_class,
                          .instance = resource.instance,
                          .mode = LockMode::kExclusive,
                          .attempt = Attempt::kBlocking,
                          .site = site,
                          .chain = chain,
                          .class_held = false,
                          .order = SameClass::kInOrder,
                          .lock = nullptr,
                          .released = interlock};
  DecideWithStack(self, waiting);
}

bool LockOrderWitness::CheckHeldAtSleep(ThreadState& self, const LockBase* interlock,
                                        const std::string& target, Site site) {
  bool holds_more = false;
  for (std::uint32_t i = 0; i < self.held.own_size(); ++i) {
    const HeldLock& held = self.held.own(i);
    const LockKind kind = held.lock_class.load(std::memory_order_relaxed)->kind();
    if (held.lock.load(std::memory_order_relaxed) == interlock) continue;
    holds_more = true;
    if (kind == LockKind::kInterrupt)
      ReportHeld(self, i, "LK05", "has a handler that sleeps for " + target, FormatSite(site));
    if (kind == LockKind::kMutex || kind == LockKind::kSpin)
      ReportHeld(self, i, kind == LockKind::kSpin ? "LK05" : "LK11",
                 "is held at a sleep for " + target, FormatSite(site));
  }
  return holds_more;
}

// Its edges are made when somebody who may be waited for himself waits for the thread: hardly any
// program does, and the others pay nothing.
std::uint32_t LockOrderWitness::EndOf(const SpawnedThread& thread) {
  std::uint32_t end = graph_.FindEnd(thread.number);
  if (end != OrderGraph::kNoEnd) return end;
  end = graph_.AddEnd(thread.number, kThreadJoinClass, "the end of " + thread.name);
  for (std::uint32_t i = 0; thread.id != 0 && i < graph_.acquisition_count(); ++i) {
    if (graph_.acquisition(i).thread != thread.id) continue;
    graph_.AddHeld(i, OrderGraph::HeldEnd(end, thread.id));
  }
  return end;
}

void LockOrderWitness::BeforeJoin(ThreadState& self, const SpawnedThread& joined, Site site) {
  const bool holds = CheckHeldAtSleep(self, nullptr, "the end of " + joined.name, site);
  if (!holds && self.spawn == 0) return;
  const Attempted joining{.lock_class = kThreadJoinClass,
                          .instance = joined.id,
                          .mode = LockMode::kExclusive,
                          .attempt = Attempt::kBlocking,
                          .site = site,
                          .chain = 0,
                          .class_held = false,
                          .order = SameClass::kInOrder,
                          .lock = nullptr,
                          .released = nullptr};
  const Stack stack = StackOf(self);
  Findings findings;
  {
    QuietSection section(mutex_, self);
    RecordOf(self);
    const std::uint32_t end = EndOf(joined);
    Acquisition acquisition = Describe(self, joining, stack);
    acquisition.taken.node = end;
    std::uint32_t index = 0;
    if (graph_.Add(std::move(acquisition), true, &index)) CheckCycles(index, &findings);
  }
  for (Finding& finding : findings) ReportFinding(std::move(finding));
}

}  // namespace locking
