// The verdict about the lock order as text, as a graph and as JSON (the keys of
// `vmstress.lockorder/1`; the command adds `schema`, `build`, `host` and what was found).
//
// Thread safety: pure functions.
#ifndef LOCKING_WITNESS_ORDER_OUTPUT_H_
#define LOCKING_WITNESS_ORDER_OUTPUT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "locking/witness/order_check.h"

namespace locking {

// For a terminal: what fails first, each with both stacks and the line to add.
std::string OrderText(const OrderVerdict& verdict, const OrderBook& book);
// Graphviz: unapproved edges red, exceptions orange, unexercised ones dashed.
std::string OrderDot(const OrderVerdict& verdict, const OrderBook& book);
nlohmann::ordered_json OrderJson(const OrderVerdict& verdict, const OrderBook& book);

}  // namespace locking

#endif  // LOCKING_WITNESS_ORDER_OUTPUT_H_
