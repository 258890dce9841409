#include "stress/world/faulty_file.h"

namespace stress {

vm::Transfer FaultyFile::Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) {
  const vm::Result fault = faults_.NextRead(ranges);
  if (fault != vm::Result::kOk) return {0, fault};
  return file_->Read(offset, ranges);
}

vm::Transfer FaultyFile::Write(std::uint64_t offset,
                               std::span<const std::span<const std::byte>> ranges) {
  const FaultSequence::OfWrite fault = faults_.NextWrite();
  if (fault.result == vm::Result::kOk) return file_->Write(offset, ranges);
  vm::Transfer part = file_->Write(offset, ranges.first(ranges.size() / 2));
  if (part.result == vm::Result::kOk && !fault.silent) part.result = fault.result;
  return part;
}

vm::Result FaultyFile::Truncate(std::uint64_t size) {
  const vm::Result fault = faults_.NextUpdate();
  return fault != vm::Result::kOk ? fault : file_->Truncate(size);
}

vm::Result FaultyFile::Sync() {
  const vm::Result fault = faults_.NextUpdate();
  return fault != vm::Result::kOk ? fault : file_->Sync();
}

}  // namespace stress
