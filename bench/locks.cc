// Lock and unlock: every primitive with and without the witness, beside what others offer. One
// iteration is one pair; each thread has its own locks, except under `/shared`.
#include "bench/lock_loads.h"
#include "locking/witness/lock_order_witness.h"

namespace bench {
namespace {

// An exploration may make one for each execution.
Loads WitnessConstruction(std::uint32_t) {
  const auto construct = [] { locking::LockOrderWitness witness; };
  Loads loads;
  loads.push_back(std::make_unique<LoopLoad<decltype(construct)>>(100, construct));
  return loads;
}

const bool kRegistered = [] {
  for (const std::string& name : LockNames()) {
    RegisterLoads("Lock/" + name, PrivateLocks(name), {1, 2});
    // Four: more than the cores of a small machine, so that holders are preempted.
    RegisterLoads("Lock/" + name + "/shared", SharedLock(name), {2, 4});
  }
  RegisterLoads("Witness/construct", WitnessConstruction);
  return true;
}();

}  // namespace
}  // namespace bench
