#include "locking/witness/lock_order_witness.h"

#include <algorithm>

#include "locking/evidence.h"
#include "locking/executor.h"
#include "locking/hash.h"
#include "locking/stack.h"
#include "locking/witness/quiet_section.h"
#include "locking/witness/witness_report.h"

namespace locking {
namespace {

void ReportAll(std::vector<Finding>* findings) {
  for (Finding& finding : *findings) ReportFinding(std::move(finding));
}

bool HoldsClass(const ThreadState& self, const LockClass& lock_class) {
  for (std::uint32_t i = 0; i < self.held.size(); ++i)
    if (self.held.at(i).lock_class.load(std::memory_order_relaxed) == &lock_class) return true;
  return false;
}

}  // namespace

LockOrderWitness::LockOrderWitness(WitnessOptions options) : options_(std::move(options)) {}
LockOrderWitness::~LockOrderWitness() = default;

void LockOrderWitness::DecideChain(ThreadState& self, const LockBase& lock, LockMode mode,
                                   Attempt attempt, Site site) {
  const Attempted taking{.lock_class = lock.lock_class(),
                         .instance = lock.instance(),
                         .mode = mode,
                         .attempt = attempt,
                         .site = site,
                         .chain = self.held.ChainWith(lock.lock_class(), mode, attempt),
                         .class_held = HoldsClass(self, lock.lock_class()),
                         .lock = &lock,
                         .released = nullptr};
  if (taking.class_held && self.chains != nullptr) {
    if (attempt == Attempt::kBlocking) CheckSameInstance(self, taking);
    ChainCache::Slot* slot = self.chains->Find(taking.chain);
    // Without a declared order, the first look at the chain has said it.
    const bool any_order =
        options_.same_class_order == nullptr || lock.lock_class().Has(LockClassFlags::kDuplicateOk);
    if (slot != nullptr && (any_order || InDeclaredOrder(self, taking))) {
      slot->count.store(slot->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return;
    }
  }
  DecideWithStack(self, taking);
}

void LockOrderWitness::DecideWithStack(ThreadState& self, const Attempted& taking) {
  const Stack stack = StackOf(self);
  Findings findings;
  {
    QuietSection section(mutex_, self);
    Decide(self, taking, stack, &findings);
  }
  ReportAll(&findings);
}

void LockOrderWitness::CheckSameInstance(const ThreadState& self, const Attempted& taking) {
  const HeldLock* held = self.held.Find(taking.lock);
  if (held == nullptr) return;
  const bool both_shared = taking.mode == LockMode::kShared && held->mode() == LockMode::kShared;
  // The caller would wait for itself for ever.
  if (!both_shared) return watch::Recursion(*taking.lock, taking.site);
  if (taking.lock_class.Has(LockClassFlags::kRecursiveRead)) return;
  const std::string name = FormatLock(taking.lock_class, taking.instance);
  Finding finding;
  finding.id = "LK01";
  finding.title = name + " is read-locked again by its reader: a writer between them blocks both";
  finding.signature =
      "LK01: " + taking.lock_class.name() + " read again at " + FormatSite(taking.site);
  {
    QuietSection section(mutex_, self);
    if (!reported_.insert(finding.signature).second) return;
  }
  finding.threads.push_back(
      EvidenceOfCaller("takes " + name + " (shared) at " + FormatSite(taking.site) + " again"));
  ReportFinding(std::move(finding));
}

bool LockOrderWitness::InDeclaredOrder(const ThreadState& self, const Attempted& taking) const {
  if (options_.same_class_order == nullptr) return false;
  const LockClass& lock_class = taking.lock_class;
  for (std::uint32_t i = 0; i < self.held.size(); ++i) {
    const HeldLock& held = self.held.at(i);
    if (held.lock_class.load(std::memory_order_relaxed) == &lock_class &&
        !options_.same_class_order(lock_class, held.instance(), taking.instance, self.held))
      return false;
  }
  return true;
}

LockOrderWitness::ThreadRecord& LockOrderWitness::RecordOf(ThreadState& self) {
  ThreadRecord& record = threads_[KeyOf(self)];
  if (record.chains == nullptr) record.chains = std::make_unique<ChainCache>();
  if (self.chains == nullptr) {
    self.chains = record.chains.get();
    record.name = graph_.InternThreadName(self.name);
  }
  if (record.moment == nullptr) record.moment = std::make_shared<const Moment>(self.id);
  return record;
}

void LockOrderWitness::SetMoment(ThreadRecord& record, Moment moment) {
  record.moment = std::make_shared<const Moment>(std::move(moment));
  if (record.chains->used() == 0) return;
  FoldCounts(*record.chains);
  record.chains->Clear();
}

std::shared_ptr<const Moment> LockOrderWitness::Depart(ThreadState& self) {
  QuietSection section(mutex_, self);
  ThreadRecord& record = RecordOf(self);
  std::shared_ptr<const Moment> now = record.moment;
  Moment next = *now;
  next.BeginEpoch(self.id);
  SetMoment(record, std::move(next));
  return now;
}

void LockOrderWitness::Follow(ThreadState& self, const Moment& moment) {
  QuietSection section(mutex_, self);
  ThreadRecord& record = RecordOf(self);
  Moment next = *record.moment;
  next.Follow(moment);
  SetMoment(record, std::move(next));
}

void LockOrderWitness::Decide(ThreadState& self, const Attempted& taking, const Stack& stack,
                              Findings* findings) {
  const bool returns = self.chains == nullptr;  // a fibre whose id was there before, at its start
  ChainCache& chains = *RecordOf(self).chains;
  if (returns && !taking.class_held && chains.Hit(taking.chain, self.held.instances())) return;
  ChainCache::Slot* slot = chains.Find(taking.chain);
  if (slot != nullptr && !taking.class_held) {
    Resample(self, slot, findings);
    return;
  }
  if (slot != nullptr &&
      (slot->record == kNotKept || graph_.acquisition(slot->record).resamples == kResamples)) {
    slot->count.store(slot->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return;
  }
  Add(self, taking, Describe(self, taking, stack), findings);
}

Acquisition LockOrderWitness::Describe(const ThreadState& self, const Attempted& taking,
                                       const Stack& stack) {
  const ThreadRecord& record = threads_[KeyOf(self)];
  Acquisition a{.thread = self.id,
                .thread_name = record.name,
                .moment = record.moment,
                .taken = {},
                .held = {}};
  a.taken = {.node = graph_.NodeOf(taking.lock_class),
             .instance = taking.instance,
             .mode = taking.mode,
             .attempt = taking.attempt,
             .site = taking.site,
             .stack = graph_.stacks().Add(stack),
             .stack_site = taking.site};
  const std::uint32_t n = self.held.size();
  a.held.reserve(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    const HeldLock& held = self.held.at(i);
    if (taking.released != nullptr && held.lock.load(std::memory_order_relaxed) == taking.released)
      continue;
    TakenLock lock{.node = graph_.NodeOf(*held.lock_class.load(std::memory_order_relaxed)),
                   .instance = held.instance(),
                   .mode = held.mode(),
                   .attempt = held.attempt(),
                   .stable = held.attempt() != Attempt::kPromise,
                   .site = held.site.load(std::memory_order_relaxed),
                   .stack = kNoStack,
                   .stack_site = {}};
    const ChainCache::Slot* slot = record.chains->Find(self.held.ChainThrough(i));
    if (slot != nullptr && slot->record != kNotKept) {
      const TakenLock& first = graph_.acquisition(slot->record).taken;
      lock.stack = first.stack;
      lock.stack_site = first.site;
    }
    if (!instances_.Add(held.lock.load(std::memory_order_relaxed), lock.node, lock.instance))
      graph_.node(lock.node).ambiguous = true;
    a.held.push_back(lock);
  }
  if (const std::uint32_t end = graph_.FindEnd(self.spawn); end != OrderGraph::kNoEnd)
    a.held.push_back(graph_.HeldEnd(end, self.id));
  return a;
}

void LockOrderWitness::Add(ThreadState& self, const Attempted& taking, Acquisition acquisition,
                           Findings* findings) {
  ChainCache& chains = *threads_[KeyOf(self)].chains;
  if (chains.used() >= kChainsOfThread) {
    FoldCounts(chains);
    chains.Clear();
  }
  ChainCache::Slot* slot = chains.Find(taking.chain);
  const bool known = slot != nullptr;
  if (!known) slot = chains.Insert(taking.chain);
  if (known && slot->record != kNotKept) {
    Acquisition& former = graph_.acquisition(slot->record);
    former.count += slot->count.load(std::memory_order_relaxed);
    acquisition.resamples = former.resamples + 1;
  }
  slot->held_instances = taking.class_held ? 0 : self.held.instances();
  slot->instances_matter = ~0u;
  slot->count.store(0, std::memory_order_relaxed);
  if (!graph_.HasRoom(acquisition.taken.node, options_.memory_bytes)) {
    ++graph_.node(acquisition.taken.node).dropped;
    dropped_.fetch_add(1, std::memory_order_relaxed);
    if (!known) slot->record = kNotKept;
    return;
  }
  const bool blocking = acquisition.taken.attempt == Attempt::kBlocking;
  std::uint32_t index = 0;
  const bool news = graph_.Add(std::move(acquisition), &index);
  slot->record = index;
  const bool new_writer = graph_.AddWriter(index);
  if (blocking) CheckKinds(index, findings);
  if (blocking && taking.class_held && taking.lock != nullptr && !InDeclaredOrder(self, taking))
    CheckSameClass(self, taking, index, findings);
  if (news) CheckCycles(index, findings);
  if (new_writer) Reconsider(findings);
}

void LockOrderWitness::Resample(const ThreadState& self, ChainCache::Slot* slot,
                                Findings* findings) {
  slot->count.store(slot->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  slot->held_instances = self.held.instances();
  if (slot->record == kNotKept) {
    slot->instances_matter = 0;
    return;
  }
  Acquisition& a = graph_.acquisition(slot->record);
  if (++a.resamples == kResamples) slot->instances_matter = 0;
  bool changed = false;
  for (std::uint32_t i = 0; i < a.held.size() && !graph_.IsEnd(a.held[i].node); ++i) {
    const HeldLock& held = self.held.at(i);
    const std::uint32_t instance = held.instance();
    if (a.held[i].stable && a.held[i].instance != instance) {
      a.held[i].stable = false;
      changed = true;
    }
    ClassNode& node = graph_.node(a.held[i].node);
    if (!node.ambiguous &&
        !instances_.Add(held.lock.load(std::memory_order_relaxed), a.held[i].node, instance)) {
      node.ambiguous = true;
      changed = true;
    }
  }
  if (!changed) return;
  graph_.AddWriter(slot->record);
  if (graph_.AddAgain(slot->record)) CheckCycles(slot->record, findings);
  Reconsider(findings);
}

void LockOrderWitness::CheckKinds(std::uint32_t index, Findings* findings) {
  const Acquisition& a = graph_.acquisition(index);
  const ClassNode& taken = graph_.node(a.taken.node);
  for (std::uint32_t i = 0; i < a.held.size(); ++i) {
    const ClassNode& held = graph_.node(a.held[i].node);
    if (held.kind == LockKind::kResource || taken.kind >= held.kind) continue;
    Finding finding =
        PairFinding(graph_, index, i, "LK05", "",
                    taken.name + " (" + LockKindName(taken.kind) + ") is taken inside " +
                        held.name + " (" + LockKindName(held.kind) + ")");
    if (reported_.insert(finding.signature).second) findings->push_back(std::move(finding));
  }
}

void LockOrderWitness::CheckSameClass(const ThreadState& self, const Attempted& taking,
                                      std::uint32_t index, Findings* findings) {
  const Acquisition& a = graph_.acquisition(index);
  const ClassNode& taken = graph_.node(a.taken.node);
  if (taken.duplicate_ok) return;
  for (std::uint32_t i = 0; i < a.held.size(); ++i) {
    if (a.held[i].node != a.taken.node) continue;
    if (self.held.at(i).lock.load(std::memory_order_relaxed) == taking.lock) continue;  // LK01
    const bool both_shared =
        a.held[i].mode == LockMode::kShared && a.taken.mode == LockMode::kShared;
    if (both_shared && taken.recursive_read) continue;
    Finding finding =
        PairFinding(graph_, index, i, "LK04", "class-only",
                    "two instances of " + taken.name + " are held in an order nobody declared");
    if (reported_.insert(finding.signature).second) findings->push_back(std::move(finding));
  }
}

void LockOrderWitness::CheckCycles(std::uint32_t index, Findings* findings) {
  bool listed = false;
  for (const LockCycle& cycle : search_.Find(index)) {
    listed = listed || cycle.tier != Tier::kProvable;
    if (FirstReport(cycle)) findings->push_back(CycleFinding(graph_, cycle));
  }
  if (listed && (listed_.empty() || listed_.back() != index)) listed_.push_back(index);
}

// A gate or a reader was taken out of an earlier verdict.
void LockOrderWitness::Reconsider(Findings* findings) {
  std::vector<std::uint32_t> again;
  again.swap(listed_);
  for (std::uint32_t index : again) CheckCycles(index, findings);
}

bool LockOrderWitness::FirstReport(const LockCycle& cycle) {
  std::vector<std::uint32_t> classes;
  for (const OrderEdge::Sample& sample : cycle.edges)
    classes.push_back(graph_.acquisition(sample.acquisition).held[sample.held].node);
  std::rotate(classes.begin(), std::min_element(classes.begin(), classes.end()), classes.end());
  bool first = false;
  for (std::size_t i = 0; i < cycle.edges.size(); ++i) {
    const Acquisition& a = graph_.acquisition(cycle.edges[i].acquisition);
    const std::uint64_t edge_and_site = HashCombine(HashSite(a.taken.site), a.taken.node);
    const auto [it, added] =
        reported_cycles_.try_emplace(CycleKey{classes, edge_and_site}, cycle.tier);
    const bool better = added || it->second < cycle.tier;
    if (better) it->second = cycle.tier;
    if (i == 0) first = better;
  }
  return first;
}

void LockOrderWitness::AtOperationEnd(ThreadState& self, const char* operation) {
  for (std::uint32_t i = 0; i < self.held.size(); ++i)
    if (self.held.at(i).attempt() != Attempt::kPromise)
      ReportHeld(self, i, "LK11", std::string("is held at the end of ") + operation, operation);
}

void LockOrderWitness::AtThreadEnd(ThreadState& self) {
  AtOperationEnd(self, "thread exit");
  for (std::uint32_t i = 0; i < self.held.size(); ++i)
    if (self.held.at(i).attempt() == Attempt::kPromise)
      ReportHeld(self, i, "LK11", "is not signalled by the end of the thread that promised it",
                 "thread exit");
  self.held.Clear();
  if (self.chains == nullptr) return;
  self.chains = nullptr;
  if (self.executor != nullptr) return;  // the next execution has a thread of this id again
  QuietSection section(mutex_, self);
  const auto it = threads_.find(KeyOf(self));
  FoldCounts(*it->second.chains);
  threads_.erase(it);
}

void LockOrderWitness::ReportHeld(ThreadState& self, std::uint32_t held, const char* id,
                                  const std::string& title, const std::string& place) {
  const HeldLock& entry = self.held.at(held);
  const LockClass& lock_class = *entry.lock_class.load(std::memory_order_relaxed);
  const Site site = entry.site.load(std::memory_order_relaxed);
  Finding finding;
  finding.id = id;
  finding.title = FormatLock(lock_class, entry.instance()) + " " + title;
  finding.signature =
      finding.id + ": " + lock_class.name() + " at " + FormatSite(site) + ", " + place;
  ThreadEvidence taken;
  taken.thread = self.name;
  taken.what = (entry.attempt() == Attempt::kPromise ? "promised " : "took ") + lock_class.name() +
               " at " + FormatSite(site);
  {
    QuietSection section(mutex_, self);
    if (!reported_.insert(finding.signature).second) return;
    ChainCache::Slot* slot =
        self.chains == nullptr ? nullptr : self.chains->Find(self.held.ChainThrough(held));
    if (slot != nullptr && slot->record != kNotKept)
      taken.stack = FormatStack(graph_.stacks().Get(graph_.acquisition(slot->record).taken.stack));
  }
  finding.threads.push_back(std::move(taken));
  finding.threads.push_back(EvidenceOfCaller("still holds it, " + place));
  ReportFinding(std::move(finding));
}

void LockOrderWitness::Destroyed(const LockBase& lock) {
  if (!instances_.MayKnow(&lock)) return;
  QuietSection section(mutex_, Self());
  instances_.Remove(&lock);
}

void LockOrderWitness::FoldCounts(ChainCache& chains) {
  chains.ForEach([&](const ChainCache::Slot& slot) {
    if (slot.record != kNotKept)
      graph_.acquisition(slot.record).count += slot.count.load(std::memory_order_relaxed);
  });
}

OrderSnapshot LockOrderWitness::Snapshot(Stacks stacks) const {
  std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> counts(graph_.acquisition_count());
  for (std::uint32_t i = 0; i < counts.size(); ++i) counts[i] = graph_.acquisition(i).count;
  for (const auto& [key, thread] : threads_)
    thread.chains->ForEach([&](const ChainCache::Slot& slot) {
      if (slot.record != kNotKept)
        counts[slot.record] += slot.count.load(std::memory_order_relaxed);
    });
  OrderSnapshot snapshot = Observed(graph_, counts, stacks == Stacks::kFirstSample);
  snapshot.dropped = dropped();
  return snapshot;
}

}  // namespace locking
