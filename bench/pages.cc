// Machines and pages: building a small machine, allocating and freeing pages.
#include <benchmark/benchmark.h>

#include "vm/page_alloc.h"
#include "vm/system.h"

namespace vm {
namespace {

// A machine of 64 pages, built and torn down.
void Build64(benchmark::State& state) {
  for (auto _ : state) {
    System system({.pages = 64, .page_size = 4096, .cpus = 4, .swap_slots = 64});
    benchmark::DoNotOptimize(system.free_queue().free_count());
  }
}
BENCHMARK(Build64)->Name("System/build_64");

void AllocFree(benchmark::State& state) {
  System system({.pages = 4096, .page_size = 4096, .cpus = 1, .swap_slots = 0});
  Object* object = AllocateObject(system, ObjectType::kDefault, 1);
  {
    ObjectGuard guard(object->lock);
    for (auto _ : state) {
      Page* page = AllocatePage(system, *object, 0, {});
      FreePage(system, *object, *page);
    }
  }
  DeallocateObject(system, object);
}
BENCHMARK(AllocFree)->Name("Page/alloc_free");

}  // namespace
}  // namespace vm
