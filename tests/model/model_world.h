// The machine under test and what all who use it know of it: its files and objects, what their
// pages must hold, and where its stores fail.
//
// Thread safety: the functions that say so may be called by any thread.
#ifndef TESTS_MODEL_MODEL_WORLD_H_
#define TESTS_MODEL_MODEL_WORLD_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "tests/model/contents.h"
#include "tests/model/model_file.h"
#include "tests/model/results.h"
#include "tests/model/store_faults.h"
#include "vm/system.h"

namespace vm {

inline constexpr std::uint32_t kFiles = 2;
inline constexpr std::uint32_t kObjectPages = 4;  // of a device, and of physical memory

// Ends the execution: the machine did what it must not.
[[noreturn]] void FailModel(const std::string& what);
// Unless `result` is one of those.
void RequireResult(Result result, Results may, const char* what);

struct WorldOptions {
  std::uint32_t pages = 64;
  std::uint32_t swap_slots = 256;
  bool daemon = false;       // else whoever uses the machine scans
  bool lose_writes = false;  // see ModelStore
  bool slow_store = false;
  std::uint32_t reservation_pages = 0;
};

class ModelWorld {
 public:
  explicit ModelWorld(const WorldOptions& options);
  ModelWorld(const ModelWorld&) = delete;

  // By any thread. Bit by bit, by StoreFault; ignored while somebody must not meet any.
  void SetFaults(std::uint32_t bits);
  // No store fails as long as it lives.
  class NoFaults {
   public:
    explicit NoFaults(ModelWorld& world) : world_(world) {
      ++world_.without_faults_;
      world_.faults.Set(0);
    }
    ~NoFaults() { --world_.without_faults_; }
    NoFaults(const NoFaults&) = delete;

   private:
    ModelWorld& world_;
  };

  // By any thread. A file is changed by one at a time: those that come meanwhile do nothing.
  void Truncate(ModelFile& file, std::uint64_t size);
  // What was stored before is in the file then.
  void Sync(ModelFile& file);
  // What is mapped of it stays where it is in memory.
  void Revoke(ModelFile& file);
  // Closes it, and opens it again. Who maps it still goes on with it, unless it was revoked.
  void Reopen(ModelFile& file);
  // One use less.
  void Release(const ModelFile::Opened& opened);

  // The machine is at rest: no invariant is broken.
  void Check();
  // All spaces have exited. Nothing may be left.
  void Finish();

  static constexpr std::uint32_t kDeviceFrames = kObjectPages;
  const bool has_daemon;
  Clock clock;
  StoreFaults faults{clock};
  System system;
  std::atomic<std::uint64_t> last_value{0};
  std::deque<ModelFile> files;
  Object* device;
  Object* physical;
  std::array<Contents, kObjectPages> device_pages;
  std::array<Contents, kObjectPages> physical_pages;

 private:
  // The file has what its pages held at some moment since `begin`. Nobody writes to it meanwhile.
  void CheckFile(const ModelFile& file, FileLife& life, Time begin);
  // True: that was the last use, and all is written.
  bool CloseFile(ModelFile& file);
  void OpenFile(ModelFile& file, std::shared_ptr<FileLife> life);

  std::atomic<std::uint32_t> without_faults_{0};
};

}  // namespace vm

#endif  // TESTS_MODEL_MODEL_WORLD_H_
