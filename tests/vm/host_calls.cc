#include "tests/vm/host_calls.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace vm {
namespace {

ssize_t Answer(ssize_t bytes) {
  if (bytes >= 0) return bytes;
  errno = static_cast<int>(-bytes);
  return -1;
}

}  // namespace
}  // namespace vm

extern "C" ssize_t pwritev2(int fd, const iovec* vectors, int count, off_t offset, int flags) {
  if (vm::g_write_flags != nullptr) vm::g_write_flags->push_back(flags);
  if (vm::g_write_fault) return vm::Answer(vm::g_write_fault(vectors, count, offset));
  return syscall(SYS_pwritev2, fd, vectors, count, offset, 0, flags);
}
extern "C" ssize_t preadv2(int fd, const iovec* vectors, int count, off_t offset, int flags) {
  if (vm::g_read_fault) return vm::Answer(vm::g_read_fault(vectors, count, offset));
  return syscall(SYS_preadv2, fd, vectors, count, offset, 0, flags);
}
extern "C" ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  if (vm::g_direct_error != 0) return vm::Answer(-vm::g_direct_error);
  return syscall(SYS_pwrite64, fd, bytes, count, offset);
}
