#include <cstring>
#include <vector>

#include "vm/store/store.h"

namespace vm {
namespace {

class MemoryStore final : public Store {
 public:
  MemoryStore(std::uint32_t slots, std::uint32_t page_size)
      : page_size_(page_size), slots_(slots) {}

  Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override {
    if (!Contains(slot, pages.size())) return Result::kInvalidArgument;
    for (const std::span<const std::byte> page : pages) {
      if (page.size() != page_size_) return Result::kInvalidArgument;
      // Each slot is written by one thread at a time, so no lock is needed.
      std::unique_ptr<std::byte[]>& bytes = slots_[slot++];
      if (bytes == nullptr) bytes = std::make_unique_for_overwrite<std::byte[]>(page_size_);
      std::memcpy(bytes.get(), page.data(), page_size_);
    }
    return Result::kOk;
  }

  Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override {
    if (!Contains(slot, pages.size())) return Result::kInvalidArgument;
    for (const std::span<std::byte> page : pages) {
      if (page.size() != page_size_) return Result::kInvalidArgument;
      const std::unique_ptr<std::byte[]>& bytes = slots_[slot++];
      if (bytes == nullptr) return Result::kIoError;
      std::memcpy(page.data(), bytes.get(), page_size_);
    }
    return Result::kOk;
  }

 private:
  bool Contains(std::uint32_t slot, std::size_t count) const {
    return slot < slots_.size() && count <= slots_.size() - slot;
  }

  const std::uint32_t page_size_;
  std::vector<std::unique_ptr<std::byte[]>> slots_;
};

}  // namespace

std::unique_ptr<Store> MakeMemoryStore(std::uint32_t slots, std::uint32_t page_size) {
  return std::make_unique<MemoryStore>(slots, page_size);
}

}  // namespace vm
