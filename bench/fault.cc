// Page faults by kind, and the host kernel doing the same.
#include "bench/fault_loads.h"
#include "bench/host_fault_loads.h"

namespace bench {
namespace {

const bool kRegistered = [] {
  RegisterLoads("Fault/resident", Resident, {1, 2});
  RegisterLoads("Fault/resident/shared", SharedResident, {1, 2});
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
