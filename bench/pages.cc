// Machines, pages, page indices, chains and forks; pmap.cc adds page tables and shootdowns.
#include "bench/page_loads.h"

namespace bench {
namespace {

const bool kRegistered = [] {
  RegisterLoads("System/build_64", Build64);
  for (const std::uint32_t pages : {16'384u, 16'777'216u})
    RegisterLoads("System/build/" + std::to_string(pages), Build(pages));
  for (const std::uint32_t pages : {10'000u, 10'000'000u})
    RegisterLoads("Page/alloc_free/" + std::to_string(pages), AllocFree(pages), {1, 2});
  for (const vm::IndexKind kind : vm::kIndexKinds) {
    const std::string name = std::string("Page/lookup/") + vm::IndexKindName(kind) + "/";
    for (const std::uint32_t pages : {100u, 10'000u, 1'000'000u, 10'000'000u}) {
      const std::string sized = name + std::to_string(pages);
      RegisterLoads(sized, Lookup(kind, pages, LookupOrder::kScattered));
      RegisterLoads(sized + "/ascending", Lookup(kind, pages, LookupOrder::kAscending));
    }
  }
  for (std::uint32_t pages : {16u, 512u, 8192u}) {
    RegisterLoads("Collapse/" + std::to_string(pages), Collapse(pages));
    RegisterLoads("Fork/" + std::to_string(pages), Fork(pages));
  }
  return true;
}();

}  // namespace
}  // namespace bench
