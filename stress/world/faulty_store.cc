#include "stress/world/faulty_store.h"

#include <cstring>

#include "locking/hash.h"

namespace stress {
namespace {

constexpr std::uint32_t kMillion = 1'000'000;
constexpr int kGarbage = 0xa5;

}  // namespace

locking::Random FaultyStore::RandomOfCall() {
  return locking::Random(
      locking::HashCombine(seed_, calls_.FetchAdd(1, std::memory_order_relaxed)));
}

vm::Result FaultyStore::Write(std::uint32_t slot,
                              std::span<const std::span<const std::byte>> pages) {
  locking::Random random = RandomOfCall();
  const bool error = random.Below(kMillion) < faults_.write_error;
  const bool full = random.Below(kMillion) < faults_.full;
  if (!error && !full) return store_->Write(slot, pages);
  const vm::Result part = store_->Write(slot, pages.first(pages.size() / 2));
  if (part != vm::Result::kOk) return part;
  return error ? vm::Result::kIoError : vm::Result::kNoSpace;
}

vm::Result FaultyStore::Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) {
  if (RandomOfCall().Below(kMillion) >= faults_.read_error) return store_->Read(slot, pages);
  for (const std::span<std::byte> page : pages) std::memset(page.data(), kGarbage, page.size());
  return vm::Result::kIoError;
}

}  // namespace stress
