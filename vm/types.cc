#include "vm/types.h"

#include "vm/counters.h"

namespace vm {

const char* ResultName(Result result) {
  switch (result) {
    case Result::kOk:
      return "ok";
    case Result::kInvalidArgument:
      return "invalid argument";
    case Result::kInvalidAddress:
      return "invalid address";
    case Result::kProtectionFailure:
      return "protection failure";
    case Result::kNoSpace:
      return "no space";
    case Result::kShortage:
      return "page shortage";
    case Result::kIoError:
      return "I/O error";
    case Result::kBeyondEnd:
      return "beyond the end";
    case Result::kOutOfMemory:
      return "out of memory";
  }
  return "unknown";
}

const char* EventName(Event event) {
  // clang-format off: one a line, in the order of Event
  static constexpr const char* kNames[] = {
      "faults",
      "faults_resident",
      "faults_chain",
      "zero_fills",
      "cow_copies",
      "zero_fills_ready",
      "idle_zeroed",
      "loan_copies",
      "page_ins",
      "page_outs",
      "page_in_errors",
      "page_out_errors",
      "swap_full",
      "frees",
      "frees_by_exit",
      "reactivated",
      "cache_reclaimed",
      "contiguous_runs",
      "contiguous_evicted",
      "reservations",
      "reservations_full",
      "reservations_broken",
      "reservations_renamed",
      "daemon_scans",
      "out_of_memory",
      "collapses",
      "bypasses",
      "splits",
      "coalesces",
      "forks",
      "shootdowns",
      "page_waits",
      "busy_waits",
      "pager_map_waits",
      "back_offs",
      "file_pages_lost",
  };
  // clang-format on
  static_assert(sizeof(kNames) / sizeof(kNames[0]) == static_cast<std::size_t>(Event::kCount));
  return kNames[static_cast<std::size_t>(event)];
}

}  // namespace vm
