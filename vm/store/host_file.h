// A backing file that is a file of the host: files of a machine that cost what a disk costs, fail
// as a disk fails, and are there for other programs when the machine is gone.
//
// Nobody else changes it meanwhile: it is locked against every other HostFile, of this process or
// another one, whatever its name. Each write waits for the disk: the write that failed is the one
// that says so, and its pages stay dirty.
//
// Blocks in the operating system: for native threads only.
#ifndef VM_STORE_HOST_FILE_H_
#define VM_STORE_HOST_FILE_H_

#include <memory>
#include <string>

#include "vm/store/backing_file.h"

namespace vm {

class HostFile final : public BackingFile {
 public:
  // Both return nullptr and set `*error` to the errno value that says why.
  // The file at `path`, or a new one that is empty. EBUSY: a HostFile has it; ENOTSUP: what is
  // there is no regular file.
  static std::unique_ptr<HostFile> Open(const std::string& path, int* error);
  // A new one in `folder`, which has no name: gone with the process, however that ends.
  static std::unique_ptr<HostFile> CreateUnnamed(const std::string& folder, int* error);
  ~HostFile() override;
  HostFile(const HostFile&) = delete;

  // Equal for all names of a file.
  struct Identity {
    std::uint64_t device;
    std::uint64_t inode;
    bool operator==(const Identity&) const = default;
  };
  Identity identity() const { return identity_; }

  std::uint64_t size() const override { return size_; }
  // What the file system knows of: a block of it that has a byte of the range is no hole.
  bool IsHole(std::uint64_t offset, std::uint64_t bytes) const override;
  Transfer Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) override;
  Transfer Write(std::uint64_t offset, std::span<const std::span<const std::byte>> ranges) override;
  Result Truncate(std::uint64_t size) override;
  Result Sync() override;

 private:
  HostFile(int fd, Identity identity, std::uint64_t size)
      : fd_(fd), identity_(identity), size_(size) {}
  // Takes over `fd`, or closes it.
  static std::unique_ptr<HostFile> Own(int fd, int* error);

  const int fd_;
  const Identity identity_;
  std::uint64_t size_;
};

}  // namespace vm

#endif  // VM_STORE_HOST_FILE_H_
