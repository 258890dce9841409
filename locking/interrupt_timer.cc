#include "locking/interrupt_timer.h"

#include <chrono>

namespace locking {

InterruptTimer::InterruptTimer(Interrupt& interrupt, std::uint64_t period_ns, std::uint32_t ticks)
    : interrupt_(interrupt) {
  if (Self().executor == nullptr) {
    thread_ = Thread("timer of " + interrupt.lock_class().name(), [=, this] { Run(period_ns); });
    return;
  }
  interrupt.ticks_.fetch_add(ticks, std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < ticks; ++i) interrupt.Post();
}

InterruptTimer::~InterruptTimer() {
  interrupt_.ticks_.store(0, std::memory_order_relaxed);
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  thread_.Join();
}

void InterruptTimer::Run(std::uint64_t period_ns) {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, std::chrono::nanoseconds(period_ns), [this] { return stop_; })) {
    lock.unlock();
    interrupt_.Post();
    lock.lock();
  }
}

}  // namespace locking
