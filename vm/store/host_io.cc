#include "vm/store/host_io.h"

#include <limits.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace vm {

Result ResultOfErrno(int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return full ? Result::kNoSpace : Result::kIoError;
}

namespace {

// Steps over `bytes` that were transferred.
void Advance(std::vector<iovec>& vectors, std::size_t& next, std::size_t bytes) {
  while (next < vectors.size() && bytes >= vectors[next].iov_len) bytes -= vectors[next++].iov_len;
  if (bytes == 0) return;
  vectors[next].iov_base = static_cast<std::byte*>(vectors[next].iov_base) + bytes;
  vectors[next].iov_len -= bytes;
}

template <typename Ranges, typename Call>
Transfer TransferAll(std::uint64_t offset, const Ranges& ranges, Call call) {
  std::vector<iovec> vectors;
  vectors.reserve(ranges.size());
  for (const auto range : ranges)
    vectors.push_back({const_cast<std::byte*>(range.data()), range.size()});
  Transfer done;
  std::size_t next = 0;
  Advance(vectors, next, 0);  // over what is empty
  while (next < vectors.size()) {
    const auto count = static_cast<int>(std::min<std::size_t>(vectors.size() - next, IOV_MAX));
    const ssize_t bytes = call(&vectors[next], count, static_cast<off_t>(offset + done.bytes));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) done.result = ResultOfErrno(errno);
    if (bytes <= 0) return done;
    done.bytes += static_cast<std::uint64_t>(bytes);
    Advance(vectors, next, static_cast<std::size_t>(bytes));
  }
  return done;
}

}  // namespace

// The calls with flags are those that no sanitizer takes for an order between their callers.
Transfer ReadHost(int fd, std::uint64_t offset, std::span<const std::span<std::byte>> ranges) {
  return TransferAll(offset, ranges, [&](const iovec* vectors, int count, off_t at) {
    return preadv2(fd, vectors, count, at, 0);
  });
}

Transfer WriteHost(int fd, std::uint64_t offset, std::span<const std::span<const std::byte>> ranges,
                   HostWrite how) {
  const int flags = how == HostWrite::kSafe ? RWF_DSYNC : 0;
  return TransferAll(offset, ranges, [&](const iovec* vectors, int count, off_t at) {
    return pwritev2(fd, vectors, count, at, flags);
  });
}

}  // namespace vm
