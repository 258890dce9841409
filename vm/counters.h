// Event counts of one machine, striped by thread so that no two threads write one cache line.
//
// Thread safety: all functions may be called by any thread.
#ifndef VM_COUNTERS_H_
#define VM_COUNTERS_H_

#include <array>
#include <cstdint>

#include "locking/relaxed.h"
#include "locking/thread_state.h"

namespace vm {

enum class Event : std::uint8_t {
  kFault,          // faults resolved: the sum of the next four, never counted itself
  kFaultResident,  // found in the object itself
  kFaultChain,     // found in a backer, mapped read-only
  kZeroFill,
  kCowCopy,
  kReadyZeroFill,       // zero-fills, counted there too, that found a frame zeroed
  kIdleZero,            // pages that the zeroing thread zeroed
  kLoanCopy,            // copies of lent pages that somebody wrote to
  kPageIn,              // pages read from a store
  kPageOut,             // pages written
  kPageInError,         // pages that could not be read
  kPageOutError,        // pages that could not be written; they stay dirty
  kSwapFull,            // dirty pages for which no slot was free
  kFree,                // pages freed (tfree)
  kFreeByExit,          // pages freed as their object ended (pfree)
  kReactivated,         // taken back from the cache queue, or by a scan from the inactive queue
  kCacheReclaimed,      // cache pages freed for an allocation
  kContiguousRun,       // runs of contiguous frames taken
  kContiguousEvicted,   // pages given up by their objects for one
  kReservation,         // runs of frames reserved for an object
  kReservationFull,     // reservations of which every frame came to be used
  kReservationBroken,   // reservations that ended with frames in use
  kReservationRenamed,  // reservations that went along with a page to another object
  kDaemonScan,
  kOutOfMemory,  // decisions of the page daemon that there is no memory to be had
  kCollapse,
  kBypass,
  kSplit,     // parts of objects that became objects of their own
  kCoalesce,  // objects that were made longer for new memory behind them
  kFork,
  kShootdown,      // CPUs asked to drop a translation
  kPageWait,       // sleeps for free pages
  kBusyWait,       // sleeps for a busy page
  kPagerMapWait,   // sleeps for room in the pager map
  kBackOff,        // wrong-order acquisitions given up
  kFilePagesLost,  // dirty pages of files that could not be written when these ended
  kCount,
};
const char* EventName(Event event);

class Counters {
 public:
  void Add(Event event, std::uint64_t n = 1) {
    stripes_[locking::Self().ordinal % kStripes].counts[static_cast<std::size_t>(event)].Add(n);
  }
  std::uint64_t Get(Event event) const {
    if (event != Event::kFault) return Sum(event);
    return Sum(Event::kFaultResident) + Sum(Event::kFaultChain) + Sum(Event::kZeroFill) +
           Sum(Event::kCowCopy);
  }

 private:
  std::uint64_t Sum(Event event) const {
    std::uint64_t sum = 0;
    for (const Stripe& stripe : stripes_) sum += stripe.counts[static_cast<std::size_t>(event)];
    return sum;
  }

  static constexpr std::size_t kStripes = 8;
  struct alignas(64) Stripe {
    std::array<locking::Relaxed<std::uint64_t>, static_cast<std::size_t>(Event::kCount)> counts{};
  };
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace vm

#endif  // VM_COUNTERS_H_
