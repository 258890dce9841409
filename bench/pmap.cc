// Page tables: entering, removing and protecting mappings, loads and stores of a simulated CPU, and
// shootdowns. One iteration is one page; each thread has a machine of its own.
#include <benchmark/benchmark.h>

#include <vector>

#include "vm/page_alloc.h"
#include "vm/system.h"

namespace vm {
namespace {

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint32_t kPages = 4096;

class Bench {
 public:
  explicit Bench(std::uint32_t cpus = 1)
      : system({.pages = 2 * kPages, .page_size = kPageSize, .cpus = cpus, .swap_slots = 0}),
        pmap(*system.TakePmap()) {
    for (std::uint32_t i = 0; i < kPages; ++i)
      pages_.push_back(AllocateUnownedPage(system, {.wired = true}));
  }
  ~Bench() { pmap.Destroy(); }

  Address PageAt(std::uint32_t i) const { return Address{i} * kPageSize; }
  void EnterAll(Protection protection = Protection::kReadWrite) {
    for (std::uint32_t i = 0; i < kPages; ++i)
      (void)pmap.Enter(PageAt(i), *pages_[i], protection, false);
  }
  void RemoveAll() { pmap.Remove(0, PageAt(kPages)); }
  void StoreAll(std::uint32_t cpu) {
    for (std::uint32_t i = 0; i < kPages; ++i) (void)system.cpu(cpu).Store(pmap, PageAt(i), i);
  }
  Page& page(std::uint32_t i) { return *pages_[i]; }

  System system;
  Pmap& pmap;

 private:
  std::vector<Page*> pages_;
};

// `body` is timed, `prepare` is not.
template <typename Prepare, typename Body>
void Run(benchmark::State& state, Prepare prepare, Body body) {
  while (state.KeepRunningBatch(kPages)) {
    state.PauseTiming();
    prepare();
    state.ResumeTiming();
    body();
  }
  state.SetItemsProcessed(state.iterations());
}

void Enter(benchmark::State& state) {
  Bench bench;
  bench.EnterAll();
  Run(state, [&] { bench.RemoveAll(); }, [&] { bench.EnterAll(); });
}
BENCHMARK(Enter)->Name("Pmap/enter")->ThreadRange(1, 2)->UseRealTime();

void EnterAgain(benchmark::State& state) {
  Bench bench;
  bench.EnterAll();
  Run(state, [] {}, [&] { bench.EnterAll(); });
}
BENCHMARK(EnterAgain)->Name("Pmap/enter_again")->UseRealTime();

void RemoveRange(benchmark::State& state) {
  Bench bench;
  Run(state, [&] { bench.EnterAll(); }, [&] { bench.RemoveAll(); });
}
BENCHMARK(RemoveRange)->Name("Pmap/remove_range")->ThreadRange(1, 2)->UseRealTime();

void RemoveSingly(benchmark::State& state) {
  Bench bench;
  Run(
      state,
      [&] {
        bench.EnterAll();
        bench.StoreAll(0);
      },
      [&] {
        for (std::uint32_t i = 0; i < kPages; ++i)
          bench.pmap.Remove(bench.PageAt(i), bench.PageAt(i + 1));
      });
}
BENCHMARK(RemoveSingly)->Name("Pmap/remove_page_with_shootdown")->UseRealTime();

void RemoveByPage(benchmark::State& state) {
  Bench bench;
  Run(
      state,
      [&] {
        bench.EnterAll();
        bench.StoreAll(0);
      },
      [&] {
        for (std::uint32_t i = 0; i < kPages; ++i) Pmap::RemoveAll(bench.system, bench.page(i));
      });
}
BENCHMARK(RemoveByPage)->Name("Pmap/remove_all_of_page")->UseRealTime();

void ProtectRange(benchmark::State& state) {
  Bench bench;
  Run(
      state,
      [&] {
        bench.EnterAll();
        bench.StoreAll(0);
      },
      [&] { bench.pmap.Protect(0, bench.PageAt(kPages), Protection::kRead); });
}
BENCHMARK(ProtectRange)->Name("Pmap/protect_range")->UseRealTime();

void StoreHit(benchmark::State& state) {
  Bench bench;
  bench.EnterAll();
  Run(
      state, [] {},
      [&] {
        for (std::uint32_t i = 0; i < kPages; ++i)
          (void)bench.system.cpu(0).Store(bench.pmap, (i * 8) % kPageSize, i);
      });
}
BENCHMARK(StoreHit)->Name("Cpu/store_hit")->ThreadRange(1, 2)->UseRealTime();

void StoreMiss(benchmark::State& state) {
  Bench bench;
  bench.EnterAll();
  Run(state, [] {}, [&] { bench.StoreAll(0); });
}
BENCHMARK(StoreMiss)->Name("Cpu/store_miss")->UseRealTime();

void ShootdownOfCpus(benchmark::State& state) {
  const auto cpus = static_cast<std::uint32_t>(state.range(0));
  Bench bench(cpus);
  bench.EnterAll();
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) bench.StoreAll(cpu);
  Run(
      state, [&] { bench.EnterAll(); },
      [&] {
        for (std::uint32_t i = 0; i < kPages; ++i)
          bench.pmap.Remove(bench.PageAt(i), bench.PageAt(i + 1));
      });
}
BENCHMARK(ShootdownOfCpus)
    ->Name("Pmap/remove_page")
    ->RangeMultiplier(4)
    ->Range(1, 64)
    ->UseRealTime();

}  // namespace
}  // namespace vm
