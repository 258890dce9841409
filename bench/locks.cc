// Lock and unlock: every primitive with and without the witness, beside what others offer. One
// iteration is one pair; each thread has its own locks, except under `/shared`.
#include "bench/lock_loads.h"
#include "bench/witness_loads.h"
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
  // As many threads as there may be cores: what is private costs each the same processor time.
  for (const char* kind : {"mutex", "spin", "rw_read"})
    RegisterLoads("Lock/" + std::string(kind) + "/on", PrivateLocks(std::string(kind) + "/on"),
                  {4, 8});
  RegisterLoads("Witness/construct", WitnessConstruction);
  for (const std::uint32_t locks : {8192u, 32768u, 131072u})
    RegisterLoads("Witness/window/" + std::to_string(locks), SlidingWindow(locks));
  for (const std::uint32_t chains : {6250u, 25000u, 100000u})
    RegisterLoads("Witness/chains/" + std::to_string(chains), DistinctChains(chains));
  return true;
}();

}  // namespace
}  // namespace bench
