// The lock order of a run, against the order book that the binary was built with.
//
// Thread safety: pure functions; the book is immutable.
#ifndef STRESS_RUN_LOCK_ORDER_H_
#define STRESS_RUN_LOCK_ORDER_H_

#include <vector>

#include "locking/finding.h"
#include "locking/witness/lock_order_witness.h"
#include "locking/witness/order_book.h"

namespace stress {

// ci/lock_order.toml as it was at build time. Throws CommandError (3) if that is no order book.
const locking::OrderBook& ApprovedOrder();
// Without the locks of the harness: the book is about those of the VM.
locking::OrderSnapshot OrderOfVm(locking::OrderSnapshot observed);
// LK12 for each edge that the witness has seen and the book does not approve.
std::vector<locking::Finding> UnapprovedOrders(const locking::LockOrderWitness& witness);

}  // namespace stress

#endif  // STRESS_RUN_LOCK_ORDER_H_
