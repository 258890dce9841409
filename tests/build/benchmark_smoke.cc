#include <benchmark/benchmark.h>

#include <cstdint>

namespace {

void Increment(benchmark::State& state) {
  uint64_t value = 0;
  for (auto _ : state) benchmark::DoNotOptimize(++value);
}
BENCHMARK(Increment);

}  // namespace
