// The last operations of one worker, for the `log_tail` of a failure.
//
// Thread safety: Begin and End by the worker alone; Tail by anyone at any time (an entry that is
// being written may mix two operations).
#ifndef STRESS_WORLD_OPERATION_LOG_H_
#define STRESS_WORLD_OPERATION_LOG_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "locking/atomic.h"
#include "vm/types.h"

namespace stress {

class OperationLog {
 public:
  static constexpr std::uint32_t kEntries = 64;

  // `name` lives as long as the process. `space` 0: of no space; `pages` 0: no range.
  void Begin(const char* name, std::uint32_t space, vm::Address address, std::uint32_t pages);
  void End(vm::Result result);

  // "store of space 3 at 0x14000 (2 pages): ok", oldest first.
  std::vector<std::string> Tail(std::uint32_t most = kEntries) const;

 private:
  // A number that one thread sets and others read, and no scheduling point.
  struct Field : locking::Counter {
    void Set(std::uint64_t value) { Add(value - Get()); }
  };
  struct Entry {
    Field name, space, address, pages;
    Field result;  // 1 + vm::Result; 0: under way
  };
  std::array<Entry, kEntries> entries_;
  locking::Counter begun_;
};

}  // namespace stress

#endif  // STRESS_WORLD_OPERATION_LOG_H_
