// What controlled execution costs, by strategy.
#include "bench/explore_loads.h"
#include "locking/explore/strategies.h"

namespace bench {
namespace {

const bool kRegistered = [] {
  for (const locking::explore::StrategyInfo& info : locking::explore::Strategies()) {
    const std::string strategy = info.name;
    // Some names stand for a mixture, which is no strategy of one executor.
    if (locking::explore::MakeStrategy(strategy, 3) == nullptr) continue;
    RegisterLoads("Explore/mutex_3x10/" + strategy, MutexExecutions(strategy));
    for (std::uint32_t fibres : {1u, 2u, 3u, 8u, 32u, 256u})
      RegisterLoads("Explore/point/" + strategy + "/" + std::to_string(fibres),
                    Points(strategy, fibres));
  }
  RegisterLoads("Explore/switch", Switches);
  RegisterLoads("Explore/spawn", Spawns);
  return true;
}();

}  // namespace
}  // namespace bench
