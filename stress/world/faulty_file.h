// FaultyFile: a backing file that fails now and then, by the rates of a store (faulty_store.h), and
// otherwise does what another one does.
//
// Which calls fail follows from the seed and the order of the calls. A write that fails, or ends
// early and does not say why, has written a part; a read that fails leaves garbage in the frames.
//
// Thread safety: as any backing file. It orders nothing between its callers.
#ifndef STRESS_WORLD_FAULTY_FILE_H_
#define STRESS_WORLD_FAULTY_FILE_H_

#include <cstdint>
#include <memory>

#include "locking/atomic.h"
#include "locking/random.h"
#include "stress/world/faulty_store.h"
#include "vm/store/backing_file.h"

namespace stress {

class FaultyFile final : public vm::BackingFile {
 public:
  FaultyFile(std::unique_ptr<vm::BackingFile> file, const StoreFaults& faults, std::uint64_t seed)
      : file_(std::move(file)), faults_(faults), seed_(seed) {}

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
  locking::Random RandomOfCall();

  const std::unique_ptr<vm::BackingFile> file_;
  const StoreFaults faults_;
  const std::uint64_t seed_;
  locking::Atomic<std::uint64_t> calls_{0};
};

}  // namespace stress

#endif  // STRESS_WORLD_FAULTY_FILE_H_
