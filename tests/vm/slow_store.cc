#include "tests/vm/slow_store.h"

#include <span>
#include <utility>

#include "locking/atomic.h"
#include "locking/mutex.h"
#include "locking/random.h"
#include "locking/sleep_queue.h"
#include "locking/thread.h"

namespace vm {
namespace {

// Of one half of a request; in an exploration 100 ns pass at each scheduling point.
constexpr std::uint32_t kMaxLatencyNs = 50'000;

const locking::LockClass kStoreRequestLock("store request", locking::LockKind::kMutex);
const locking::LockClass kStoreRequest("store I/O", locking::LockKind::kResource);

class SlowStore final : public Store {
 public:
  SlowStore(std::unique_ptr<Store> store, std::uint32_t failing_writes)
      : store_(std::move(store)), failing_writes_(failing_writes) {}
  Result Write(std::uint32_t slot, std::span<const std::span<const std::byte>> pages) override {
    PassTime();
    const std::uint32_t number = writes_.FetchAdd(1, std::memory_order_relaxed);
    const bool fails = failing_writes_ != 0 && number % failing_writes_ == 0;
    const Result result = fails ? Result::kIoError : store_->Write(slot, pages);
    PassTime();
    return result;
  }
  Result Read(std::uint32_t slot, std::span<const std::span<std::byte>> pages) override {
    PassTime();
    const Result result = store_->Read(slot, pages);
    PassTime();
    return result;
  }

 private:
  void PassTime() {
    const std::uint32_t number = requests_.FetchAdd(1, std::memory_order_relaxed);
    const std::uint64_t latency_ns = locking::Random(number).Below(kMaxLatencyNs);
    locking::Mutex interlock(kStoreRequestLock);
    interlock.Lock();
    sleep_queue_
        .SleepDrop(&interlock, interlock, {.resource_class = &kStoreRequest, .message = "biord"},
                   locking::Clock::NowNs() + latency_ns)
        .AndRetry();
  }

  const std::unique_ptr<Store> store_;
  locking::SleepQueue sleep_queue_;
  const std::uint32_t failing_writes_;
  locking::Atomic<std::uint32_t> requests_{0};
  locking::Atomic<std::uint32_t> writes_{0};
};

}  // namespace

std::unique_ptr<Store> MakeSlowStore(std::unique_ptr<Store> store, std::uint32_t failing_writes) {
  return std::make_unique<SlowStore>(std::move(store), failing_writes);
}

}  // namespace vm
