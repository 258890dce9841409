// Where a pager keeps pages: slots of one page each.
//
// Thread safety: all functions may be called by any thread; the caller sees to it that a slot is
// not read and written at once. May block; no lock of the VM that is not sleepable may be held.
#ifndef VM_STORE_STORE_H_
#define VM_STORE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "vm/types.h"

namespace vm {

class Store {
 public:
  virtual ~Store() = default;
  // `pages` are frames of one page each, aligned to their size; they go to `slot`, `slot` + 1, …
  // kIoError, kNoSpace (the store's own: a full disk): what the slots hold is undefined.
  // kInvalidArgument: slots that there are not, or a page of another size.
  virtual Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) = 0;
  // kIoError: what the frames hold is undefined.
  virtual Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) = 0;
};

// Keeps everything in memory; deterministic. Slots are allocated on their first write, and until
// then reading them is kIoError.
std::unique_ptr<Store> MakeMemoryStore(std::uint32_t slots, std::uint32_t page_size);

}  // namespace vm

#endif  // VM_STORE_STORE_H_
