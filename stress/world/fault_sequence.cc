#include "stress/world/fault_sequence.h"

#include <cstring>

#include "locking/hash.h"

namespace stress {
namespace {

constexpr std::uint32_t kMillion = 1'000'000;
constexpr int kGarbage = 0xa5;

}  // namespace

locking::Random FaultSequence::RandomOfCall() {
  return locking::Random(
      locking::HashCombine(seed_, calls_.FetchAdd(1, std::memory_order_relaxed)));
}

FaultSequence::OfWrite FaultSequence::NextWrite() {
  locking::Random random = RandomOfCall();
  const bool error = random.Below(kMillion) < rates_.write_error;
  const bool full = random.Below(kMillion) < rates_.full;
  if (!error && !full) return {};
  return {error ? vm::Result::kIoError : vm::Result::kNoSpace, random.Percent(50)};
}

vm::Result FaultSequence::NextRead(std::span<const std::span<std::byte>> frames) {
  if (RandomOfCall().Below(kMillion) >= rates_.read_error) return vm::Result::kOk;
  for (const std::span<std::byte> frame : frames) std::memset(frame.data(), kGarbage, frame.size());
  return vm::Result::kIoError;
}

vm::Result FaultSequence::NextUpdate() {
  const bool error = RandomOfCall().Below(kMillion) < rates_.write_error;
  return error ? vm::Result::kIoError : vm::Result::kOk;
}

}  // namespace stress
