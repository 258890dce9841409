#include "vm/store/host_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "vm/store/host_io.h"

namespace vm {
namespace {

constexpr mode_t kOwnerOnly = 0600;

// Where the file system cannot make a file without a name, it is taken away at once.
int OpenUnnamed(const std::string& folder) {
  const int fd = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kOwnerOnly);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  std::string path = folder + "/vmstress.XXXXXX";
  const int named = mkostemp(path.data(), O_CLOEXEC);
  if (named < 0 || unlink(path.c_str()) == 0) return named;
  const int error = errno;
  close(named);
  errno = error;
  return -1;
}

// The part of `ranges` that is at most `bytes` long.
std::vector<std::span<const std::byte>> FirstOf(std::span<const std::span<const std::byte>> ranges,
                                                std::uint64_t bytes) {
  std::vector<std::span<const std::byte>> first;
  for (const std::span<const std::byte> range : ranges) {
    first.push_back(range.first(std::min<std::uint64_t>(range.size(), bytes)));
    bytes -= first.back().size();
  }
  return first;
}

}  // namespace

std::unique_ptr<HostFile> HostFile::Own(int fd, int* error) {
  if (fd < 0) {
    *error = errno;
    return nullptr;
  }
  struct stat status = {};
  *error = fstat(fd, &status) != 0             ? errno
           : !S_ISREG(status.st_mode)          ? ENOTSUP
           : flock(fd, LOCK_EX | LOCK_NB) != 0 ? (errno == EWOULDBLOCK ? EBUSY : errno)
                                               : 0;
  if (*error != 0) {
    close(fd);
    return nullptr;
  }
  return std::unique_ptr<HostFile>(
      new HostFile(fd, {status.st_dev, status.st_ino}, static_cast<std::uint64_t>(status.st_size)));
}

std::unique_ptr<HostFile> HostFile::Open(const std::string& path, int* error) {
  // Not for the other end of a pipe, nor for what a device waits for.
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  return Own(open(path.c_str(), kFlags, kOwnerOnly), error);
}

std::unique_ptr<HostFile> HostFile::CreateUnnamed(const std::string& folder, int* error) {
  return Own(OpenUnnamed(folder), error);
}

HostFile::~HostFile() { close(fd_); }

bool HostFile::IsHole(std::uint64_t offset, std::uint64_t bytes) const {
  const off_t data = lseek(fd_, static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) return static_cast<std::uint64_t>(data) >= offset + bytes;
  // None up to the end, which is before the range where another program has cut the file.
  struct stat status = {};
  return errno == ENXIO && fstat(fd_, &status) == 0 &&
         static_cast<std::uint64_t>(status.st_size) >= offset + bytes;
}

Transfer HostFile::Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) {
  return ReadHost(fd_, offset, ranges);
}

Transfer HostFile::Write(std::uint64_t offset, std::span<const std::span<const std::byte>> ranges) {
  if (offset >= size_) return {};
  return WriteHost(fd_, offset, FirstOf(ranges, size_ - offset), HostWrite::kSafe);
}

Result HostFile::Truncate(std::uint64_t size) {
  while (ftruncate(fd_, static_cast<off_t>(size)) != 0)
    if (errno != EINTR) return ResultOfErrno(errno);
  size_ = size;
  return Result::kOk;
}

Result HostFile::Sync() { return fdatasync(fd_) == 0 ? Result::kOk : ResultOfErrno(errno); }

}  // namespace vm
