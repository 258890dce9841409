// A folder of the host, and a system whose calls fail when told to: a test that is linked with this
// has them in place of the functions of the C library.
#ifndef TESTS_VM_HOST_CALLS_H_
#define TESTS_VM_HOST_CALLS_H_

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace vm {

// What the system is told to do instead of writing or reading: bytes, or minus an errno value.
using HostFault = std::function<ssize_t(const iovec* vectors, int count, off_t offset)>;
inline HostFault g_write_fault;
inline HostFault g_read_fault;
inline int g_direct_error = 0;                     // of a plain pwrite
inline std::vector<int>* g_write_flags = nullptr;  // of the calls; only where one thread writes

class HostCallsTest : public testing::Test {
 protected:
  HostCallsTest() {
    const char* base = getenv("TEST_TMPDIR");
    std::string pattern = std::string(base == nullptr ? "/tmp" : base) + "/vmXXXXXX";
    folder_ = mkdtemp(pattern.data());
    signal(SIGXFSZ, SIG_IGN);
    g_write_flags = &write_flags_;
  }
  ~HostCallsTest() override {
    g_write_flags = nullptr;
    g_write_fault = nullptr;
    g_read_fault = nullptr;
    g_direct_error = 0;
    std::filesystem::remove_all(folder_);
  }

  std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  std::size_t CountFiles() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::string folder_;
  std::vector<int> write_flags_;
};

// A lower limit to the size of files, while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;

 private:
  rlimit before_;
};

}  // namespace vm

#endif  // TESTS_VM_HOST_CALLS_H_
