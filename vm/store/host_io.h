// Transfers to and from a file of the host, for the stores that stand on one.
#ifndef VM_STORE_HOST_IO_H_
#define VM_STORE_HOST_IO_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "vm/store/backing_file.h"
#include "vm/types.h"

namespace vm {

// Of the errno value of a call that failed.
Result ResultOfErrno(int error);

// Whether a write that has returned is on the disk, so that the write that failed is the one that
// says so; else the file's later sync says it.
enum class HostWrite : std::uint8_t { kSafe, kAsIs };

// From `offset` on, one range after the other: one call of the system, unless that is cut short or
// interrupted, which goes on where it stopped. Fewer bytes and kOk: the file ended.
Transfer ReadHost(int fd, std::uint64_t offset, std::span<const std::span<std::byte>> ranges);
Transfer WriteHost(int fd, std::uint64_t offset, std::span<const std::span<const std::byte>> ranges,
                   HostWrite how);

}  // namespace vm

#endif  // VM_STORE_HOST_IO_H_
