#include "stress/world/faulty_store.h"

namespace stress {

vm::Result FaultyStore::Write(std::uint32_t slot,
                              std::span<const std::span<const std::byte>> pages) {
  const vm::Result fault = faults_.NextWrite().result;
  if (fault == vm::Result::kOk) return store_->Write(slot, pages);
  const vm::Result part = store_->Write(slot, pages.first(pages.size() / 2));
  return part != vm::Result::kOk ? part : fault;
}

vm::Result FaultyStore::Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) {
  const vm::Result fault = faults_.NextRead(pages);
  return fault != vm::Result::kOk ? fault : store_->Read(slot, pages);
}

}  // namespace stress
