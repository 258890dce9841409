#include "vm/store/file_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <new>
#include <vector>

#include "vm/store/host_io.h"

namespace vm {

std::unique_ptr<FileStore> FileStore::Create(const std::string& path, std::uint32_t slots,
                                             std::uint32_t page_size, int* error) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    *error = errno;
    return nullptr;
  }
  *error = unlink(path.c_str()) == 0 ? 0 : errno;
  std::unique_ptr<FileStore> store(new FileStore(fd, slots, page_size));
  // A page that is aligned to its size and to no more, as those of the pager are.
  const std::align_val_t alignment{std::size_t{2} * page_size};
  const auto free = [&](std::byte* bytes) { ::operator delete[](bytes, alignment); };
  const std::unique_ptr<std::byte[], decltype(free)> bytes(
      new (alignment) std::byte[std::size_t{2} * page_size](), free);
  const std::span<const std::byte> zeroes(bytes.get() + page_size, page_size);
  if (*error == 0 && slots != 0) *error = store->TakeSpace();
  if (*error == 0 && slots != 0) *error = store->ChooseCaching(zeroes);
  if (*error == 0) *error = store->WriteAll(zeroes);
  if (*error != 0) return nullptr;
  return store;
}

FileStore::~FileStore() { close(fd_); }

// In one piece, where the file system can say so.
int FileStore::TakeSpace() {
  while (fallocate(fd_, 0, 0, off_t{slots_} * page_size_) != 0) {
    if (errno == EINTR) continue;
    return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
  }
  return 0;
}

int FileStore::ChooseCaching(std::span<const std::byte> zeroes) {
  const int flags = fcntl(fd_, F_GETFL);
  if (fcntl(fd_, F_SETFL, flags | O_DIRECT) != 0) return 0;
  const off_t offset = slots_ > 1 ? off_t{page_size_} : 0;
  if (pwrite(fd_, zeroes.data(), zeroes.size(), offset) >= 0) {
    caching_ = Caching::kDirect;
    return 0;
  }
  if (errno != EINVAL && errno != EOPNOTSUPP) return errno;
  return fcntl(fd_, F_SETFL, flags) == 0 ? 0 : errno;
}

int FileStore::WriteAll(std::span<const std::byte> zeroes) {
  constexpr std::uint32_t kPagesAtOnce = 256;
  const std::vector<std::span<const std::byte>> pages(std::min(slots_, kPagesAtOnce), zeroes);
  for (std::uint32_t slot = 0; slot < slots_;) {
    const std::uint32_t count = std::min(kPagesAtOnce, slots_ - slot);
    const Result result = Write(slot, std::span(pages).first(count));
    if (result != Result::kOk) return result == Result::kNoSpace ? ENOSPC : EIO;
    slot += count;
  }
  return 0;
}

template <typename Pages>
bool FileStore::Has(std::uint32_t slot, const Pages& pages) const {
  if (slot >= slots_ || pages.size() > slots_ - slot) return false;
  return std::all_of(pages.begin(), pages.end(),
                     [&](const auto& page) { return page.size() == page_size_; });
}

// The file has room for all slots: where it ends, it has been cut.
Result FileStore::ResultOf(const Transfer& transfer, std::size_t pages) const {
  const bool whole = transfer.bytes == std::uint64_t{pages} * page_size_;
  return whole || transfer.result != Result::kOk ? transfer.result : Result::kIoError;
}

Result FileStore::Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) {
  if (!Has(slot, pages)) return Result::kInvalidArgument;
  const HostWrite how = caching_ == Caching::kDirect ? HostWrite::kAsIs : HostWrite::kSafe;
  return ResultOf(WriteHost(fd_, std::uint64_t{slot} * page_size_, pages, how), pages.size());
}

Result FileStore::Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) {
  if (!Has(slot, pages)) return Result::kInvalidArgument;
  return ResultOf(ReadHost(fd_, std::uint64_t{slot} * page_size_, pages), pages.size());
}

}  // namespace vm
