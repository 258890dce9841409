#include "stress/world/faulty_file.h"

#include <cstring>

#include "locking/hash.h"

namespace stress {
namespace {

constexpr std::uint32_t kMillion = 1'000'000;
constexpr int kGarbage = 0xa5;

}  // namespace

locking::Random FaultyFile::RandomOfCall() {
  return locking::Random(
      locking::HashCombine(seed_, calls_.FetchAdd(1, std::memory_order_relaxed)));
}

vm::Transfer FaultyFile::Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) {
  if (RandomOfCall().Below(kMillion) >= faults_.read_error) return file_->Read(offset, ranges);
  for (const std::span<std::byte> range : ranges) std::memset(range.data(), kGarbage, range.size());
  return {0, vm::Result::kIoError};
}

vm::Transfer FaultyFile::Write(std::uint64_t offset,
                               std::span<const std::span<const std::byte>> ranges) {
  locking::Random random = RandomOfCall();
  const bool error = random.Below(kMillion) < faults_.write_error;
  const bool full = random.Below(kMillion) < faults_.full;
  if (!error && !full) return file_->Write(offset, ranges);
  vm::Transfer part = file_->Write(offset, ranges.first(ranges.size() / 2));
  if (part.result != vm::Result::kOk) return part;
  const bool silent = random.Percent(50);
  if (!silent) part.result = error ? vm::Result::kIoError : vm::Result::kNoSpace;
  return part;
}

vm::Result FaultyFile::Truncate(std::uint64_t size) {
  if (RandomOfCall().Below(kMillion) < faults_.write_error) return vm::Result::kIoError;
  return file_->Truncate(size);
}

vm::Result FaultyFile::Sync() {
  if (RandomOfCall().Below(kMillion) < faults_.write_error) return vm::Result::kIoError;
  return file_->Sync();
}

}  // namespace stress
