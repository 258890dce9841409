#include "stress/world/mapping.h"

#include <algorithm>
#include <utility>

namespace stress {
namespace {

const locking::LockClass kAddressRangesLock("stress addresses", locking::LockKind::kMutex);

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

}  // namespace

AddressRanges::AddressRanges(std::uint32_t page_size, vm::Address limit)
    : page_size_(page_size), lock_(kAddressRangesLock) {
  const vm::Address units = limit / page_size / kUnitPages;
  taken_.resize(static_cast<std::size_t>(std::min<vm::Address>(units, kUnitsMax)));
  if (!taken_.empty()) taken_[0] = true;  // address 0 stays unmapped
}

std::optional<vm::Address> AddressRanges::Take(std::uint32_t pages) {
  const std::uint32_t wanted = UnitsOf(pages);
  locking::MutexGuard guard(lock_);
  std::uint32_t run = 0;
  for (std::uint32_t unit = 0; unit < taken_.size(); ++unit) {
    run = taken_[unit] ? 0 : run + 1;
    if (run < wanted) continue;
    const std::uint32_t first = unit + 1 - wanted;
    std::fill_n(taken_.begin() + first, wanted, true);
    return vm::Address{first} * kUnitPages * page_size_;
  }
  return std::nullopt;
}

void AddressRanges::Set(vm::Address start, std::uint32_t pages, bool taken) {
  const auto first = static_cast<std::uint32_t>(start / page_size_ / kUnitPages);
  locking::MutexGuard guard(lock_);
  std::fill_n(taken_.begin() + first, UnitsOf(pages), taken);
}

void AddressRanges::Occupy(vm::Address start, std::uint32_t pages) { Set(start, pages, true); }
void AddressRanges::Return(vm::Address start, std::uint32_t pages) { Set(start, pages, false); }

Mapping::Mapping(Shared<AddressRanges> ranges, vm::Address start, std::uint32_t page_size,
                 Shared<Memory> memory, vm::Protection protection, vm::Inheritance inheritance)
    : ranges_(std::move(ranges)),
      start_(start),
      page_size_(page_size),
      memory_(std::move(memory)),
      inheritance_(static_cast<std::uint8_t>(inheritance)),
      states_(std::make_unique<locking::Atomic<std::uint32_t>[]>(memory_->pages())) {
  for (std::uint32_t page = 0; page < pages(); ++page)
    states_[page].Store(PageState::Of(protection).bits(), kRelaxed);
}

Shared<Mapping> Mapping::Fork(Shared<AddressRanges> ranges, Shared<Memory> memory) const {
  auto child = MakeShared<Mapping>(std::move(ranges), start_, page_size_, std::move(memory),
                                   vm::Protection::kNone, inheritance());
  for (std::uint32_t page = 0; page < pages(); ++page)
    child->states_[page].Store(StateOf(page).bits(), kRelaxed);
  return child;
}

Mapping::~Mapping() { ranges_->Return(start_, pages()); }

bool Mapping::AllMapped(std::uint32_t first, std::uint32_t count) const {
  for (std::uint32_t page = first; page < first + count; ++page)
    if (!StateOf(page).mapped() || StateOf(page).changing()) return false;
  return true;
}

bool Mapping::BeginChange(std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t page = first; page < first + count; ++page) {
    const PageState state = StateOf(page);
    std::uint32_t bits = state.bits();
    const bool free = state.mapped() && !state.changing();
    if (free &&
        states_[page].CompareExchange(bits, state.Changing().bits(), std::memory_order_acquire))
      continue;
    CancelChange(first, page - first);
    return false;
  }
  return true;
}

void Mapping::EndChange(std::uint32_t first, std::uint32_t count,
                        std::optional<vm::Protection> protection) {
  for (std::uint32_t page = first; page < first + count; ++page) {
    const PageState state = StateOf(page);
    const PageState next = protection.has_value() ? state.With(*protection) : state.Unmapped();
    states_[page].Store(next.bits(), std::memory_order_release);
  }
}

void Mapping::CancelChange(std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t page = first; page < first + count; ++page)
    states_[page].Store(StateOf(page).Unchanged().bits(), std::memory_order_release);
}

}  // namespace stress
