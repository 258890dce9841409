#include "locking/thread.h"

#include <sched.h>

#include <atomic>
#include <thread>
#include <utility>

#include "locking/futex.h"
#include "locking/interrupt_state.h"
#include "locking/resource.h"
#include "locking/witness.h"

namespace locking {

const LockClass kThreadJoinClass("thread join", LockKind::kResource);

struct Thread::Native {
  std::thread thread;
  // Of the running thread, the holder of its join; kMany while the system starts or ends it.
  std::atomic<std::uint32_t> id{kMany};
};

// What the witness is told of: the thread follows its parent, and is followed by who joins it.
struct Thread::Order {
  Witness* witness;
  std::shared_ptr<const Moment> spawn;
  std::uint32_t number;
  std::string name;
  std::atomic<std::uint32_t> id{0};
  std::shared_ptr<const Moment> end = nullptr;  // nullptr: the body did not come to its end
};

Thread::Thread() = default;

Thread::Thread(std::string name, std::function<void()> body, Site site) {
  ThreadState& self = Self();
  if (self.run.witness != nullptr) {
    static std::atomic<std::uint32_t> last_number{0};
    order_ = std::make_shared<Order>(self.run.witness, self.run.witness->Depart(self),
                                     last_number.fetch_add(1, std::memory_order_relaxed) + 1, name);
    body = [order = order_, body = std::move(body)] {
      Self().spawn = order->number;
      order->id.store(Self().id, std::memory_order_relaxed);
      order->witness->Follow(Self(), *order->spawn);
      body();
      if (Self().run.witness == order->witness) order->end = order->witness->Depart(Self());
    };
  }
  executor_ = self.executor;
  if (executor_ != nullptr) {
    fibre_ = executor_->Spawn(std::move(name), std::move(body), site);
    return;
  }
  native_ = std::make_unique<Native>();
  Native* native = native_.get();
  StartingThreads().fetch_add(1, std::memory_order_relaxed);
  native->thread = std::thread(
      [native, run = self.run, name = std::move(name), body = std::move(body)]() mutable {
        ThreadState& me = RegisterThread(std::move(name), run);
        StartingThreads().fetch_sub(1, std::memory_order_release);
        native->id.store(me.id, std::memory_order_relaxed);
        body();
        if (run.witness != nullptr) run.witness->AtThreadEnd(me);
        SetRunContext({});
        native->id.store(kMany, std::memory_order_relaxed);
      });
}

Thread::~Thread() { WaitForEnd(Site::current()); }

Thread::Thread(Thread&& other) noexcept { *this = std::move(other); }
Thread& Thread::operator=(Thread&& other) noexcept {
  WaitForEnd(Site::current());
  native_ = std::move(other.native_);
  order_ = std::move(other.order_);
  executor_ = other.executor_;
  fibre_ = std::exchange(other.fibre_, nullptr);
  return *this;
}

bool Thread::joinable() const { return native_ != nullptr || fibre_ != nullptr; }

void Thread::Join(Site site) {
  if (!joinable()) return;
  const bool controlled = fibre_ != nullptr;
  WaitForEnd(site);
  if (controlled) executor_->UnwindIfAbandoned();
}

void Thread::WaitForEnd(Site site) {
  if (!joinable()) return;
  ThreadState& self = Self();
  if (order_ != nullptr && self.run.witness == order_->witness)
    self.run.witness->BeforeJoin(
        self, {order_->number, order_->id.load(std::memory_order_relaxed), order_->name}, site);
  if (fibre_ != nullptr) {
    executor_->Join(std::exchange(fibre_, nullptr), site);
  } else {
    WaitScope waiting(self, this, &kThreadJoinClass, 0, LockMode::kExclusive, &native_->id, "join",
                      site);
    native_->thread.join();
    native_.reset();
  }
  const std::shared_ptr<Order> order = std::move(order_);
  if (order != nullptr && order->end != nullptr && self.run.witness == order->witness)
    order->witness->Follow(self, *order->end);
}

std::uint64_t Clock::NowNs() { return watch::NowNs(Self()); }

void Yield(Site site) {
  if (Executor* executor = Self().executor; executor != nullptr) {
    executor->Yield(site);
    return;
  }
  if (Watched(kWatchInterrupts)) interrupts::AtPoint(Self(), site);
  sched_yield();
}

Operation::Operation(const char* name, Site site)
    : site_(site), outer_(Self().operation.exchange(name, std::memory_order_relaxed)) {}

Operation::~Operation() {
  ThreadState& self = Self();
  const char* name = self.operation.exchange(outer_, std::memory_order_relaxed);
  if (self.run.witness != nullptr) self.run.witness->AtOperationEnd(self, name);
  self.operations_ended.store(self.operations_ended.load(std::memory_order_relaxed) + 1,
                              std::memory_order_relaxed);
  if (Watched(kWatchInterrupts)) interrupts::AtPoint(self, site_);
}

}  // namespace locking
