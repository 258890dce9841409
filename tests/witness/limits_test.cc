// LK13: what is held or waited for longer than the run allows, by threads that wait for events
// alone.
#include "locking/limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "locking/mutex.h"
#include "locking/resource.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/thread.h"
#include "locking/witness/lock_order_witness.h"
#include "locking/witness/watchdog.h"
#include "tests/witness/recording_sink.h"

namespace locking {
namespace {

const LockClass kObject("object", LockKind::kMutex);
const LockClass kMap("map", LockKind::kSleepable);
const LockClass kQueues("queues", LockKind::kMutex);
const LockClass kBusy("page busy", LockKind::kResource);
const LockClass kFree("free pages", LockKind::kResource);

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kHour = std::uint64_t{3'600'000} * kMillisecond;
constexpr std::uint64_t kShortPeriodNs = 5 * kMillisecond;

// A run whose threads are limited; with a watchdog if it is told.
class LimitedRun {
 public:
  explicit LimitedRun(const Limits::Bounds& bounds, bool witnessed = true) : limits_(bounds) {
    context_.sink = &sink_;
    if (witnessed) context_.witness = &witness_;
    context_.limits = &limits_;
    context_.id = NextRunId();
    former_ = SetRunContext(context_);
  }
  ~LimitedRun() {
    watchdog_.reset();
    SetRunContext(former_);
  }
  void Watch() {
    watchdog_ = std::make_unique<Watchdog>(WatchdogOptions{
        .run_id = context_.id, .sink = &sink_, .period_ns = kShortPeriodNs, .limits = &limits_});
  }
  // Waits, unseen by the watchdog, until so many were reported.
  std::vector<Finding> Await(std::size_t count) const {
    while (findings().size() < count) std::this_thread::yield();
    return findings();
  }
  void AwaitScans(std::uint64_t more) const {
    const std::uint64_t enough = watchdog_->scans() + more;
    while (watchdog_->scans() < enough) std::this_thread::yield();
  }
  // But for joins, which are waits too: of the threads of the test themselves.
  std::vector<Finding> findings() const {
    std::vector<Finding> findings = sink_.findings();
    std::erase_if(findings, [](const Finding& finding) {
      return finding.title.find("thread join") != std::string::npos;
    });
    return findings;
  }

 private:
  RecordingSink sink_;
  LockOrderWitness witness_;
  Limits limits_;
  RunContext context_;
  RunContext former_;
  std::unique_ptr<Watchdog> watchdog_;
};

void AwaitWait(const std::atomic<const ThreadState*>& thread) {
  while (thread.load() == nullptr || thread.load()->waiting.sequence.load() % 2 == 0)
    std::this_thread::yield();
}

bool Mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(HoldLimit, ShowsWhereItWasTakenAndWhereItWasLetGo) {
  LimitedRun run({.hold_ns = 1});
  Mutex object(kObject, 7);
  object.Lock();
  object.Unlock();
  const std::vector<Finding> findings = run.findings();
  ASSERT_EQ(findings.size(), 1u);
  const Finding& finding = findings[0];
  EXPECT_EQ(finding.id, "LK13");
  EXPECT_TRUE(FailsRun(finding));
  EXPECT_TRUE(Mentions(finding.title, "object #7 was held for ")) << finding.title;
  EXPECT_TRUE(Mentions(finding.title, "longer than the 1ns allowed; taken at")) << finding.title;
  ASSERT_EQ(finding.threads.size(), 2u);
  EXPECT_TRUE(Mentions(finding.threads[0].what, "limits_test.cc:")) << finding.threads[0].what;
  EXPECT_FALSE(finding.threads[0].stack.empty());
  EXPECT_TRUE(Mentions(finding.threads[1].what, "lets go of it at")) << finding.threads[1].what;
  EXPECT_FALSE(finding.threads[1].stack.empty());
  ASSERT_EQ(finding.threads[1].held.size(), 1u);
}

TEST(HoldLimit, IsKeptWithoutAWitness) {
  LimitedRun run({.hold_ns = 1}, /*witnessed=*/false);
  RwMutex map(kMap);
  map.LockShared();
  map.UnlockShared();
  ASSERT_EQ(run.findings().size(), 1u);
  EXPECT_TRUE(run.findings()[0].threads[0].stack.empty());
}

TEST(HoldLimit, CountsFromTheLockAndNotFromItsDowngrade) {
  LimitedRun run({.hold_ns = kMillisecond});
  RwMutex map(kMap);
  map.Lock();
  const std::uint64_t start = Clock::NowNs();
  while (Clock::NowNs() - start <= kMillisecond) std::this_thread::yield();
  map.Downgrade();
  map.UnlockShared();
  EXPECT_EQ(run.findings().size(), 1u);
}

TEST(HoldLimit, TheTimeStaysWithItsLockWhenAnOuterOneGoesFirst) {
  LimitedRun run({.hold_ns = kMillisecond});
  Mutex object(kObject), queues(kQueues);
  object.Lock();
  const std::uint64_t start = Clock::NowNs();
  while (Clock::NowNs() - start <= kMillisecond) std::this_thread::yield();
  queues.Lock();
  object.Unlock();
  ASSERT_EQ(run.findings().size(), 1u);
  EXPECT_TRUE(Mentions(run.findings()[0].title, "object was held")) << run.findings()[0].title;
  const std::uint64_t moved = Clock::NowNs();
  while (Clock::NowNs() - moved <= kMillisecond) std::this_thread::yield();
  queues.Unlock();
  ASSERT_EQ(run.findings().size(), 2u) << "the time moves with its lock";
  EXPECT_TRUE(Mentions(run.findings()[1].title, "queues was held")) << run.findings()[1].title;
}

TEST(HoldLimit, OneThatGoesOnIsFoundByTheWatchdogOnceAndTheRunGoesOn) {
  LimitedRun run({.hold_ns = kMillisecond});
  Mutex object(kObject, 7);
  Thread holder("holder", [&] {
    object.Lock();
    run.Watch();
    run.Await(1);
    run.AwaitScans(3);
    object.Unlock();
  });
  holder.Join();
  ASSERT_EQ(run.findings().size(), 1u);
  const Finding finding = run.findings()[0];
  EXPECT_TRUE(Mentions(finding.title, "object #7 has been held for ")) << finding.title;
  ASSERT_GE(finding.threads.size(), 2u) << "every thread of the run";
  EXPECT_EQ(finding.threads[0].thread, "holder");
}

TEST(HoldLimit, IsOneOfBusyPagesTooButNotOfPromises) {
  LimitedRun run({.hold_ns = 1});
  int page = 0, pages = 0;
  {
    Signaller daemon(kFree, &pages);
    HoldResource(&page, kBusy, 12, LockMode::kExclusive);
    DropResource(&page);
  }
  ASSERT_EQ(run.findings().size(), 1u);
  EXPECT_TRUE(Mentions(run.findings()[0].title, "page busy #12 was held for "))
      << run.findings()[0].title;
  EXPECT_TRUE(Mentions(run.findings()[0].threads[1].what, "limits_test.cc:"))
      << run.findings()[0].threads[1].what;
}

TEST(WaitLimit, AWaiterIsFoundByTheWatchdogOnceWithEveryThread) {
  LimitedRun run({.wait_ns = kMillisecond});
  Mutex object(kObject, 7);
  object.Lock();
  Thread waiter("waiter", [&] {
    object.Lock();
    object.Unlock();
  });
  run.Watch();
  run.Await(1);
  object.Unlock();
  waiter.Join();
  ASSERT_EQ(run.findings().size(), 1u) << "not again when the wait ends";
  const Finding finding = run.findings()[0];
  EXPECT_EQ(finding.id, "LK13");
  EXPECT_TRUE(Mentions(finding.title, "a thread has waited for object #7 for ")) << finding.title;
  ASSERT_GE(finding.threads.size(), 2u);
  EXPECT_EQ(finding.threads[0].thread, "waiter");
  EXPECT_FALSE(finding.threads[0].stack.empty());
  EXPECT_EQ(finding.threads[1].held.size(), 1u) << "who holds it";
}

TEST(WaitLimit, AWaitThatHasEndedIsReportedByItsThread) {
  LimitedRun run({.wait_ns = 1});
  Mutex object(kObject, 7);
  std::atomic<const ThreadState*> state{nullptr};
  object.Lock();
  Thread waiter("waiter", [&] {
    state = &Self();
    object.Lock();
    object.Unlock();
  });
  AwaitWait(state);
  object.Unlock();
  const std::vector<Finding> findings = run.Await(1);
  EXPECT_TRUE(Mentions(findings[0].title, "a thread waited for object #7 for "))
      << findings[0].title;
  EXPECT_EQ(findings[0].threads[0].thread, "waiter");
}

TEST(WaitLimit, ASleepForAResourceIsAWait) {
  LimitedRun run({.wait_ns = kMillisecond});
  Mutex object(kObject);
  SleepQueue queue;
  bool busy = true;
  Thread sleeper("sleeper", [&] {
    MutexGuard guard(object);
    while (busy)
      queue.SleepKeep(&busy, object, {.resource_class = &kBusy, .message = "busy"}).AndRetry();
  });
  run.Watch();
  const std::vector<Finding> findings = run.Await(1);
  EXPECT_TRUE(Mentions(findings[0].title, "waited for page busy for ")) << findings[0].title;
  {
    MutexGuard guard(object);
    busy = false;
    queue.WakeAll(&busy);
  }
}

TEST(WaitLimit, ADaemonThatWaitsForWorkIsNotLate) {
  LimitedRun run({.wait_ns = 1});
  Mutex object(kObject);
  SleepQueue queue;
  bool work = false;
  std::atomic<const ThreadState*> state{nullptr};
  Thread daemon("daemon", [&] {
    state = &Self();
    MutexGuard guard(object);
    while (!work)
      queue
          .SleepKeep(&work, object, {.resource_class = &kBusy, .message = "idle", .may_idle = true})
          .AndRetry();
  });
  AwaitWait(state);
  run.Watch();
  run.AwaitScans(3);
  {
    MutexGuard guard(object);
    work = true;
    queue.WakeAll(&work);
  }
  daemon.Join();
  for (const Finding& finding : run.findings())
    EXPECT_FALSE(Mentions(finding.title, "page busy")) << finding.title;
}

TEST(Limits, WithinThemNothingIsReported) {
  LimitedRun run({.hold_ns = kHour, .wait_ns = kHour});
  Mutex object(kObject);
  std::atomic<const ThreadState*> state{nullptr};
  object.Lock();
  Thread waiter("waiter", [&] {
    state = &Self();
    object.Lock();
    object.Unlock();
  });
  AwaitWait(state);
  run.Watch();
  run.AwaitScans(3);
  object.Unlock();
  waiter.Join();
  EXPECT_TRUE(run.findings().empty()) << run.findings()[0].title;
}

}  // namespace
}  // namespace locking
