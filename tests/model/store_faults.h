// Where the stores of the machine fail, and where they did while an operation was under way.
//
// Thread safety: all functions may be called by any thread.
#ifndef TESTS_MODEL_STORE_FAULTS_H_
#define TESTS_MODEL_STORE_FAULTS_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "tests/model/register.h"

namespace vm {

enum class StoreFault : std::uint8_t {
  kSwapWrite,
  kSwapRead,
  kFileRead,
  kFileWrite,
  kFileFull,  // a write fails by it, too
  kTruncate,
  kShortWrite,
  kCount,
};

class StoreFaults {
 public:
  explicit StoreFaults(Clock& clock) : clock_(clock) {}

  // Bit by bit, by StoreFault.
  void Set(std::uint32_t bits) {
    for (std::uint32_t i = 0; i < since_.size(); ++i) {
      const bool on = (bits >> i & 1) != 0;
      if (on == On(static_cast<StoreFault>(i))) continue;
      (on ? since_ : until_)[i] = clock_.Now();
      if (on) until_[i] = kNever;
    }
  }
  bool On(StoreFault fault) const { return until_[Index(fault)] == kNever; }
  // At some moment since `begin`.
  bool OnAfter(StoreFault fault, Time begin) const { return until_[Index(fault)] >= begin; }
  // At each moment since `begin`.
  bool OnSince(StoreFault fault, Time begin) const {
    return On(fault) && since_[Index(fault)] <= begin;
  }

 private:
  static std::size_t Index(StoreFault fault) { return static_cast<std::size_t>(fault); }

  Clock& clock_;
  std::array<std::atomic<Time>, static_cast<std::size_t>(StoreFault::kCount)> since_{};
  std::array<std::atomic<Time>, static_cast<std::size_t>(StoreFault::kCount)> until_{};
};

}  // namespace vm

#endif  // TESTS_MODEL_STORE_FAULTS_H_
