// FaultyStore: a store that fails now and then, by rates, and otherwise does what another one does.
//
// Which calls fail follows from the seed and the order of the calls. A write that fails has written
// a part; a read that fails leaves garbage in the frames.
//
// Thread safety: as any store. It orders nothing between its callers.
#ifndef STRESS_WORLD_FAULTY_STORE_H_
#define STRESS_WORLD_FAULTY_STORE_H_

#include <cstdint>
#include <memory>

#include "locking/atomic.h"
#include "locking/random.h"
#include "vm/store/store.h"

namespace stress {

// Calls in a million that fail.
struct StoreFaults {
  std::uint32_t write_error = 0;
  std::uint32_t read_error = 0;
  std::uint32_t full = 0;  // writes for which there is no space

  bool any() const { return (write_error | read_error | full) != 0; }
};

class FaultyStore final : public vm::Store {
 public:
  FaultyStore(std::unique_ptr<vm::Store> store, const StoreFaults& faults, std::uint64_t seed)
      : store_(std::move(store)), faults_(faults), seed_(seed) {}

  vm::Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override;
  vm::Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override;

 private:
  locking::Random RandomOfCall();

  const std::unique_ptr<vm::Store> store_;
  const StoreFaults faults_;
  const std::uint64_t seed_;
  locking::Atomic<std::uint64_t> calls_{0};
};

}  // namespace stress

#endif  // STRESS_WORLD_FAULTY_STORE_H_
