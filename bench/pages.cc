// Machines, pages, page indices, chains and forks; pmap.cc adds page tables and shootdowns.
#include "bench/page_loads.h"

namespace bench {
namespace {

const bool kRegistered = [] {
  RegisterLoads("System/build_64", Build64);
  RegisterLoads("Page/alloc_free", AllocFree, {1, 2});
  for (std::uint32_t pages : {1u << 10, 1u << 15, 1u << 20})
    RegisterLoads("Page/lookup/radix/" + std::to_string(pages), RadixLookup(pages));
  for (std::uint32_t pages : {16u, 512u, 8192u}) {
    RegisterLoads("Collapse/" + std::to_string(pages), Collapse(pages));
    RegisterLoads("Fork/" + std::to_string(pages), Fork(pages));
  }
  return true;
}();

}  // namespace
}  // namespace bench
