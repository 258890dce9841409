// InterruptTimer: posts an interrupt from time to time, for as long as it lives. On an executor
// time is nothing that one waits for: each thread that takes the interrupt gets `ticks` posts, and
// the strategy says when.
//
// Thread safety: made and destroyed by one thread.
#ifndef LOCKING_INTERRUPT_TIMER_H_
#define LOCKING_INTERRUPT_TIMER_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "locking/interrupt.h"
#include "locking/thread.h"

namespace locking {

class InterruptTimer {
 public:
  InterruptTimer(Interrupt& interrupt, std::uint64_t period_ns, std::uint32_t ticks = 1);
  ~InterruptTimer();
  InterruptTimer(const InterruptTimer&) = delete;

 private:
  void Run(std::uint64_t period_ns);

  Interrupt& interrupt_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;  // guarded by mutex_
  // Of the run, like any other: a watchdog sees that somebody is left who can wake others.
  Thread thread_;
};

}  // namespace locking

#endif  // LOCKING_INTERRUPT_TIMER_H_
