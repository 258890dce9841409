// Page faults by kind, and the host kernel doing the same.
#include <string>
#include <utility>

#include "bench/fault_loads.h"
#include "bench/host_fault_loads.h"

namespace bench {
namespace {

const bool kRegistered = [] {
  RegisterLoads("Fault/resident", Resident, {1, 2});
  for (const std::uint32_t pages : {10'000u, 10'000'000u})
    RegisterLoads("Fault/resident/machine/" + std::to_string(pages), ResidentIn(pages));
  for (const auto& [locks, suffix] : {std::pair{vm::LockDialect::kQueues, ""},
                                      {vm::LockDialect::kPerPage, "/per_page"},
                                      {vm::LockDialect::kGiant, "/giant"}}) {
    RegisterLoads(std::string("Fault/resident/one_object") + suffix, SharedResident(locks), {1, 2});
    RegisterLoads(std::string("Fault/resident/one_space") + suffix, OneSpaceResident(locks),
                  {1, 2});
  }
  RegisterLoads("Fault/zero_fill", ZeroFill, {1, 2});
  RegisterLoads("Fault/cow", CopyOnWrite, {1, 2});
  RegisterLoads("Fault/swap_in", SwapIn, {1, 2});
  RegisterLoads("HostFault/anonymous", HostAnonymous, {1, 2});
  RegisterLoads("HostFault/shared_memfd", HostSharedMemfd, {1, 2});
  RegisterLoads("HostFault/private_file", HostPrivateFile, {1, 2});
  RegisterLoads("HostFault/cow", HostCopyOnWrite, {1, 2});
  return true;
}();

}  // namespace
}  // namespace bench
