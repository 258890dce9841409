// A store over a real file, so that swap costs what a disk costs and fails as a disk fails.
//
// The file is new, and has no name from its creation on: it is gone with the process, however that
// ends, and nobody else can reach it. All of it is written at the start: a full disk is met before
// the run and not in it, neighbouring slots are neighbours on the disk, and no write finds a hole
// or space that was only promised, which cost a file system up to a hundred times the write.
//
// A call of Write or Read is one call of the system, unless that was cut short or interrupted: then
// it goes on where it stopped. Past the page cache (O_DIRECT) where the file system can do that
// with pages of this size; else through it, each write waiting for the disk (RWF_DSYNC), so that
// the write that failed is the one that says so.
//
// Blocks in the operating system: for native threads only.
#ifndef VM_STORE_FILE_STORE_H_
#define VM_STORE_FILE_STORE_H_

#include <memory>
#include <string>

#include "vm/store/backing_file.h"
#include "vm/store/store.h"

namespace vm {

class FileStore final : public Store {
 public:
  // A file of `slots` pages. nullptr: `*error` is the errno value that says why; EEXIST when there
  // is something of that name, which is left alone. Two stores of one path are independent: each
  // name is taken and given back at once, and one that is taken just then is EEXIST.
  static std::unique_ptr<FileStore> Create(const std::string& path, std::uint32_t slots,
                                           std::uint32_t page_size, int* error);
  ~FileStore() override;
  FileStore(const FileStore&) = delete;

  Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override;
  // A slot that was never written reads as zero.
  Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override;

  enum class Caching : std::uint8_t {
    kDirect,    // O_DIRECT
    kBuffered,  // by the page cache
  };
  Caching caching() const { return caching_; }

 private:
  FileStore(int fd, std::uint32_t slots, std::uint32_t page_size)
      : fd_(fd), slots_(slots), page_size_(page_size) {}

  // These return an errno value, or 0. `zeroes` is a page.
  int TakeSpace();
  int ChooseCaching(std::span<const std::byte> zeroes);
  int WriteAll(std::span<const std::byte> zeroes);
  template <typename Pages>
  bool Has(std::uint32_t slot, const Pages& pages) const;
  Result ResultOf(const Transfer& transfer, std::size_t pages) const;

  const int fd_;
  const std::uint32_t slots_;
  const std::uint32_t page_size_;
  Caching caching_ = Caching::kBuffered;
};

}  // namespace vm

#endif  // VM_STORE_FILE_STORE_H_
