#include "stress/run/lock_order.h"

#include <string>
#include <utility>

#include "locking/witness/order_check.h"
#include "stress/config/embedded.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/machine.h"

namespace stress {
namespace {

using locking::LockOrderWitness;

bool OfHarness(const std::string& name) { return name.starts_with("stress "); }

locking::OrderVerdict Judge(const LockOrderWitness& witness, LockOrderWitness::Stacks stacks) {
  return locking::CheckOrder(ApprovedOrder(), OrderOfVm(witness.Snapshot(stacks)), Today());
}

}  // namespace

const locking::OrderBook& ApprovedOrder() {
  static const auto* book = [] {
    std::vector<std::string> errors;
    auto parsed =
        locking::OrderBook::Parse(EmbeddedOrderBook().front().text, "ci/lock_order.toml", &errors);
    if (!parsed.has_value()) FailHost(OneLine(errors.front()));
    return new locking::OrderBook(*std::move(parsed));
  }();
  return *book;
}

locking::OrderSnapshot OrderOfVm(locking::OrderSnapshot observed) {
  std::erase_if(observed.edges, [](const locking::ObservedEdge& edge) {
    return OfHarness(edge.from) || OfHarness(edge.to);
  });
  std::erase_if(observed.dropped_by_class,
                [](const auto& dropped) { return OfHarness(dropped.first); });
  return observed;
}

std::vector<locking::Finding> UnapprovedOrders(const LockOrderWitness& witness) {
  const locking::OrderVerdict quick = Judge(witness, LockOrderWitness::Stacks::kNone);
  if (locking::OrderFindings(quick).empty()) return {};
  return locking::OrderFindings(Judge(witness, LockOrderWitness::Stacks::kFirstSample));
}

}  // namespace stress
