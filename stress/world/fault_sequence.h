// FaultSequence: which calls of a store or a file fail, and how.
//
// What a call meets follows from the seed and its place in the order of the calls.
//
// Thread safety: any thread, any time.
#ifndef STRESS_WORLD_FAULT_SEQUENCE_H_
#define STRESS_WORLD_FAULT_SEQUENCE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "locking/atomic.h"
#include "locking/random.h"
#include "vm/types.h"

namespace stress {

// Calls in a million that fail.
struct StoreFaults {
  std::uint32_t write_error = 0;
  std::uint32_t read_error = 0;
  std::uint32_t full = 0;  // writes for which there is no space

  bool any() const { return (write_error | read_error | full) != 0; }
};

class FaultSequence {
 public:
  // What a write meets. One that fails has written the first half of its ranges.
  struct OfWrite {
    vm::Result result = vm::Result::kOk;
    bool silent = false;  // where a short count can say so: it ends early and does not say why
  };

  FaultSequence(const StoreFaults& rates, std::uint64_t seed) : rates_(rates), seed_(seed) {}

  OfWrite NextWrite();
  // kIoError: the frames are garbage now.
  vm::Result NextRead(std::span<const std::span<std::byte>> frames);
  // A call that writes no contents: a truncation, a flush.
  vm::Result NextUpdate();

 private:
  locking::Random RandomOfCall();

  const StoreFaults rates_;
  const std::uint64_t seed_;
  locking::Atomic<std::uint64_t> calls_{0};
};

}  // namespace stress

#endif  // STRESS_WORLD_FAULT_SEQUENCE_H_
