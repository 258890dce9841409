// Writing dirty pages to swap: a cluster at a time, and page by page. One item is one page.
//
// Compare them in one run, alternating:
//   bazel run --config=release //bench:swap -- --benchmark_repetitions=10
//     --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true
// The file lies in $SWAP_FOLDER, else in /var/tmp, for the time of a benchmark.
#include "vm/pager/swap.h"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include "vm/store/file_store.h"
#include "vm/system.h"

namespace vm {
namespace {

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint32_t kDirtyPages = 512;
constexpr std::uint32_t kSlots = 8192;

struct Opened {
  std::unique_ptr<Store> store;
  std::string label;  // how the file is written; when there is no store, why
};

Opened OpenMemory() { return {MakeMemoryStore(kSlots, kPageSize), ""}; }

Opened OpenFile() {
  const char* folder = std::getenv("SWAP_FOLDER");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const std::string path = std::string(folder == nullptr ? "/var/tmp" : folder) +
                           "/vmstress-bench-" + std::to_string(getpid());
  int error = 0;
  auto file = FileStore::Create(path, kSlots, kPageSize, &error);
  if (file == nullptr) return {nullptr, path + ": " + std::generic_category().message(error)};
  const bool direct = file->caching() == FileStore::Caching::kDirect;
  return {std::move(file), direct ? "direct" : "buffered"};
}

// Pages of one object that are written `count` at a time, over and over.
void Write(benchmark::State& state, Opened (*open)(), std::uint32_t count) LOCKING_NO_ANALYSIS {
  Opened opened = open();
  if (opened.store == nullptr) {
    state.SkipWithError(opened.label.c_str());
    return;
  }
  state.SetLabel(opened.label);
  System system({.pages = 2 * kDirtyPages, .page_size = kPageSize, .cpus = 1, .swap_slots = kSlots},
                std::move(opened.store));
  Space* space = system.CreateSpace();
  Address start = 0;
  (void)space->MapAnonymous(0, Address{kDirtyPages} * kPageSize, Protection::kReadWrite,
                            Inheritance::kCopy, &start);
  for (std::uint32_t i = 0; i < kDirtyPages; ++i)
    (void)space->Store(system.cpu(0), start + Address{i} * kPageSize, i + 1);
  Object* object = space->map().Lookup(start)->object;
  {
    ObjectGuard guard(object->lock);
    std::vector<Page*> pages;
    for (Pindex i = 0; i < kDirtyPages; ++i) pages.push_back(LookupPage(*object, i));
    std::uint32_t first = 0;
    for (auto _ : state) {
      const std::span<Page* const> cluster(&pages[first], count);
      for (Page* page : cluster) page->dirty.Store(system.AllBlocks());
      if (system.swap().PageOut(*object, cluster) != count) {
        state.SkipWithError("a write failed");
        break;
      }
      first = (first + count) % kDirtyPages;
    }
  }
  state.SetItemsProcessed(state.iterations() * count);
  space->Exit();
}

BENCHMARK_CAPTURE(Write, cluster_memory, OpenMemory, kClusterPages)
    ->Name("Swap/write_cluster/memory")
    ->UseRealTime();
BENCHMARK_CAPTURE(Write, single_memory, OpenMemory, 1)
    ->Name("Swap/write_single/memory")
    ->UseRealTime();
BENCHMARK_CAPTURE(Write, cluster_file, OpenFile, kClusterPages)
    ->Name("Swap/write_cluster/file")
    ->UseRealTime();
BENCHMARK_CAPTURE(Write, single_file, OpenFile, 1)->Name("Swap/write_single/file")->UseRealTime();

}  // namespace
}  // namespace vm
