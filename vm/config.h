// What a machine is made of. Immutable once the system is built.
#ifndef VM_CONFIG_H_
#define VM_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "vm/dialect.h"
#include "vm/reservation.h"
#include "vm/segments.h"
#include "vm/swap_charge.h"
#include "vm/types.h"

namespace vm {

inline constexpr std::uint32_t kMinPageSize = 512;
inline constexpr std::uint32_t kMaxPageSize = 32768;
inline constexpr std::uint32_t kMaxCpus = 256;
inline constexpr std::uint32_t kMinPages = 16;

struct SystemConfig {
  // Where memory lies; `pages` follows from it. Empty: `pages` frames without a hole.
  std::vector<PhysicalRange> memory = {};
  std::uint32_t pages = 4096;       // frames, from kMinPages
  std::uint32_t page_size = 4096;   // bytes, a power of two, kMinPageSize … kMaxPageSize
  std::uint32_t cpus = 4;           // simulated CPUs, 1 … kMaxCpus
  std::uint32_t swap_slots = 0;     // pages of swap space; 0: none
  std::uint32_t device_frames = 0;  // behind the memory, and none of it: devices' (fictitious.h)
  bool idle_zero = false;           // a thread zeroes free pages ahead (page_zeroing.h)
  // Pages of a run that is reserved for an object, a power of two, 2 … kMaxReservationPages; 0:
  // nothing is reserved (reservation.h).
  std::uint32_t reservation_pages = 0;
  LockDialect locks = LockDialect::kQueues;
  IndexKind index = IndexKind::kRadix;
  // Pages that spaces without a credential of their own may claim, in all.
  Pindex charge_limit = kNoChargeLimit;
};

// What is wrong with `config`, or empty.
std::string ValidateConfig(const SystemConfig& config);

}  // namespace vm

#endif  // VM_CONFIG_H_
