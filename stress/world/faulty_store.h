// FaultyStore: a store that fails now and then (fault_sequence.h), and otherwise does what another
// one does.
//
// Thread safety: as any store. It orders nothing between its callers.
#ifndef STRESS_WORLD_FAULTY_STORE_H_
#define STRESS_WORLD_FAULTY_STORE_H_

#include <cstdint>
#include <memory>

#include "stress/world/fault_sequence.h"
#include "vm/store/store.h"

namespace stress {

class FaultyStore final : public vm::Store {
 public:
  FaultyStore(std::unique_ptr<vm::Store> store, const StoreFaults& faults, std::uint64_t seed)
      : store_(std::move(store)), faults_(faults, seed) {}

  vm::Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override;
  vm::Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override;

 private:
  const std::unique_ptr<vm::Store> store_;
  FaultSequence faults_;
};

}  // namespace stress

#endif  // STRESS_WORLD_FAULTY_STORE_H_
