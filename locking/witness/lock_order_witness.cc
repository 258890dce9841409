#include "locking/witness/lock_order_witness.h"

#include <algorithm>
#include <utility>

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

// The chain of a lock whose class is held already is kept under another key, so that the thread's
// own look at its cache never finds it: the instances matter each time.
constexpr std::uint64_t kNestedKey = 0x5A5A5A5A5A5A5A5Aull;

bool HoldsClass(const ThreadState& self, const LockClass& lock_class) {
  for (std::uint32_t i = 0; i < self.held.own_size(); ++i)
    if (self.held.own(i).lock_class.load(std::memory_order_relaxed) == &lock_class) return true;
  return false;
}

bool IsInterrupt(const HeldLock& held) {
  return held.lock_class.load(std::memory_order_relaxed)->kind() == LockKind::kInterrupt;
}

void CountOne(ChainCache::Slot* slot) {
  slot->count.store(slot->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

LockOrderWitness::LockOrderWitness(WitnessOptions options) : options_(std::move(options)) {}
LockOrderWitness::~LockOrderWitness() = default;

void LockOrderWitness::DecideChain(ThreadState& self, const LockBase& lock, LockMode mode,
                                   Attempt attempt, Site site) {
  const std::uint64_t chain = self.held.ChainWith(lock.lock_class(), mode, attempt);
  const bool class_held = HoldsClass(self, lock.lock_class());
  const Attempted taking{.lock_class = lock.lock_class(),
                         .instance = lock.instance(),
                         .mode = mode,
                         .attempt = attempt,
                         .site = site,
                         .chain = class_held ? chain ^ kNestedKey : chain,
                         .class_held = class_held,
                         .order = class_held && attempt == Attempt::kBlocking
                                      ? OrderInClass(self, lock)
                                      : SameClass::kInOrder,
                         .lock = &lock,
                         .released = nullptr};
  if (class_held) {
    if (attempt == Attempt::kBlocking) CheckSameInstance(self, taking);
    if (taking.in_order() && self.chains != nullptr &&
        self.chains->Hit(taking.chain, self.held.InstancesWith(lock.instance())))
      return;
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
  if (held == nullptr || held < &self.held.own(0)) return;
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

SameClass LockOrderWitness::OrderInClass(const ThreadState& self, const LockBase& taken) const {
  const LockClass& lock_class = taken.lock_class();
  if (lock_class.Has(LockClassFlags::kDuplicateOk)) return SameClass::kInOrder;
  for (std::uint32_t i = self.held.own_size(); i-- > 0;) {
    const HeldLock& held = self.held.own(i);
    if (held.lock_class.load(std::memory_order_relaxed) != &lock_class) continue;
    if (lock_class.order() != nullptr) {
      const auto* newest = static_cast<const LockBase*>(held.lock.load(std::memory_order_relaxed));
      return lock_class.order()(*newest, taken) ? SameClass::kInOrder : SameClass::kAgainst;
    }
    if (options_.same_class_order == nullptr) return SameClass::kUndeclared;
    const SameClass order =
        options_.same_class_order(lock_class, held.instance(), taken.instance(), self.held);
    if (order != SameClass::kInOrder) return order;
  }
  return SameClass::kInOrder;
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
  record.nestings.clear();
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
  ThreadRecord& record = RecordOf(self);
  const std::uint32_t instances = self.held.InstancesWith(taking.instance);
  // A fibre whose id was there before has chains at its start.
  if (taking.in_order() && record.chains->Hit(taking.chain, instances)) return;
  ChainCache::Slot* slot = record.chains->Find(taking.chain);
  if (slot != nullptr) {
    const bool known =
        slot->record == kNotKept ||
        (taking.in_order() ? graph_.acquisition(slot->record).resamples == kResamples
                           : record.nestings.contains(HashCombine(taking.chain, instances)));
    if (known) return CountOne(slot);
  }
  if (!taking.in_order()) record.nestings.insert(HashCombine(taking.chain, instances));
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
  const std::uint32_t n = self.held.own_size();
  a.held.reserve(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    const HeldLock& held = self.held.own(i);
    if (taking.released != nullptr && held.lock.load(std::memory_order_relaxed) == taking.released)
      continue;
    const std::uint32_t place = self.held.interrupted_size() + i;
    if (self.held.Repeats(place)) {  // one stands for all of them
      a.held.back().exact = false;
      continue;
    }
    if (const OutlivedLocks* outlived = self.held.OutlivedBy(place); outlived != nullptr)
      for (const OutlivedLocks::Lock& former : outlived->all())
        a.outlived.push_back({static_cast<std::uint32_t>(a.held.size()),
                              graph_.NodeOf(*former.lock_class), former.instance, former.mode});
    a.held.push_back(DescribeHeld(*record.chains, held));
  }
  if (!a.held.empty() && graph_.IsInterrupt(a.held[0])) {  // what it interrupts stands below
    a.held[0].stack = a.taken.stack;
    a.held[0].stack_site = a.held[0].site;
  }
  for (std::uint32_t i = 0; i < self.held.interrupted_size(); ++i)
    a.interrupted.push_back(DescribeHeld(*record.chains, self.held.at(i)));
  if (const std::uint32_t end = graph_.FindEnd(self.spawn); end != OrderGraph::kNoEnd)
    a.held.push_back(graph_.HeldEnd(end, self.id));
  return a;
}

TakenLock LockOrderWitness::DescribeHeld(ChainCache& chains, const HeldLock& held) {
  TakenLock lock{.node = graph_.NodeOf(*held.lock_class.load(std::memory_order_relaxed)),
                 .instance = held.instance(),
                 .mode = held.mode(),
                 .attempt = held.attempt(),
                 .site = held.site.load(std::memory_order_relaxed),
                 .stack = kNoStack,
                 .stack_site = {}};
  if (const Acquisition* first = RecordThrough(chains, held); first != nullptr) {
    lock.stack = first->taken.stack;
    lock.stack_site = first->taken.site;
  }
  if (!graph_.node(lock.node).ambiguous &&
      !instances_.Add(held.lock.load(std::memory_order_relaxed), lock.node, lock.instance))
    graph_.node(lock.node).ambiguous = reconsider_ = true;
  return lock;
}

const Acquisition* LockOrderWitness::RecordThrough(ChainCache& chains, const HeldLock& held) const {
  const ChainCache::Slot* slot = chains.Find(held.chain);
  if (slot == nullptr) slot = chains.Find(held.chain ^ kNestedKey);
  return slot == nullptr || slot->record == kNotKept ? nullptr : &graph_.acquisition(slot->record);
}

// The chain was seen before with the locks of `former`.
void LockOrderWitness::CompareWith(const Acquisition& former, Acquisition* acquisition) {
  const auto compare = [](const TakenLock& before, TakenLock* now) {
    now->varies = before.varies || before.instance != now->instance;
  };
  acquisition->resamples = former.resamples + 1;
  compare(former.taken, &acquisition->taken);
  // What follows the end of a thread came later.
  for (std::size_t i = 0; i < std::min(former.held.size(), acquisition->held.size()); ++i)
    compare(former.held[i], &acquisition->held[i]);
  if (acquisition->resamples < kResamples) return;
  // The last look: from now on it stands for whatever comes.
  acquisition->taken.exact = !acquisition->taken.varies;
  for (TakenLock& lock : acquisition->held) lock.exact = lock.exact && !lock.varies;
}

void LockOrderWitness::Add(ThreadState& self, const Attempted& taking, Acquisition acquisition,
                           Findings* findings) {
  ThreadRecord& record = threads_[KeyOf(self)];
  if (record.chains->used() >= kChainsOfThread) {
    FoldCounts(*record.chains);
    record.chains->Clear();
    record.nestings.clear();
  }
  ChainCache::Slot* slot = record.chains->Find(taking.chain);
  const bool known = slot != nullptr;
  if (!known) slot = record.chains->Insert(taking.chain);
  if (known) {
    Acquisition& former = graph_.acquisition(slot->record);
    former.count += slot->count.load(std::memory_order_relaxed);
    if (taking.in_order()) CompareWith(former, &acquisition);
  }
  slot->instances = self.held.InstancesWith(taking.instance);
  slot->instances_matter = acquisition.resamples == kResamples ? 0 : ~0u;
  slot->count.store(0, std::memory_order_relaxed);
  if (!graph_.HasRoom(acquisition.taken.node, options_.memory_bytes)) {
    ++graph_.node(acquisition.taken.node).dropped;
    dropped_.fetch_add(1, std::memory_order_relaxed);
    if (!known) slot->record = kNotKept;
    return;
  }
  std::uint32_t index = 0;
  const bool declared = taking.order != SameClass::kUndeclared;
  const std::uint32_t node = acquisition.taken.node;
  const std::uint64_t dropped_before = graph_.node(node).dropped;
  const bool news = graph_.Add(std::move(acquisition), declared, &index);
  dropped_.fetch_add(graph_.node(node).dropped - dropped_before, std::memory_order_relaxed);
  slot->record = index;
  const bool new_writer = graph_.AddWriter(index);
  if (taking.attempt == Attempt::kBlocking) CheckKinds(index, findings);
  if (!taking.in_order()) CheckSameClass(self, taking, index, findings);
  if (news) CheckCycles(index, findings);
  const bool learnt = std::exchange(reconsider_, false);
  if (new_writer || learnt) Reconsider(findings);
}

void LockOrderWitness::CheckKinds(std::uint32_t index, Findings* findings) {
  const Acquisition& a = graph_.acquisition(index);
  const ClassNode& taken = graph_.node(a.taken.node);
  for (std::uint32_t i = 0; i < a.held.size(); ++i) {
    const ClassNode& held = graph_.node(a.held[i].node);
    if (MayNest(held.kind, taken.kind)) continue;
    Finding finding =
        PairFinding(graph_, index, i, "LK05", "",
                    taken.name + " (" + LockKindName(taken.kind) + ") is taken " +
                        (graph_.IsInterrupt(a.held[i]) ? "in the handler of " : "inside ") +
                        held.name + " (" + LockKindName(held.kind) + ")");
    if (reported_.insert(finding.signature).second) findings->push_back(std::move(finding));
  }
}

void LockOrderWitness::CheckSameClass(const ThreadState& self, const Attempted& taking,
                                      std::uint32_t index, Findings* findings) {
  const Acquisition& a = graph_.acquisition(index);
  const ClassNode& taken = graph_.node(a.taken.node);
  if (self.held.Find(taking.lock) != nullptr) return;  // LK01
  for (std::uint32_t i = 0; i < a.held.size(); ++i) {
    if (a.held[i].node != a.taken.node) continue;
    const bool both_shared =
        a.held[i].mode == LockMode::kShared && a.taken.mode == LockMode::kShared;
    if (both_shared && taken.recursive_read) continue;
    const bool declared = taking.order == SameClass::kAgainst;
    Finding finding = PairFinding(
        graph_, index, i, "LK04", declared ? "" : "class-only",
        "two instances of " + taken.name + " are taken in " +
            (declared ? "another order than the declared one" : "an order nobody declared"));
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

// A gate, an instance or a want of writers was taken out of an earlier verdict.
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
  for (std::uint32_t i = 0; i < self.held.own_size(); ++i)
    if (self.held.own(i).attempt() != Attempt::kPromise && !IsInterrupt(self.held.own(i)))
      ReportHeld(self, i, "LK11", std::string("is held at the end of ") + operation, operation);
}

void LockOrderWitness::AtThreadEnd(ThreadState& self) {
  AtOperationEnd(self, "thread exit");
  for (std::uint32_t i = 0; i < self.held.own_size(); ++i)
    if (self.held.own(i).attempt() == Attempt::kPromise)
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
  const HeldLock& entry = self.held.own(held);
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
  }
  taken.stack = StackOfHeld(self, self.held.interrupted_size() + held);
  finding.threads.push_back(std::move(taken));
  finding.threads.push_back(EvidenceOfCaller("still holds it, " + place));
  ReportFinding(std::move(finding));
}

void LockOrderWitness::Constructed(const LockBase& lock) { Destroyed(lock); }

std::vector<std::string> LockOrderWitness::StackOfHeld(ThreadState& self, std::uint32_t index) {
  QuietSection section(mutex_, self);
  const Acquisition* record =
      self.chains == nullptr ? nullptr : RecordThrough(*self.chains, self.held.at(index));
  if (record == nullptr) return {};
  return FormatStack(graph_.stacks().Get(record->taken.stack));
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
