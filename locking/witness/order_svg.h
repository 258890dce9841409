// The lock order as a drawing: classes in levels, each below whatever it may be taken inside.
// Unapproved edges are red, excepted ones orange, those not exercised dashed; what has a part in a
// cycle has a thick border. Needs no other program.
//
// Thread safety: pure function.
#ifndef LOCKING_WITNESS_ORDER_SVG_H_
#define LOCKING_WITNESS_ORDER_SVG_H_

#include <string>

#include "locking/witness/order_check.h"

namespace locking {

std::string OrderSvg(const OrderVerdict& verdict, const OrderBook& book);

}  // namespace locking

#endif  // LOCKING_WITNESS_ORDER_SVG_H_
