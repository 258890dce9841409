// Where the contents of a vnode are: a file of bytes, with holes that read as zero.
//
// Thread safety: Read and Write may be called by any thread; the caller sees to it that no range is
// read and written at once, and that Truncate runs alone. May block; no lock of the VM that is not
// sleepable may be held.
#ifndef VM_STORE_BACKING_FILE_H_
#define VM_STORE_BACKING_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "vm/types.h"

namespace vm {

// How far a transfer came, and why no further.
struct Transfer {
  std::uint64_t bytes = 0;
  Result result = Result::kOk;
};

class BackingFile {
 public:
  virtual ~BackingFile() = default;

  virtual std::uint64_t size() const = 0;  // in bytes
  // Whether nothing was ever written to the range, so that it reads as zero.
  virtual bool IsHole(std::uint64_t offset, std::uint64_t bytes) const = 0;
  // From `offset` on, into one range after the other. Ends at the end of the file: kOk, and fewer
  // bytes. kIoError: what the ranges hold beyond `bytes` is undefined.
  virtual Transfer Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) = 0;
  // Within the file, which does not grow. kIoError, kNoSpace: it ended after `bytes`; what the file
  // holds beyond, up to where it was to end, is undefined. May end early with kOk.
  virtual Transfer Write(std::uint64_t offset,
                         std::span<const std::span<const std::byte>> ranges) = 0;
  // The file has `size` bytes from now on: those beyond are gone, those that are new are a hole.
  // kIoError, kNoSpace: its size is what it was.
  virtual Result Truncate(std::uint64_t size) = 0;
  // Returns once everything that was written is safe. kIoError: some of it may not be.
  virtual Result Sync() = 0;
};

// Keeps everything in memory; deterministic. It never has more than `max_bytes`: kNoSpace.
std::unique_ptr<BackingFile> MakeMemoryFile(std::uint64_t max_bytes);

}  // namespace vm

#endif  // VM_STORE_BACKING_FILE_H_
