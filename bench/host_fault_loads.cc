#include "bench/host_fault_loads.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

// One thread's set in the host's memory, mapped without huge pages.
class HostFaultLoad : public Load {
 public:
  HostFaultLoad(int flags, int file) : flags_(flags), file_(file) {}
  ~HostFaultLoad() override {
    Unmap();
    if (file_ >= 0) close(file_);
  }
  std::uint64_t iterations() const override { return set_pages; }
  bool needs_setup() const override { return true; }
  void Prepare() override {
    Unmap();
    void* memory = mmap(nullptr, SetBytes(), PROT_READ | PROT_WRITE, flags_, file_, 0);
    Check(memory != MAP_FAILED, "the host gives no memory");
    memory_ = static_cast<volatile std::byte*>(memory);
    madvise(memory, SetBytes(), MADV_NOHUGEPAGE);  // a host without huge pages refuses
  }
  void Run() override {
    for (std::uint32_t i = 0; i < set_pages; ++i)
      memory_[std::size_t{i} * kPageSize] = std::byte{1};
  }

 private:
  static std::size_t SetBytes() { return std::size_t{set_pages} * kPageSize; }
  void Unmap() {
    if (memory_ != nullptr) munmap(const_cast<std::byte*>(memory_), SetBytes());
    memory_ = nullptr;
  }

  const int flags_;
  const int file_;  // -1: none; closed in the end
  volatile std::byte* memory_ = nullptr;
};

class HostCopyOnWriteLoad final : public HostFaultLoad {
 public:
  HostCopyOnWriteLoad() : HostFaultLoad(MAP_PRIVATE | MAP_ANONYMOUS, -1) {
    HostFaultLoad::Prepare();
    Run();
  }
  void Prepare() override {
    child_ = fork();
    Check(child_ >= 0, "the host cannot fork");
    if (child_ == 0)
      for (;;) pause();  // until it is killed
  }
  void Finish() override {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_ = -1;
};

int FileInMemory() {
  const int file = memfd_create("bench", MFD_CLOEXEC);
  Check(file >= 0 && ftruncate(file, off_t{set_pages} * kPageSize) == 0, "no file in memory");
  return file;
}

// Loads over files whose pages are in memory already.
Loads OverFiles(std::uint32_t threads, int flags) {
  Loads loads;
  for (std::uint32_t i = 0; i < threads; ++i) {
    const int file = FileInMemory();
    HostFaultLoad filler(MAP_SHARED, dup(file));
    filler.Prepare();
    filler.Run();
    loads.push_back(std::make_unique<HostFaultLoad>(flags, file));
  }
  return loads;
}

}  // namespace

Loads HostAnonymous(std::uint32_t threads) {
  Loads loads;
  for (std::uint32_t i = 0; i < threads; ++i)
    loads.push_back(std::make_unique<HostFaultLoad>(MAP_PRIVATE | MAP_ANONYMOUS, -1));
  return loads;
}

Loads HostSharedMemfd(std::uint32_t threads) { return OverFiles(threads, MAP_SHARED); }
Loads HostPrivateFile(std::uint32_t threads) { return OverFiles(threads, MAP_PRIVATE); }

Loads HostCopyOnWrite(std::uint32_t threads) {
  Loads loads;
  for (std::uint32_t i = 0; i < threads; ++i)
    loads.push_back(std::make_unique<HostCopyOnWriteLoad>());
  return loads;
}

}  // namespace bench
