// The stores of the machine under test: swap and files that fail when told to.
#ifndef TESTS_MODEL_MODEL_STORE_H_
#define TESTS_MODEL_MODEL_STORE_H_

#include <memory>

#include "locking/thread.h"
#include "tests/model/store_faults.h"
#include "vm/store/backing_file.h"
#include "vm/store/store.h"

namespace vm {

class ModelStore final : public Store {
 public:
  ModelStore(std::unique_ptr<Store> store, const StoreFaults& faults, bool lose_writes)
      : store_(std::move(store)), faults_(faults), lose_writes_(lose_writes) {}
  Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override {
    if (faults_.On(StoreFault::kSwapWrite)) return Result::kIoError;
    return lose_writes_ && slot % 2 == 1 ? Result::kOk : store_->Write(slot, pages);
  }
  Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override {
    return faults_.On(StoreFault::kSwapRead) ? Result::kIoError : store_->Read(slot, pages);
  }

 private:
  const std::unique_ptr<Store> store_;
  const StoreFaults& faults_;
  const bool lose_writes_;  // some, silently: what the model is there to find
};

// Others may run before the bytes move.
class ModelBackingFile final : public BackingFile {
 public:
  ModelBackingFile(std::uint64_t max_bytes, const StoreFaults& faults)
      : memory_(MakeMemoryFile(max_bytes)), faults_(faults) {}

  std::uint64_t size() const override { return memory_->size(); }
  bool IsHole(std::uint64_t offset, std::uint64_t bytes) const override {
    return memory_->IsHole(offset, bytes);
  }
  Transfer Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) override {
    locking::Yield();
    if (faults_.On(StoreFault::kFileRead)) return {0, Result::kIoError};
    return memory_->Read(offset, ranges);
  }
  Transfer Write(std::uint64_t offset,
                 std::span<const std::span<const std::byte>> ranges) override {
    locking::Yield();
    if (faults_.On(StoreFault::kFileFull)) return {0, Result::kNoSpace};
    if (faults_.On(StoreFault::kFileWrite)) return {0, Result::kIoError};
    return memory_->Write(offset, faults_.On(StoreFault::kShortWrite) ? ranges.first(1) : ranges);
  }
  Result Truncate(std::uint64_t size) override {
    locking::Yield();
    return faults_.On(StoreFault::kTruncate) ? Result::kIoError : memory_->Truncate(size);
  }
  Result Sync() override { return Result::kOk; }

  // The word at `offset`, as the file has it.
  std::uint64_t WordAt(std::uint64_t offset) const {
    std::uint64_t word = ~0ull;
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span(&word, 1));
    memory_->Read(offset, {&bytes, 1});
    return word;
  }

 private:
  const std::unique_ptr<BackingFile> memory_;
  const StoreFaults& faults_;
};

}  // namespace vm

#endif  // TESTS_MODEL_MODEL_STORE_H_
