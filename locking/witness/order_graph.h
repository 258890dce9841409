// What the witness has seen: lock classes, the acquisitions that were made under other locks, and
// the order edges between classes that follow from them.
//
//   Acquisition: thread T took `taken` while it held `held[0..n)`, for each chain once
//   OrderEdge:   held[i]'s class -> taken's class, with a few acquisitions as samples
//
// Thread safety: none; guarded by the mutex of LockOrderWitness.
#ifndef LOCKING_WITNESS_ORDER_GRAPH_H_
#define LOCKING_WITNESS_ORDER_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "locking/lock_class.h"
#include "locking/moment.h"
#include "locking/site.h"
#include "locking/thread_state.h"
#include "locking/witness/stack_table.h"

namespace locking {

// A lock of an acquisition: the one taken, or one that was held.
struct TakenLock {
  std::uint32_t node;  // of its class
  std::uint32_t instance;
  LockMode mode;
  Attempt attempt;
  // The acquisition tells of this instance alone; else of any of the class.
  bool exact = true;
  // The chain was seen with another instance before.
  bool varies = false;
  Site site;
  StackId stack;    // when the thread first formed the chain that ends here
  Site stack_site;  // the call site then
};

// A lock that was held when another was taken, and released before that other.
struct OutlivedLock {
  std::uint32_t by;  // index in Acquisition::held
  std::uint32_t node;
  std::uint32_t instance;
  LockMode mode;

  bool operator==(const OutlivedLock&) const = default;
};

struct Acquisition {
  std::uint32_t thread;       // its id
  std::uint32_t thread_name;  // index for OrderGraph::thread_name
  std::shared_ptr<const Moment> moment;
  std::uint32_t resamples = 0;
  std::uint64_t count = 1;  // without those that the thread's cache still counts
  TakenLock taken;
  // In a handler the first is the interrupt, and nothing of the thread that it interrupts follows.
  std::vector<TakenLock> held;
  std::vector<OutlivedLock> outlived = {};
  // Of that thread: reports alone look at it.
  std::vector<TakenLock> interrupted = {};
};

// Bit of OrderEdge::modes.
constexpr std::uint8_t ModesBit(LockMode from, LockMode to) {
  return static_cast<std::uint8_t>(
      1u << (static_cast<unsigned>(from) * 2 + static_cast<unsigned>(to)));
}

struct OrderEdge {
  // Threads that all did what a sample says, in the same modes and inside the same locks.
  struct Crowd {
    Moment follows;                               // what each of them follows
    std::map<std::uint32_t, std::uint32_t> last;  // epoch of each thread
    bool complete = true;                         // all are in `last`
  };
  struct Sample {
    static constexpr std::uint32_t kNothing = ~0u;  // of a writer, whose edges do not matter
    std::uint32_t acquisition;
    std::uint32_t held;                      // index of the edge's `from` in it, or kNothing
    std::shared_ptr<Crowd> crowd = nullptr;  // nullptr: one thread alone
  };
  // Of one pair of modes; then what is like a sample joins its crowd, and what is like none the
  // nearest one, which from then on stands for any instance where the two differ. So no verdict
  // becomes weaker by what was left out.
  static constexpr std::size_t kSamples = 32;
  // Of two instances of one class: none stands for another there, and what is beyond is dropped.
  static constexpr std::size_t kInstanceSamples = 4096;

  std::uint32_t from;
  std::uint32_t to;
  std::uint8_t modes = 0;  // ModesBit of all that was seen
  std::vector<Sample> samples;
};

struct ClassNode {
  std::string name;
  std::uint32_t class_id;
  LockKind kind;
  bool recursive_read;
  std::vector<OrderEdge::Sample> writers;  // acquisitions that may wait for it exclusively
  // Two live locks of this class had one number: its numbers tell nothing.
  bool ambiguous = false;
  bool is_end = false;  // of a thread
  // Of a resource: how many units it has, and the threads that have promised to end the waits for
  // it, by instance.
  std::uint32_t units = 1;
  std::map<std::uint32_t, std::set<std::uint32_t>> signallers = {};
  std::vector<std::uint32_t> out;  // edges
  std::vector<std::uint32_t> in;
  std::size_t bytes = 0;      // of its acquisitions
  std::uint64_t dropped = 0;  // its acquisitions that were not kept, or not as evidence of an edge
};

class OrderGraph {
 public:
  std::uint32_t NodeOf(const LockClass& lock_class);
  const ClassNode& node(std::uint32_t n) const { return nodes_[n]; }
  ClassNode& node(std::uint32_t n) { return nodes_[n]; }
  std::uint32_t node_count() const { return static_cast<std::uint32_t>(nodes_.size()); }

  // The end of a thread is a node of its own, by the number of its spawn.
  static constexpr std::uint32_t kNoEnd = ~0u;
  std::uint32_t AddEnd(std::uint32_t spawn, const LockClass& join_class, std::string name);
  std::uint32_t FindEnd(std::uint32_t spawn) const {
    const auto it = end_of_spawn_.find(spawn);
    return it == end_of_spawn_.end() ? kNoEnd : it->second;
  }
  bool IsEnd(std::uint32_t node) const { return nodes_[node].is_end; }
  // What each acquisition of the thread stands under.
  static TakenLock HeldEnd(std::uint32_t end, std::uint32_t thread);

  std::uint32_t InternThreadName(const std::string& name);
  const std::string& thread_name(std::uint32_t index) const { return thread_names_[index]; }

  // Adds the acquisition and what it says about edges; between instances of one class only if no
  // order of them is declared. True: a verdict about a cycle may follow from it, because an edge
  // or a sample is new.
  bool Add(Acquisition acquisition, bool declared, std::uint32_t* index);
  // It stood inside another, too.
  void AddHeld(std::uint32_t index, const TakenLock& held);
  // Where the acquisition waits exclusively, readers that come meanwhile wait too. True: a verdict
  // about readers may follow from it.
  bool AddWriter(std::uint32_t acquisition);
  const Acquisition& acquisition(std::uint32_t i) const { return acquisitions_[i]; }
  Acquisition& acquisition(std::uint32_t i) { return acquisitions_[i]; }
  std::uint32_t acquisition_count() const {
    return static_cast<std::uint32_t>(acquisitions_.size());
  }

  const OrderEdge& edge(std::uint32_t e) const { return edges_[e]; }
  std::uint32_t edge_count() const { return static_cast<std::uint32_t>(edges_.size()); }
  // kNoEdge if there is none.
  static constexpr std::uint32_t kNoEdge = ~0u;
  std::uint32_t FindEdge(std::uint32_t from, std::uint32_t to) const;

  StackTable& stacks() { return stacks_; }
  const StackTable& stacks() const { return stacks_; }
  std::size_t bytes() const { return bytes_ + stacks_.bytes(); }
  // Whether another acquisition of the class fits. The second half of `memory_bytes` is for classes
  // that have less than their share of the first, so that one class does not crowd out the others.
  bool HasRoom(std::uint32_t node, std::size_t memory_bytes) const;

  // Whether two acquisitions may be of one lock of their class.
  static bool MaySame(const TakenLock& a, const TakenLock& b) {
    return !a.exact || !b.exact || a.instance == b.instance;
  }
  // Whether a lock that both held keeps the thread of `a` from where it stood while that of `b`
  // stands where it did; or each took one of its locks when it held one of the other's, so that
  // whichever was first kept the other from it.
  bool Excluded(const Acquisition& a, const Acquisition& b) const;
  bool IsInterrupt(const TakenLock& lock) const {
    return nodes_[lock.node].kind == LockKind::kInterrupt;
  }
  // Whether the edge leads from an interrupt to what its handler takes. The handler has no thread
  // and no time of its own: it may run wherever another edge leads to the interrupt.
  bool ByHandler(const OrderEdge::Sample& s) const {
    return s.held != OrderEdge::Sample::kNothing &&
           IsInterrupt(acquisitions_[s.acquisition].held[s.held]);
  }
  // Whether one of them is over before the other comes, in every schedule.
  bool Ordered(const OrderEdge::Sample& a, const OrderEdge::Sample& b) const {
    return !ByHandler(a) && !ByHandler(b) && (Precedes(a, b) || Precedes(b, a));
  }
  // Whether what the thread of `s` holds or has promised is such that any one of several threads
  // ends a wait for it.
  bool HasOtherSignallers(const OrderEdge::Sample& s) const;
  // Whether each of them is seen to wait for the same as `s`, or is a thread of `others`.
  bool WithAllSignallers(const OrderEdge::Sample& s,
                         const std::vector<std::uint32_t>& others) const;
  // Whether one thread alone did both.
  bool OneThread(const OrderEdge::Sample& a, const OrderEdge::Sample& b) const {
    return !ByHandler(a) && !ByHandler(b) && a.crowd == nullptr && b.crowd == nullptr &&
           acquisitions_[a.acquisition].thread == acquisitions_[b.acquisition].thread;
  }

 private:
  bool AddToEdge(std::uint32_t acquisition, std::uint32_t held);
  // Adds the acquisition to the samples of an edge, or of a class's writers (kNothing).
  bool AddSample(std::vector<OrderEdge::Sample>* samples, std::uint32_t acquisition,
                 std::uint32_t held);
  // Whether sample `s` says everything that the new one would.
  bool Covers(const OrderEdge::Sample& s, const Acquisition& a, std::uint32_t held) const;
  bool SameModes(const OrderEdge::Sample& s, const Acquisition& a, std::uint32_t held) const;
  // In how many of its exact locks the sample and the new one differ.
  std::size_t Distance(const OrderEdge::Sample& s, const Acquisition& a) const;
  // The sample stands for the new one too.
  void Widen(OrderEdge::Sample* s, const Acquisition& a);
  bool Join(OrderEdge::Sample* s, const Acquisition& a);
  bool KeptApart(const Acquisition& a, std::uint32_t held, const Acquisition& b) const;
  bool Precedes(const OrderEdge::Sample& a, const OrderEdge::Sample& b) const;

  std::vector<ClassNode> nodes_;
  std::vector<std::uint32_t> node_of_class_;  // by LockClass::id, plus one; 0: none yet
  std::unordered_map<std::uint32_t, std::uint32_t> end_of_spawn_;
  std::vector<OrderEdge> edges_;
  std::unordered_map<std::uint64_t, std::uint32_t> edge_of_pair_;
  std::deque<Acquisition> acquisitions_;
  std::vector<std::string> thread_names_;
  std::unordered_map<std::string, std::uint32_t> thread_name_index_;
  StackTable stacks_;
  std::size_t bytes_ = 0;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_ORDER_GRAPH_H_
