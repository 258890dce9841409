// The observed lock order as plain data: what the order book is compared with, what reports export
// and what runs are merged by. Classes go by name, because runs have nothing else in common.
//
// Thread safety: plain values.
#ifndef LOCKING_WITNESS_ORDER_SNAPSHOT_H_
#define LOCKING_WITNESS_ORDER_SNAPSHOT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "locking/thread_state.h"

namespace locking {

// One side of an observed edge: the lock held, or the one taken under it.
struct ObservedLock {
  std::uint32_t instance = 0;
  LockMode mode = LockMode::kExclusive;
  std::string site;                // "vm/fault.cc:88"
  std::vector<std::string> stack;  // innermost first; empty where the caller did not ask for it
};

// How an edge came about, once.
struct ObservedOrder {
  std::string thread;
  ObservedLock held;
  ObservedLock taken;
  std::string run = {};  // where several are merged: which one it was; threads of two runs are two
};

// "worker 1 (mixed)": the thread, and its run where several are merged.
std::string ThreadOf(const ObservedOrder& order);

struct ObservedEdge {
  std::string from;
  std::string to;
  std::uint64_t count = 0;             // acquisitions of `to` under `from`
  std::uint8_t modes = 0;              // ModesBit(from, to) of all that was seen
  std::vector<ObservedOrder> samples;  // the first is the oldest; never empty
};

struct OrderSnapshot {
  std::vector<ObservedEdge> edges;  // in order of (from, to)
  std::uint64_t dropped = 0;        // acquisitions that were not kept: then edges may be missing
  // The same by the class that was taken: only edges to these may be missing.
  std::map<std::string, std::uint64_t> dropped_by_class;

  // nullptr: not observed.
  const ObservedEdge* Find(const std::string& from, const std::string& to) const;
};

// Samples that an edge keeps when snapshots are merged; beyond these only such as show another pair
// of call sites or modes.
inline constexpr std::size_t kMergedSamples = 8;

// Says of all samples that `run` is where they come from; those that had a run keep its name
// behind.
void NameRun(const std::string& run, OrderSnapshot* snapshot);

// Puts the edges in order, and makes one of those that have the same names.
void SortAndUnite(OrderSnapshot* snapshot);
// Both together: counts are added up, modes and samples united.
OrderSnapshot Merge(const OrderSnapshot& a, const OrderSnapshot& b);

}  // namespace locking

#endif  // LOCKING_WITNESS_ORDER_SNAPSHOT_H_
