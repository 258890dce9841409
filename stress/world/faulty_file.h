// FaultyFile: a backing file that fails now and then (fault_sequence.h), and otherwise does what
// another one does.
//
// Thread safety: as any backing file. It orders nothing between its callers.
#ifndef STRESS_WORLD_FAULTY_FILE_H_
#define STRESS_WORLD_FAULTY_FILE_H_

#include <cstdint>
#include <memory>

#include "stress/world/fault_sequence.h"
#include "vm/store/backing_file.h"

namespace stress {

class FaultyFile final : public vm::BackingFile {
 public:
  FaultyFile(std::unique_ptr<vm::BackingFile> file, const StoreFaults& faults, std::uint64_t seed)
      : file_(std::move(file)), faults_(faults, seed) {}

  std::uint64_t size() const override { return file_->size(); }
  bool IsHole(std::uint64_t offset, std::uint64_t bytes) const override {
    return file_->IsHole(offset, bytes);
  }
  vm::Transfer Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) override;
  vm::Transfer Write(std::uint64_t offset,
                     std::span<const std::span<const std::byte>> ranges) override;
  vm::Result Truncate(std::uint64_t size) override;
  vm::Result Sync() override;

  // The file that never fails by itself.
  vm::BackingFile& inner() { return *file_; }

 private:
  const std::unique_ptr<vm::BackingFile> file_;
  FaultSequence faults_;
};

}  // namespace stress

#endif  // STRESS_WORLD_FAULTY_FILE_H_
