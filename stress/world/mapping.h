// Mapping: a range of an address space as the harness knows it, page by page. AddressRanges: which
// addresses of a space are taken.
//
// The harness chooses the addresses. A range is given out again only when the last worker that may
// still use it is done with it: a store that loses against an unmap then hits a hole, and never
// somebody else's new mapping.
#ifndef STRESS_WORLD_MAPPING_H_
#define STRESS_WORLD_MAPPING_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "locking/atomic.h"
#include "locking/mutex.h"
#include "stress/world/oracle.h"
#include "vm/types.h"

namespace stress {

// Lock key: (a) lock_.
class AddressRanges {
 public:
  // Of an address space of `limit` bytes.
  AddressRanges(std::uint32_t page_size, vm::Address limit);
  AddressRanges(const AddressRanges&) = delete;

  // The lowest free range.
  std::optional<vm::Address> Take(std::uint32_t pages) LOCKING_EXCLUDES(lock_);
  // A free range at a given place: that of a mapping that a fork copied.
  void Occupy(vm::Address start, std::uint32_t pages) LOCKING_EXCLUDES(lock_);
  void Return(vm::Address start, std::uint32_t pages) LOCKING_EXCLUDES(lock_);

 private:
  static constexpr std::uint32_t kUnitPages = 16;
  static constexpr std::uint32_t kUnitsMax = 4096;
  void Set(vm::Address start, std::uint32_t pages, bool taken) LOCKING_EXCLUDES(lock_);
  std::uint32_t UnitsOf(std::uint32_t pages) const { return (pages + kUnitPages - 1) / kUnitPages; }

  const std::uint32_t page_size_;
  mutable locking::Mutex lock_;
  std::vector<bool> taken_ LOCKING_GUARDED_BY(lock_);  // by unit
};

// What the harness knows of one page of a mapping. Equal before and after an access: nothing about
// the page changed meanwhile, and the access must have had the outcome that the state says.
class PageState {
 public:
  explicit PageState(std::uint32_t bits = 0) : bits_(bits) {}
  static PageState Of(vm::Protection protection) {
    return PageState(kMapped | static_cast<std::uint32_t>(protection));
  }
  bool mapped() const { return (bits_ & kMapped) != 0; }
  bool changing() const { return (bits_ & kChanging) != 0; }
  vm::Protection protection() const { return static_cast<vm::Protection>(bits_ & 3); }
  bool operator==(const PageState&) const = default;
  std::uint32_t bits() const { return bits_; }
  // The states in which a change leaves it while it runs, and when it is done.
  PageState Changing() const { return PageState((bits_ | kChanging) + kVersion); }
  PageState With(vm::Protection protection) const {
    return PageState((bits_ & ~(kChanging | 3u)) | static_cast<std::uint32_t>(protection));
  }
  PageState Unmapped() const { return PageState(bits_ & ~(kChanging | kMapped | 3u)); }
  PageState Unchanged() const { return PageState(bits_ & ~kChanging); }

 private:
  static constexpr std::uint32_t kMapped = 4;
  static constexpr std::uint32_t kChanging = 8;
  static constexpr std::uint32_t kVersion = 16;
  std::uint32_t bits_;
};

class Mapping {
 public:
  Mapping(Shared<AddressRanges> ranges, vm::Address start, std::uint32_t page_size,
          Shared<Memory> memory, vm::Protection protection, vm::Inheritance inheritance);
  // The mapping at the same place in a forked space. Nobody changes this one meanwhile.
  Shared<Mapping> Fork(Shared<AddressRanges> ranges, Shared<Memory> memory) const;
  ~Mapping();  // gives the address range back
  Mapping(const Mapping&) = delete;

  vm::Address start() const { return start_; }
  std::uint32_t pages() const { return memory_->pages(); }
  Memory& memory() const { return *memory_; }
  const Shared<Memory>& shared_memory() const { return memory_; }
  vm::Address AddressOf(std::uint32_t page) const {
    return start_ + vm::Address{page} * page_size_;
  }
  PageState StateOf(std::uint32_t page) const { return PageState(states_[page].Peek()); }
  bool AllMapped(std::uint32_t first, std::uint32_t count) const;

  // Claims the pages [first, first + count) for a change; false if another change has one of them
  // or one is not mapped. EndChange ends it; nullopt as protection: they are unmapped now.
  bool BeginChange(std::uint32_t first, std::uint32_t count);
  void EndChange(std::uint32_t first, std::uint32_t count,
                 std::optional<vm::Protection> protection);
  // The change was refused by the VM.
  void CancelChange(std::uint32_t first, std::uint32_t count);

  vm::Inheritance inheritance() const { return static_cast<vm::Inheritance>(inheritance_.Peek()); }
  void set_inheritance(vm::Inheritance inheritance) {
    inheritance_.Store(static_cast<std::uint8_t>(inheritance), std::memory_order_relaxed);
  }

 private:
  const Shared<AddressRanges> ranges_;
  const vm::Address start_;
  const std::uint32_t page_size_;
  const Shared<Memory> memory_;
  locking::Atomic<std::uint8_t> inheritance_;
  std::unique_ptr<locking::Atomic<std::uint32_t>[]> states_;
};

}  // namespace stress

#endif  // STRESS_WORLD_MAPPING_H_
