// LockOrderWitness: the validator of lock order and of what may be waited for with what held.
//
//   LK01  a lock is taken again by its holder (what the primitives cannot see themselves: readers)
//   LK02  two classes are taken in both orders
//   LK03  a cycle of three or more classes
//   LK04  two instances of one class are taken against their declared order, or in both orders
//         where none is declared; held at once without a declared order, they are listed
//   LK05  a sleepable lock inside a mutex or spin lock, a mutex inside a spin lock, either in an
//         interrupt handler, a sleep with a spin lock held other than the interlock
//   LK06  what an interrupt handler takes is held where that interrupt may come, or something is
//         that is taken inside it
//   LK07  a cycle in which somebody reads, or waits to
//   LK08  a circle of waits through resources, which are nodes of the same graph
//   LK11  a lock or resource is held at the end of an operation or thread, or a mutex at a sleep
//
// Reports go to the sink of the thread that completes the evidence; the run goes on, and each
// (cycle, call site) is reported once for each tier that it reaches. Tiers of cycles:
//
//   provable        distinct threads did it, nothing they held excluded one another
//   class-only      they did, but with other locks of the classes
//   gated           they did, but a lock that they all held lets only one of them at a time
//   ordered         they did, but in every schedule one comes after the other, by spawn and join
//   other-signaller  somebody else could end a wait, who is not seen to wait too
//   single-context  fewer threads than it takes
//   no-writer       only readers would wait for readers, and nobody was seen who would wait
//                   to write
//
// An interrupt is a node like a lock. A thread that may be interrupted waits for the handler's end,
// so it takes the interrupt inside all that it holds; the handler holds the interrupt, and takes
// its locks inside that. So LK06 is a circle that leads through an interrupt, with modes and tiers
// as any other; the handler itself counts as one more thread, since it may run on any that takes
// the interrupt.
//
// The graph is one of classes, with acquisitions as evidence. A thread asks once for each chain
// (classes and modes held, in order), and a few times more when the instances change: each is
// evidence of its own, and the last stands for any instance of what varied. Two locks of one class
// without a declared order are looked at each time. What stays cheap: see ChainCache and HeldLocks.
//
// Thread safety: as Witness; Snapshot and dropped() by anyone at any time. Uses a raw mutex, which
// is no scheduling point: nothing blocks while it is held. Every thread that uses a witness must
// leave it (end, or SetRunContext) before it is destroyed.
#ifndef LOCKING_WITNESS_LOCK_ORDER_WITNESS_H_
#define LOCKING_WITNESS_LOCK_ORDER_WITNESS_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "locking/chain_cache.h"
#include "locking/witness.h"
#include "locking/witness/cycle_search.h"
#include "locking/witness/instance_table.h"
#include "locking/witness/order_graph.h"
#include "locking/witness/order_snapshot.h"

namespace locking {

// What is declared about taking a lock while others of its class are held.
enum class SameClass : std::uint8_t { kInOrder, kAgainst, kUndeclared };

// For a thread that holds instance `held` of a class, among all of `locks`, and takes instance
// `taken`. Called with locks held: must not take any.
using SameClassPredicate = std::function<SameClass(const LockClass& lock_class, std::uint32_t held,
                                                   std::uint32_t taken, const HeldLocks& locks)>;

struct WitnessOptions {
  // What the graph may take. Beyond it new chains are not kept, those of classes with many of them
  // first; dropped() counts them, OrderSnapshot::dropped_by_class by the class that was taken.
  std::size_t memory_bytes = std::size_t{256} << 20;
  // Not asked about classes with kDuplicateOk or a comparator. Empty: nothing is declared.
  SameClassPredicate same_class_order;
};

class LockOrderWitness : public Witness {
 public:
  explicit LockOrderWitness(WitnessOptions options = {});
  ~LockOrderWitness() override;

  void DecideChain(ThreadState& self, const LockBase& lock, LockMode mode, Attempt attempt,
                   Site site) override;
  // resource_witness.cc
  void DecideHold(ThreadState& self, const Resource& resource, LockMode mode, Attempt attempt,
                  Site site) override;
  void BeforeSleep(ThreadState& self, const LockBase* interlock, const Resource& resource,
                   std::uint64_t deadline_ns, Site site) override;
  void BeforeJoin(ThreadState& self, const SpawnedThread& joined, Site site) override;
  void AtOperationEnd(ThreadState& self, const char* operation) override;
  void AtThreadEnd(ThreadState& self) override;
  std::shared_ptr<const Moment> Depart(ThreadState& self) override;
  void Follow(ThreadState& self, const Moment& moment) override;
  void Constructed(const LockBase& lock) override;
  std::vector<std::string> StackOfHeld(ThreadState& self, std::uint32_t index) override;
  void Destroyed(const LockBase& lock) override;

  enum class Stacks : std::uint8_t { kNone, kFirstSample };
  // All edges observed so far. Stacks take time: each frame is looked up in the symbols.
  OrderSnapshot Snapshot(Stacks stacks) const;
  // New chains that were not kept for want of memory: not 0 means that findings may be missing.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kNotKept = ~0u;  // record of a chain that was dropped
  // Other instances in a chain are looked at this often.
  static constexpr std::uint32_t kResamples = 4;
  // Chains of one thread; then its cache starts again.
  static constexpr std::uint32_t kChainsOfThread = 1u << 18;

  struct ThreadRecord {
    std::unique_ptr<ChainCache> chains;
    std::uint32_t name = 0;  // index in the graph
    std::shared_ptr<const Moment> moment;
    // Acquisitions in no declared order that were looked at: chains with their instances.
    std::unordered_set<std::uint64_t> nestings;
  };
  // What is about to be taken, held, or waited for.
  struct Attempted {
    const LockClass& lock_class;
    std::uint32_t instance;
    LockMode mode;
    Attempt attempt;
    Site site;
    std::uint64_t chain;
    bool class_held;           // others of the class are held already
    SameClass order;           // among them
    const LockBase* lock;      // nullptr: a resource
    const LockBase* released;  // the interlock of a sleep, which is not held over it

    bool in_order() const { return order == SameClass::kInOrder; }
  };
  using Findings = std::vector<Finding>;

  void DecideWithStack(ThreadState& self, const Attempted& taking);
  static Stack StackOf(const ThreadState& self);
  // LK05 and LK11 at a sleep. Returns whether anything but the interlock is held.
  bool CheckHeldAtSleep(ThreadState& self, const LockBase* interlock, const std::string& target,
                        Site site);
  void CheckSameInstance(const ThreadState& self, const Attempted& taking);
  SameClass OrderInClass(const ThreadState& self, const LockBase& taken) const;

  static std::pair<const Executor*, std::uint32_t> KeyOf(const ThreadState& self) {
    return {self.executor, self.id};
  }

  // All below with mutex_ held.
  ThreadRecord& RecordOf(ThreadState& self);
  // Another moment: what the thread's chains say of the former does not hold for it.
  void SetMoment(ThreadRecord& record, Moment moment);
  void Decide(ThreadState& self, const Attempted& taking, const Stack& stack, Findings* findings);
  TakenLock DescribeHeld(ChainCache& chains, const HeldLock& held);
  Acquisition Describe(const ThreadState& self, const Attempted& taking, const Stack& stack);
  // The node of a thread's end, with what the thread is known to have taken and waited for.
  std::uint32_t EndOf(const SpawnedThread& thread);
  void Add(ThreadState& self, const Attempted& taking, Acquisition acquisition, Findings* findings);
  // The record of the chain through an entry of the held list; nullptr: none was kept.
  const Acquisition* RecordThrough(ChainCache& chains, const HeldLock& held) const;
  static void CompareWith(const Acquisition& former, Acquisition* acquisition);
  void CheckKinds(std::uint32_t index, Findings* findings);
  void CheckSameClass(const ThreadState& self, const Attempted& taking, std::uint32_t index,
                      Findings* findings);
  void CheckCycles(std::uint32_t index, Findings* findings);
  void Reconsider(Findings* findings);
  bool FirstReport(const LockCycle& cycle);
  void FoldCounts(ChainCache& chains);
  void ReportHeld(ThreadState& self, std::uint32_t held, const char* id, const std::string& title,
                  const std::string& place);

  const WitnessOptions options_;
  std::atomic<std::uint64_t> dropped_{0};
  InstanceTable instances_;
  mutable std::mutex mutex_;
  OrderGraph graph_;
  CycleSearch search_{graph_};
  // By executor and thread id: executions that run side by side have threads of one id.
  std::map<std::pair<const Executor*, std::uint32_t>, ThreadRecord> threads_;
  // Acquisitions that closed a cycle of a tier below provable: new evidence may lift it.
  std::vector<std::uint32_t> listed_;
  bool reconsider_ = false;  // a gate or an instance was taken out of an earlier verdict
  // What was reported: (cycle of classes from its smallest on, edge, site) and the best tier.
  using CycleKey = std::pair<std::vector<std::uint32_t>, std::uint64_t>;
  std::map<CycleKey, Tier> reported_cycles_;
  std::set<std::string> reported_;  // signatures of the other rules
};

}  // namespace locking

#endif  // LOCKING_WITNESS_LOCK_ORDER_WITNESS_H_
