// The machine under test and what all who use it know of it: its files and objects, what their
// pages must hold, and where its stores fail.
#ifndef TESTS_MODEL_MODEL_WORLD_H_
#define TESTS_MODEL_MODEL_WORLD_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "tests/model/contents.h"
#include "tests/vm/files.h"
#include "vm/system.h"

namespace vm {

inline constexpr std::uint32_t kFiles = 2;
inline constexpr std::uint32_t kMaxFilePages = 8;
inline constexpr std::uint32_t kObjectPages = 4;  // of a device, and of physical memory

// Ends the execution: the machine did what it must not.
[[noreturn]] void FailModel(const std::string& what);

// Swap that fails when told to. Settings are changed while nobody uses it.
class ModelStore final : public Store {
 public:
  explicit ModelStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override {
    if (fail_writes) return Result::kIoError;
    return lose_writes && slot % 2 == 1 ? Result::kOk : store_->Write(slot, pages);
  }
  Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override {
    return fail_reads ? Result::kIoError : store_->Read(slot, pages);
  }

  bool fail_writes = false;
  bool fail_reads = false;
  bool lose_writes = false;  // some, silently: what the model is there to find

 private:
  const std::unique_ptr<Store> store_;
};

struct ModelFile {
  TestFile file;
  Vnode* vnode = nullptr;
  std::uint64_t size = 0;  // in bytes
  std::array<std::shared_ptr<Contents>, kMaxFilePages> pages;
  // The file was taken away; what it holds, while `pages` are what is left in memory.
  bool revoked = false;
  std::array<std::shared_ptr<Contents>, kMaxFilePages> kept;

  std::uint32_t page_count() const {
    return static_cast<std::uint32_t>((size + kTestPageSize - 1) / kTestPageSize);
  }
  // nullptr: the file ends before it.
  Contents* PageAt(Pindex index) const {
    return index < page_count() ? pages[index].get() : nullptr;
  }
  bool Ends(Pindex index, std::uint32_t word) const {
    return index * kTestPageSize + WordOffset(word) >= size;
  }
};

struct WorldOptions {
  std::uint32_t pages = 64;
  std::uint32_t swap_slots = 256;
  bool daemon = false;       // else whoever uses the machine scans
  bool lose_writes = false;  // see ModelStore
  bool slow_store = false;
};

class ModelWorld {
 public:
  explicit ModelWorld(const WorldOptions& options);
  ModelWorld(const ModelWorld&) = delete;

  // What a transfer may fail by, just now.
  bool StoresFail() const { return store->fail_writes || store->fail_reads || FilesFail(); }
  bool FilesFail() const;
  void SetFaults(std::uint32_t bits);

  void Open(ModelFile& file);
  // The last use ends: the file must hold what was stored to it.
  void Close(ModelFile& file);
  // What is mapped of it stays where it is in memory.
  void Revoke(ModelFile& file);
  void Truncate(ModelFile& file, std::uint64_t size);

  // The machine is at rest: no invariant is broken.
  void Check();
  // All spaces have exited. Nothing may be left.
  void Finish();

  static constexpr std::uint32_t kDeviceFrames = kObjectPages;
  const bool has_daemon;
  ModelStore* store;  // the machine's
  System system;
  Clock clock;
  std::atomic<std::uint64_t> last_value{0};
  std::deque<ModelFile> files;
  Object* device;
  Object* physical;
  std::array<Contents, kObjectPages> device_pages;
  std::array<Contents, kObjectPages> physical_pages;

 private:
  // The file holds what was stored to it.
  void CheckFile(ModelFile& file);
  explicit ModelWorld(const WorldOptions& options, std::unique_ptr<ModelStore> its_store);
};

}  // namespace vm

#endif  // TESTS_MODEL_MODEL_WORLD_H_
