#include "stress/host/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "stress/config/error.h"
#include "stress/config/text.h"

namespace stress {
namespace {

constexpr std::size_t kInputBytesMax = 16u << 20;

std::string ErrorText(int error) { return std::strerror(error); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string ReadInputFile(const std::string& path) {
  const std::string shown = OneLine(path);
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) FailUsage(shown + ": cannot be read: " + ErrorText(errno));
  struct stat status;
  if (fstat(file.get(), &status) != 0) FailUsage(shown + ": cannot be read: " + ErrorText(errno));
  if (S_ISDIR(status.st_mode)) FailUsage(shown + ": is a folder; a file is accepted");
  if (!S_ISREG(status.st_mode)) FailUsage(shown + ": is not a regular file");
  if (static_cast<std::size_t>(status.st_size) > kInputBytesMax)
    FailUsage(shown + ": is too large; accepted: a text of at most 16MiB");
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) FailUsage(shown + ": cannot be read: " + ErrorText(errno));
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kInputBytesMax)
      FailUsage(shown + ": is too large; accepted: a text of at most 16MiB");
  }
  if (text.find('\0') != std::string::npos)
    FailUsage(shown + ": is a binary file; a text is accepted");
  return text;
}

OutputFile::OutputFile(std::string flag, std::string path)
    : flag_(std::move(flag)), path_(std::move(path)) {
  const std::string where = flag_ + ": " + OneLine(path_);
  struct stat status;
  if (stat(path_.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) FailUsage(where + " is a folder; a file is accepted");
    if (S_ISREG(status.st_mode) && access(path_.c_str(), W_OK) != 0)
      FailUsage(where + " cannot be written: " + ErrorText(errno));
    if (!S_ISREG(status.st_mode)) return;  // a device or a pipe is written in place
  }
  const std::string probe = Temporary();
  {
    Descriptor file(open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (file.get() < 0) FailUsage(where + " cannot be written: " + ErrorText(errno));
  }
  unlink(probe.c_str());
}

std::string OutputFile::Temporary() const { return path_ + ".tmp" + std::to_string(getpid()); }

OutputPlace OutputFile::Place() const {
  struct stat status;
  const bool in_place = stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  return {path_, in_place ? "" : Temporary()};
}

void OutputFile::Write(std::string_view content) const {
  if (const int error = WriteTo(Place(), {&content, 1}); error != 0)
    FailHost(flag_ + ": " + OneLine(path_) + " cannot be written: " + ErrorText(error));
}

int WriteTo(const OutputPlace& place, std::span<const std::string_view> pieces) {
  const bool in_place = place.temporary.empty();
  const char* target = in_place ? place.path.c_str() : place.temporary.c_str();
  bool written = true;
  {
    Descriptor file(open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    written = file.get() >= 0;
    for (const std::string_view piece : pieces) written = written && WriteAll(file.get(), piece);
  }
  if (written && (in_place || rename(target, place.path.c_str()) == 0)) return 0;
  const int error = errno;
  if (!in_place) unlink(target);
  return error;
}

void PrepareFolder(const std::string& flag, const std::string& path) {
  const std::string where = flag + ": " + OneLine(path);
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    FailUsage(where + " cannot be created: " + ErrorText(errno));
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    FailUsage(where + " is not a folder");
  if (access(path.c_str(), W_OK | X_OK) != 0)
    FailUsage(where + " cannot be written: " + ErrorText(errno));
}

}  // namespace stress
