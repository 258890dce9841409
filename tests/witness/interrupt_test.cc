// What the witness and the watchdog say of interrupts, beside the table of scenarios: evidence.
#include "locking/interrupt.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "locking/mutex.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"
#include "locking/witness/scoped_witness.h"
#include "locking/witness/watchdog.h"
#include "tests/witness/recording_sink.h"

namespace locking {
namespace {

const LockClass kTick("tick", LockKind::kInterrupt);
const LockClass kOpen("open", LockKind::kSpin, LockClassFlags::kInterruptsOn);
const LockClass kOther("other", LockKind::kSpin, LockClassFlags::kInterruptsOn);
const LockClass kQueues("queues", LockKind::kSpin);
const LockClass kObject("object", LockKind::kMutex);
const LockClass kMap("map", LockKind::kMutex);

class InterruptWitness : public ::testing::Test {
 protected:
  InterruptWitness() {
    RunContext run = Self().run;
    run.sink = &sink_;
    former_ = SetRunContext(run);
    witness_ = std::make_unique<ScopedWitness>();
  }
  ~InterruptWitness() override {
    witness_.reset();
    SetRunContext(former_);
  }

  RecordingSink sink_;
  RunContext former_;
  std::unique_ptr<ScopedWitness> witness_;
};

__attribute__((noinline)) void HoldsItOpen(SpinMutex& open) {
  open.Lock();
  open.Unlock();
}
__attribute__((noinline)) void TakesItInAHandler(SpinMutex& open) {
  open.Lock();
  open.Unlock();
}

bool HasFrame(const ThreadEvidence& side, const std::string& function) {
  for (const std::string& frame : side.stack)
    if (frame.find(function) != std::string::npos) return true;
  return false;
}

TEST_F(InterruptWitness, AnInversionShowsBothSidesWithBothStacks) {
  SpinMutex open(kOpen, 7);
  Interrupt tick(kTick, [&] { TakesItInAHandler(open); });
  TakesInterrupt takes(tick);
  HoldsItOpen(open);
  EXPECT_EQ(sink_.Summary(), "") << "nothing was handled yet";
  tick.Post();
  ASSERT_EQ(sink_.Summary(), "LK06/provable");
  const Finding finding = sink_.findings()[0];
  EXPECT_EQ(finding.title, "interrupt inversion: tick -> open -> tick");
  ASSERT_EQ(finding.threads.size(), 4u) << FormatFinding(finding);
  const char* whats[] = {"was interrupted by tick at ", "then took open #7 (exclusive) at ",
                         "took open #7 (exclusive) at ", "could then be interrupted by tick at "};
  const char* ends[] = {"", " in the handler of tick", "", " while it held open #7 (exclusive)"};
  const char* frames[] = {"TakesItInAHandler", "TakesItInAHandler", "HoldsItOpen", "HoldsItOpen"};
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(finding.threads[i].what.starts_with(whats[i])) << finding.threads[i].what;
    EXPECT_TRUE(finding.threads[i].what.ends_with(ends[i])) << finding.threads[i].what;
    EXPECT_TRUE(HasFrame(finding.threads[i], frames[i])) << FormatFinding(finding);
  }
}

// What comes in different runs is the same finding.
TEST_F(InterruptWitness, AnInversionIsReportedOnceForEachCallSite) {
  SpinMutex open(kOpen);
  Interrupt tick(kTick, [&] { TakesItInAHandler(open); });
  TakesInterrupt takes(tick);
  for (int i = 0; i < 5; ++i) {
    HoldsItOpen(open);
    tick.Post();
  }
  EXPECT_EQ(sink_.Summary(), "LK06/provable");
}

TEST_F(InterruptWitness, AMutexInAHandlerShowsWhatItsThreadHeld) {
  Mutex object(kObject, 3), map(kMap);
  Interrupt tick(kTick, [&] { MutexGuard guard(map); });
  TakesInterrupt takes(tick);
  MutexGuard guard(object);
  tick.Post();
  ASSERT_EQ(sink_.Summary(), "LK05/");
  const Finding finding = sink_.findings()[0];
  EXPECT_EQ(finding.title, "map (mutex) is taken in the handler of tick (interrupt)");
  ASSERT_EQ(finding.threads.size(), 2u);
  ASSERT_EQ(finding.threads[1].held.size(), 2u) << FormatFinding(finding);
  EXPECT_TRUE(finding.threads[1].held[0].starts_with("object #3 (exclusive) at "));
  EXPECT_TRUE(finding.threads[1].held[1].starts_with("tick at "));
}

TEST_F(InterruptWitness, AJoinInAHandlerIsASleep) {
  Thread other("other", [] {});
  Interrupt tick(kTick, [&] { other.Join(); });
  TakesInterrupt takes(tick);
  tick.Post();
  ASSERT_EQ(sink_.Summary(), "LK05/");
  EXPECT_EQ(sink_.findings()[0].title, "tick has a handler that sleeps for the end of other");
}

TEST_F(InterruptWitness, ALockLeftByAHandlerIsReportedAndForgotten) {
  static SpinMutex* const queues = new SpinMutex(kQueues);  // stays locked, for good
  Mutex object(kObject);
  Interrupt tick(kTick, [&] { queues->Lock(); });
  TakesInterrupt takes(tick);
  MutexGuard guard(object);
  tick.Post();
  ASSERT_EQ(sink_.Summary(), "LK11/");
  EXPECT_EQ(sink_.findings()[0].title, "queues is held at the end of the handler of tick");
  EXPECT_EQ(Self().held.size(), 1u);
}

TEST_F(InterruptWitness, TheOrderThatIsObservedIsOfLocksAlone) {
  SpinMutex open(kOpen), queues(kQueues), other(kOther);
  Interrupt tick(kTick, [&] {
    SpinGuard outer(queues);
    SpinGuard inner(other);
  });
  TakesInterrupt takes(tick);
  HoldsItOpen(open);
  SpinGuard guard(open);
  tick.Post();
  const OrderSnapshot observed = witness_->witness().Snapshot(LockOrderWitness::Stacks::kNone);
  ASSERT_EQ(observed.edges.size(), 1u);
  EXPECT_NE(observed.Find("queues", "other"), nullptr);
}

// The handler waits for who waits for the thread that it interrupts.
void DeadlockThroughAnotherLock() {
  RunContext run;
  run.id = NextRunId();
  SetRunContext(run);
  SpinMutex open(kOpen);
  SpinMutex other(kOther);
  std::atomic<bool> held{false};
  Interrupt tick(kTick, [&] { SpinGuard guard(other); });
  TakesInterrupt takes(tick);
  open.Lock();
  Thread nests("nests", [&] {
    SpinGuard outer(other);
    held = true;
    SpinGuard inner(open);
  });
  Watchdog watchdog({.run_id = run.id});
  while (!held) std::this_thread::yield();
  tick.Post();
}

TEST(InterruptDeathTest, AnInversionThroughAnotherLockIsADeadlockThatTheWatchdogSees) {
  EXPECT_DEATH(DeadlockThroughAnotherLock(),
               "LK09 \\(confirmed\\)(.|\n)*tick, which interrupted it at ");
}

}  // namespace
}  // namespace locking
