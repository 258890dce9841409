#include "stress/host/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "stress/config/error.h"
#include "stress/config/text.h"

namespace stress {
namespace {

std::string ErrorText(int error) { return std::generic_category().message(error); }

std::string CannotWrite(const std::string& where, int error) {
  return where + " cannot be written: " + ErrorText(error);
}

// What the user can mend by another path is bad input; a full or broken disk is not.
[[noreturn]] void FailWrite(const std::string& where, int error) {
  const bool host = error == ENOSPC || error == EDQUOT || error == EIO || error == EMFILE;
  if (host) FailHost(CannotWrite(where, error));
  FailUsage(CannotWrite(where, error));
}

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

std::string ReadInputFile(const std::string& path, std::size_t bytes_max) {
  const std::string shown = OneLine(path);
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) FailUsage(shown + ": cannot be read: " + ErrorText(errno));
  struct stat status;
  if (fstat(file.get(), &status) != 0) FailUsage(shown + ": cannot be read: " + ErrorText(errno));
  if (S_ISDIR(status.st_mode)) FailUsage(shown + ": is a folder; a file is accepted");
  if (!S_ISREG(status.st_mode)) FailUsage(shown + ": is not a regular file");
  const std::string too_large = shown + ": is too large; accepted: a text of at most " +
                                std::to_string(bytes_max >> 20) + "MiB";
  if (static_cast<std::size_t>(status.st_size) > bytes_max) FailUsage(too_large);
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) FailUsage(shown + ": cannot be read: " + ErrorText(errno));
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > bytes_max) FailUsage(too_large);
  }
  if (text.find('\0') != std::string::npos)
    FailUsage(shown + ": is a binary file; a text is accepted");
  return text;
}

OutputFile::OutputFile(std::string flag, std::string path)
    : path_(std::move(path)), where_(flag + ": " + OneLine(path_)), process_(getpid()) {
  struct stat status;
  if (stat(path_.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) FailUsage(where_ + " is a folder; a file is accepted");
    if (S_ISREG(status.st_mode) && access(path_.c_str(), W_OK) != 0) FailWrite(where_, errno);
    if (!S_ISREG(status.st_mode)) {
      // Opening a pipe would wait for its reader, and closing it would end the reader's file.
      in_place_ = open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      if (in_place_ < 0) FailWrite(where_, errno);
      fcntl(in_place_, F_SETFL, O_WRONLY);
      return;
    }
  }
  const std::string probe = Place().temporary;
  {
    Descriptor file(open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (file.get() < 0) FailWrite(where_, errno);
  }
  unlink(probe.c_str());
}

OutputFile::~OutputFile() {
  if (in_place_ >= 0) close(in_place_);
}

void OutputFile::Write(std::string_view content) const {
  if (const int error = WriteTo(Place(), {&content, 1}); error != 0)
    FailHost(CannotWrite(where_, error));
}

int WriteTo(const OutputPlace& place, std::span<const std::string_view> pieces) {
  const auto write_all = [&](int fd) {
    bool written = fd >= 0;
    for (const std::string_view piece : pieces) written = written && WriteAll(fd, piece);
    return written ? 0 : errno;
  };
  if (place.in_place >= 0) return write_all(place.in_place);
  const char* target = place.temporary.c_str();
  int error = 0;
  {
    Descriptor file(open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    error = write_all(file.get());
  }
  if (error == 0 && rename(target, place.path.c_str()) != 0) error = errno;
  if (error != 0) unlink(target);
  return error;
}

OutputFolder::OutputFolder(const std::string& flag, std::string path) : path_(std::move(path)) {
  const std::string where = flag + ": " + OneLine(path_);
  made_ = mkdir(path_.c_str(), 0755) == 0;
  if (!made_ && errno != EEXIST) FailWrite(where, errno);
  struct stat status;
  if (stat(path_.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    FailUsage(where + " is not a folder");
  if (access(path_.c_str(), W_OK | X_OK) != 0) FailWrite(where, errno);
}

OutputFolder::~OutputFolder() {
  if (made_) rmdir(path_.c_str());
}

}  // namespace stress
