// Compares the observed lock order with the order book.
//
// Thread safety: plain values and pure functions.
#ifndef LOCKING_WITNESS_ORDER_CHECK_H_
#define LOCKING_WITNESS_ORDER_CHECK_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "locking/finding.h"
#include "locking/lock_class.h"
#include "locking/witness/lock_order_witness.h"
#include "locking/witness/order_book.h"
#include "locking/witness/order_snapshot.h"

namespace locking {

enum class Approval : std::uint8_t {
  kByOrder,
  kByException,
  kUndeclared,  // the book says nothing about the two classes
  kContrary,    // the book declares the other order, or that the outer one is a leaf
};

struct JudgedEdge {
  ObservedEdge edge;
  Approval approval = Approval::kUndeclared;
  std::string why;     // one line
  std::string to_add;  // unapproved: the exact text for the book, if it is meant

  bool approved() const {
    return approval == Approval::kByOrder || approval == Approval::kByException;
  }
};

struct OrderCycle {
  std::vector<std::string> classes;  // each is taken inside the one before, the first in the last
  bool approved = false;             // by an exception
  // The strongest that a witness gave to a cycle of these classes. Of a cycle that no single run
  // showed nobody knows gates, readers or the order of threads: it is one of classes alone.
  std::string tier = "class-only";
};

struct OrderVerdict {
  std::vector<JudgedEdge> edges;       // in order of (from, to)
  std::vector<ClassPair> unexercised;  // declared, never observed
  std::vector<OrderCycle> cycles;      // of declared and observed edges between two classes or more
  std::vector<std::string> notes;  // exceptions that expired or that nothing used, leaves unused
  std::uint64_t dropped = 0;       // acquisitions that the witness did not keep
  std::map<std::string, std::uint64_t> dropped_by_class;

  // Whether there is an edge or a cycle that the book does not approve.
  bool Failed() const;
  // nullptr: not observed.
  const JudgedEdge* Find(const std::string& from, const std::string& to) const;
};

// `today`: "2026-11-21"; exceptions hold up to and including their day.
OrderVerdict CheckOrder(const OrderBook& book, const OrderSnapshot& observed,
                        const std::string& today);
// Gives the cycles the tiers that the witnesses of the runs found.
void GiveTiers(const std::vector<Finding>& findings, OrderVerdict* verdict);
// The book's text with all undeclared edges in its order. Left out are contrary ones, which take a
// decision and an exception with a reason, and those within a class, which take a [[same_class]].
std::string UpdatedBook(const OrderBook& book, const OrderVerdict& verdict);

// LK12 for each unapproved edge: what a strict run fails by.
std::vector<Finding> OrderFindings(const OrderVerdict& verdict);
// LK02, LK03 or LK07 for each cycle, with a sample of each edge.
std::vector<Finding> CycleFindings(const OrderVerdict& verdict, const OrderBook& book);
// For WitnessOptions::same_class_order: what the book says about instances of one class.
SameClassPredicate SameClassRule(const OrderBook& book);

}  // namespace locking

#endif  // LOCKING_WITNESS_ORDER_CHECK_H_
