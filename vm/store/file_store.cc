#include "vm/store/file_store.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <new>
#include <vector>

namespace vm {
namespace {

Result ResultOf(int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return full ? Result::kNoSpace : Result::kIoError;
}

// Steps over `bytes` that were transferred.
void Advance(std::vector<iovec>& vectors, std::size_t& next, std::size_t bytes) {
  while (next < vectors.size() && bytes >= vectors[next].iov_len) bytes -= vectors[next++].iov_len;
  if (bytes == 0) return;
  vectors[next].iov_base = static_cast<std::byte*>(vectors[next].iov_base) + bytes;
  vectors[next].iov_len -= bytes;
}

}  // namespace

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

template <typename Pages, typename Call>
Result FileStore::Transfer(std::uint32_t slot, const Pages& pages, Call call) {
  if (slot >= slots_ || pages.size() > slots_ - slot) return Result::kInvalidArgument;
  std::vector<iovec> vectors;
  vectors.reserve(pages.size());
  for (const auto page : pages) {
    if (page.size() != page_size_) return Result::kInvalidArgument;
    vectors.push_back({const_cast<std::byte*>(page.data()), page.size()});
  }
  off_t offset = off_t{slot} * page_size_;
  for (std::size_t next = 0; next < vectors.size();) {
    const auto count = static_cast<int>(std::min<std::size_t>(vectors.size() - next, IOV_MAX));
    const ssize_t bytes = call(&vectors[next], count, offset);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return ResultOf(errno);
    if (bytes == 0) return Result::kIoError;  // the end of a file that has been cut
    offset += bytes;
    Advance(vectors, next, static_cast<std::size_t>(bytes));
  }
  return Result::kOk;
}

// The calls with flags are those that no sanitizer takes for an order between their callers.
Result FileStore::Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) {
  const int flags = caching_ == Caching::kDirect ? 0 : RWF_DSYNC;
  return Transfer(slot, pages, [&](const iovec* vectors, int count, off_t offset) {
    return pwritev2(fd_, vectors, count, offset, flags);
  });
}

Result FileStore::Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) {
  return Transfer(slot, pages, [&](const iovec* vectors, int count, off_t offset) {
    return preadv2(fd_, vectors, count, offset, 0);
  });
}

}  // namespace vm
