// What a worker does to the machine: each function makes one call of the VM, tells the oracle about
// it, logs it, and reports what must not be.
//
// Thread safety: a WorkerContext belongs to one worker.
#ifndef STRESS_WORLD_OPERATIONS_H_
#define STRESS_WORLD_OPERATIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "locking/atomic.h"
#include "locking/random.h"
#include "stress/world/operation_log.h"
#include "stress/world/world.h"
#include "vm/contiguous.h"

namespace stress {

// Statistics of one worker; read by others at any time.
struct WorkerCounters {
  locking::Counter loads_checked;
  locking::Counter stores;
  locking::Counter refused;  // operations refused for want of memory or space, or by the store
};

struct WorkerContext {
  WorkerContext(World& world_in, std::uint32_t number_in, vm::Cpu& cpu_in,
                locking::Random random_in)
      : world(world_in), number(number_in), cpu(cpu_in), random(random_in) {}

  World& world;
  const std::uint32_t number;  // of the worker, from 0
  vm::Cpu& cpu;
  locking::Random random;
  OperationLog log;
  WorkerCounters counters;
};

// A check of the harness failed. An exploration ends with it; a native run decides itself.
void ReportWrong(const WorkerContext& context, const char* id, const std::string& title,
                 std::string what);
// An outcome that is allowed at any time: the machine has not enough of something, or its store is
// one that fails.
bool IsRefusal(const WorkerContext& context, vm::Result result);

enum class Access : std::uint8_t { kLoad, kStore };

// Some space, some mapping of a space; empty when there is none.
SpaceUse PickSpace(WorkerContext& context);
MappingUse PickMapping(WorkerContext& context, SpaceState& state);

// Loads or stores one record of a page and checks the outcome.
void Touch(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t page,
           Access access);
// A new mapping of `pages` pages; empty when it is refused.
MappingUse MapNew(WorkerContext& context, SpaceState& state, std::uint32_t pages,
                  vm::Protection protection, vm::Inheritance inheritance);
// Pages [first, first + count) of a mapping. Do nothing when another worker changes one of them.
void UnmapPages(WorkerContext& context, SpaceState& state, const MappingUse& mapping,
                std::uint32_t first, std::uint32_t count);
void ProtectPages(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t first,
                  std::uint32_t count, vm::Protection protection);
void InheritMapping(WorkerContext& context, SpaceState& state, Mapping& mapping,
                    vm::Inheritance inheritance);
void WirePages(WorkerContext& context, SpaceState& state, const MappingUse& mapping,
               std::uint32_t first, std::uint32_t count);
// Unwires some range that was wired.
void UnwireSome(WorkerContext& context, SpaceState& state);
// A run of contiguous frames, filled with `pattern`; empty when there is none.
std::span<vm::Page> TakeRun(WorkerContext& context, const vm::ContiguousRequest& request,
                            std::uint64_t pattern);
// Looks that it is as it was filled, and gives it back.
void GiveBackRun(WorkerContext& context, std::span<vm::Page> run, std::uint64_t pattern);
// A page that is on its way out, and the words that it had when it was lent.
struct SentPage {
  vm::Page* page;
  std::vector<std::uint64_t> words;
};
// Lends a page of a mapping; nothing when that is refused.
std::optional<SentPage> SendPage(WorkerContext& context, SpaceState& state, Mapping& mapping,
                                 std::uint32_t page);
// Looks that it is as it was lent, and returns it.
void EndSending(WorkerContext& context, const SentPage& sent);
// Contents of what is advised as free may be forgotten.
void AdvisePages(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t first,
                 std::uint32_t count, vm::Advice advice);
// Brings the pages and what file is behind them into step.
void SyncPages(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t first,
               std::uint32_t count, vm::SyncMode mode, vm::Invalidate invalidate);
// Asks what is in memory of the pages.
void QueryPages(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t first,
                std::uint32_t count);
// Looks at some object and what is behind it, whoever uses them.
void InspectSomeChain(WorkerContext& context);
// A child of the space that the world then knows; nothing when it is refused.
SpaceUse ForkSpace(WorkerContext& context, SpaceState& state);
// Exits a space that was taken out of the world.
void ExitSpace(WorkerContext& context, SpaceState& state);

}  // namespace stress

#endif  // STRESS_WORLD_OPERATIONS_H_
