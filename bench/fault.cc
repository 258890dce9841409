// Page faults by kind, one thread each with its own map, pmap and object. One iteration is one
// fault; what sets a fault up (unmapping, freeing, forking) is not timed.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "locking/thread_state.h"
#include "vm/system.h"

namespace vm {
namespace {

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint32_t kSetPages = (128u << 20) / kPageSize;  // the set that is faulted on

struct Bench {
  explicit Bench(std::uint32_t pages)
      : system({.pages = pages, .page_size = kPageSize, .cpus = 1, .swap_slots = 0}),
        space(system.CreateSpace()) {
    (void)space->MapAnonymous(0, Address{kSetPages} * kPageSize, Protection::kReadWrite,
                              Inheritance::kCopy, &start);
  }
  ~Bench() { space->Exit(); }
  Address PageAt(std::uint32_t i) const { return start + Address{i} * kPageSize; }
  void FaultAll(Protection access) {
    for (std::uint32_t i = 0; i < kSetPages; ++i) (void)space->Fault(PageAt(i), access);
  }

  System system;
  Space* space;
  Address start = 0;
};

// The page is resident, the mapping is not there.
void Resident(benchmark::State& state) {
  Bench bench(kSetPages + kSetPages / 8);
  bench.FaultAll(Protection::kReadWrite);
  while (state.KeepRunningBatch(kSetPages)) {
    state.PauseTiming();
    bench.space->pmap().Remove(bench.start, bench.PageAt(kSetPages));
    state.ResumeTiming();
    bench.FaultAll(Protection::kReadWrite);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Resident)->Name("Fault/resident")->ThreadRange(1, 2)->UseRealTime();

void ZeroFill(benchmark::State& state) {
  Bench bench(kSetPages + kSetPages / 8);
  while (state.KeepRunningBatch(kSetPages)) {
    state.PauseTiming();
    (void)bench.space->Unmap(bench.start, Address{kSetPages} * kPageSize);
    (void)bench.space->MapAnonymous(bench.start, Address{kSetPages} * kPageSize,
                                    Protection::kReadWrite, Inheritance::kCopy, &bench.start);
    state.ResumeTiming();
    bench.FaultAll(Protection::kReadWrite);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ZeroFill)->Name("Fault/zero_fill")->ThreadRange(1, 2)->UseRealTime();

void CopyOnWrite(benchmark::State& state) {
  Bench bench(2 * kSetPages + kSetPages / 4);
  bench.FaultAll(Protection::kReadWrite);
  while (state.KeepRunningBatch(kSetPages)) {
    state.PauseTiming();
    Space* child = bench.space->Fork();
    state.ResumeTiming();
    bench.FaultAll(Protection::kReadWrite);
    state.PauseTiming();
    child->Exit();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(CopyOnWrite)->Name("Fault/cow")->ThreadRange(1, 2)->UseRealTime();

}  // namespace
}  // namespace vm
