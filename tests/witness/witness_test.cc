// What the table of scenarios does not show: counts, evidence, sleeps, memory, instances.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"
#include "locking/witness/lock_order_witness.h"
#include "tests/witness/recording_sink.h"

namespace locking {
namespace {

const LockClass kA("alpha", LockKind::kMutex);
const LockClass kB("beta", LockKind::kMutex);
const LockClass kC("gamma", LockKind::kMutex);
const LockClass kMap("map", LockKind::kSleepable);
const LockClass kSpin("queues", LockKind::kSpin);
const LockClass kOtherSpin("interlock", LockKind::kSpin);
const LockClass kMany("many", LockKind::kMutex, LockClassFlags::kDuplicateOk);
const LockClass kEvent("event", LockKind::kResource);

class WitnessTest : public ::testing::Test {
 protected:
  void Start(WitnessOptions options = {}) {
    witness_ = std::make_unique<LockOrderWitness>(std::move(options));
    RunContext run;
    run.sink = &sink_;
    run.witness = witness_.get();
    former_ = SetRunContext(run);
  }
  void SetUp() override { Start(); }
  void TearDown() override {
    SetRunContext(former_);
    witness_.reset();
  }
  void Restart(WitnessOptions options) {
    TearDown();
    Start(std::move(options));
  }
  OrderSnapshot Snapshot() const { return witness_->Snapshot(LockOrderWitness::Stacks::kNone); }

  RecordingSink sink_;
  std::unique_ptr<LockOrderWitness> witness_;
  RunContext former_;
};

// Threads that are all there from the beginning, and run one after the other; the witness does not
// see what orders them.
void OneAfterTheOther(const std::vector<std::pair<const char*, std::function<void()>>>& bodies) {
  std::atomic<std::size_t> turn{0};
  std::vector<Thread> threads;
  for (std::size_t i = 0; i < bodies.size(); ++i)
    threads.emplace_back(bodies[i].first, [&, i] {
      while (turn.load(std::memory_order_relaxed) != i) std::this_thread::yield();
      bodies[i].second();
      turn.store(i + 1, std::memory_order_relaxed);
    });
}

void Nest(Mutex& outer, Mutex& inner) {
  MutexGuard a(outer);
  MutexGuard b(inner);
}

TEST_F(WitnessTest, CountsAnAcquisitionThatWaitsOnce) {
  Mutex a(kA), b(kB);
  b.Lock();
  std::atomic<ThreadState*> state{nullptr};
  Thread waiter("waiter", [&] {
    Mutex other(kB);
    Nest(a, other);  // from now on the chain is known
    state = &Self();
    Nest(a, b);
  });
  while (state.load() == nullptr || state.load()->waiting.sequence.load() % 2 == 0) Yield();
  b.Unlock();
  waiter.Join();
  ASSERT_EQ(Snapshot().edges.size(), 1u);
  EXPECT_EQ(Snapshot().edges[0].count, 2u);
}

TEST_F(WitnessTest, CountsEveryAcquisitionOfEveryThread) {
  Mutex a(kA), b(kB), c(kC);
  const auto work = [&] {
    for (int i = 0; i < 1000; ++i) {
      MutexGuard outer(a);
      Nest(b, c);
    }
  };
  work();
  Thread("other", work).Join();
  const OrderSnapshot snapshot = Snapshot();
  ASSERT_EQ(snapshot.edges.size(), 3u);
  for (const auto& [from, to] :
       {std::pair("alpha", "beta"), {"alpha", "gamma"}, {"beta", "gamma"}}) {
    ASSERT_NE(snapshot.Find(from, to), nullptr);
    EXPECT_EQ(snapshot.Find(from, to)->count, 2000u);
    EXPECT_EQ(snapshot.Find(from, to)->modes, ModesBit(LockMode::kExclusive, LockMode::kExclusive));
    EXPECT_EQ(snapshot.Find(from, to)->samples.size(), 2u);
  }
  EXPECT_EQ(snapshot.Find("beta", "alpha"), nullptr);
}

TEST_F(WitnessTest, SnapshotsOfTwoRunsMerge) {
  Mutex a(kA), b(kB);
  Nest(a, b);
  const OrderSnapshot first = Snapshot();
  Restart({});
  Nest(b, a);
  Nest(b, a);
  const OrderSnapshot second = Snapshot();
  EXPECT_EQ(second.Find("alpha", "beta"), nullptr);
  const OrderSnapshot both = Merge(first, second);
  EXPECT_EQ(both.edges.size(), 2u);
  EXPECT_EQ(both.Find("alpha", "beta")->count, 1u);
  EXPECT_EQ(both.Find("beta", "alpha")->count, 2u);
  EXPECT_EQ(Merge(both, both).Find("beta", "alpha")->count, 4u);
  EXPECT_EQ(Merge(both, both).Find("beta", "alpha")->samples.size(), 1u);
}

__attribute__((noinline)) void TakesAlphaFirst(Mutex& a, Mutex& b) {
  a.Lock();
  b.Lock();
  b.Unlock();
  a.Unlock();
}
__attribute__((noinline)) void TakesBetaFirst(Mutex& a, Mutex& b) {
  b.Lock();
  a.Lock();
  a.Unlock();
  b.Unlock();
}

TEST_F(WitnessTest, AReversalShowsBothOrdersWithBothStacks) {
  Mutex a(kA, 1), b(kB, 2);
  OneAfterTheOther(
      {{"first", [&] { TakesAlphaFirst(a, b); }}, {"second", [&] { TakesBetaFirst(a, b); }}});
  ASSERT_EQ(sink_.Summary(), "LK02/provable");
  const Finding finding = sink_.findings()[0];
  EXPECT_TRUE(FailsRun(finding));
  EXPECT_EQ(finding.title, "lock order reversal: beta -> alpha -> beta");
  ASSERT_EQ(finding.threads.size(), 4u);
  const char* whats[] = {"took beta #2 (exclusive) at ", "then took alpha #1 (exclusive) at ",
                         "took alpha #1 (exclusive) at ", "then took beta #2 (exclusive) at "};
  const char* frames[] = {"TakesBetaFirst", "TakesBetaFirst", "TakesAlphaFirst", "TakesAlphaFirst"};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(finding.threads[i].thread, i < 2 ? "second" : "first");
    EXPECT_TRUE(finding.threads[i].what.starts_with(whats[i])) << finding.threads[i].what;
    bool found = false;
    for (const std::string& frame : finding.threads[i].stack)
      found = found || frame.find(frames[i]) != std::string::npos;
    EXPECT_TRUE(found) << FormatFinding(finding);
  }
  ASSERT_EQ(finding.threads[1].held.size(), 1u);
  EXPECT_TRUE(finding.threads[1].held[0].starts_with("beta #2 (exclusive) at "));
}

TEST_F(WitnessTest, ReportsOnceForEachCallSite) {
  Mutex a(kA), b(kB);
  const auto reverse = [&] { Nest(b, a); };
  OneAfterTheOther({{"forward", [&] { Nest(a, b); }},
                    {"reverse", reverse},
                    {"reverse", reverse},
                    {"reverse", reverse},
                    {"see", [&] { EXPECT_EQ(sink_.Summary(), "LK02/provable"); }},
                    {"reverse elsewhere", [&] { TakesBetaFirst(a, b); }}});
  EXPECT_EQ(sink_.Summary(), "LK02/provable LK02/provable");
}

TEST_F(WitnessTest, ListedTiersDoNotFailARun) {
  Mutex a(kA), b(kB);
  Nest(a, b);
  Nest(b, a);
  ASSERT_EQ(sink_.Summary(), "LK02/single-context");
  EXPECT_FALSE(FailsRun(sink_.findings()[0]));
}

// A gate counts only where numbers tell locks apart.
TEST_F(WitnessTest, TwoLocksOfOneNumberAreNoGate) {
  Mutex gate(kC), other_gate(kC), a(kA), b(kB);
  OneAfterTheOther({{"first",
                     [&] {
                       MutexGuard guard(gate);
                       Nest(a, b);
                     }},
                    {"second", [&] {
                       MutexGuard guard(other_gate);
                       Nest(b, a);
                     }}});
  EXPECT_EQ(sink_.Summary(), "LK02/provable");
}

TEST_F(WitnessTest, AGateIsNoneOnceAnotherLockHasItsNumber) {
  Mutex gate(kC), other_gate(kC), a(kA), b(kB);
  OneAfterTheOther({{"first",
                     [&] {
                       MutexGuard guard(gate);
                       Nest(a, b);
                     }},
                    {"second",
                     [&] {
                       MutexGuard guard(gate);
                       Nest(b, a);
                     }},
                    {"third", [&] {  // tries wait for nobody: it is the number alone
                       if (!other_gate.TryLock()) return;
                       if (a.TryLock()) a.Unlock();
                       other_gate.Unlock();
                     }}});
  EXPECT_EQ(sink_.Summary(), "LK02/gated LK02/provable");
}

TEST_F(WitnessTest, ALockMadeAnewIsTheSameGate) {
  alignas(Mutex) std::byte places[2][sizeof(Mutex)];
  Mutex a(kA), b(kB);
  const auto round = [&](int number) {
    auto* gate = new (places[number]) Mutex(kC, 1);
    {
      MutexGuard guard(*gate);
      number == 0 ? Nest(a, b) : Nest(b, a);
    }
    gate->~Mutex();
  };
  OneAfterTheOther({{"first", [&] { round(0); }}, {"second", [&] { round(1); }}});
  EXPECT_EQ(sink_.Summary(), "LK02/gated");
}

TEST_F(WitnessTest, ADowngradedLockIsHeldShared) {
  const LockClass rw_class("tree", LockKind::kMutex, LockClassFlags::kRecursiveRead);
  RwMutex rw(rw_class);
  Mutex a(kA);
  rw.Lock();
  rw.Downgrade();
  a.Lock();
  a.Unlock();
  rw.UnlockShared();
  EXPECT_EQ(Snapshot().Find("tree", "alpha")->modes,
            ModesBit(LockMode::kShared, LockMode::kExclusive));
  Thread("reader", [&] {
    a.Lock();
    rw.LockShared();
    rw.UnlockShared();
    a.Unlock();
  }).Join();
  EXPECT_EQ(sink_.Summary(), "");
}

TEST_F(WitnessTest, OutOfOrderReleaseLeavesTheRightChain) {
  Mutex a(kA), b(kB), c(kC);
  a.Lock();
  b.Lock();
  a.Unlock();
  c.Lock();
  c.Unlock();
  b.Unlock();
  EXPECT_EQ(Snapshot().Find("alpha", "gamma"), nullptr);
  EXPECT_EQ(Snapshot().Find("beta", "gamma")->count, 1u);
}

TEST_F(WitnessTest, ARecursiveMutexIsTakenOnce) {
  RecursiveMutex recursive(kA);
  Mutex b(kB);
  recursive.Lock();
  recursive.Lock();
  b.Lock();
  b.Unlock();
  recursive.Unlock();
  recursive.Unlock();
  EXPECT_EQ(sink_.Summary(), "");
  EXPECT_EQ(Snapshot().Find("alpha", "beta")->count, 1u);
}

TEST_F(WitnessTest, AComparatorSaysWhichOfAClassComesFirst) {
  const LockClass ranked("ranked", LockKind::kMutex, LockClassFlags::kNone, &LowerNumberFirst);
  Mutex first(ranked, 1), second(ranked, 2), third(ranked, 3);
  Nest(first, second);
  Nest(second, third);
  EXPECT_EQ(sink_.Summary(), "");
  for (int i = 0; i < 2; ++i) Nest(third, first);
  ASSERT_EQ(sink_.Summary(), "LK04/");
  EXPECT_TRUE(sink_.findings()[0].title.ends_with("in another order than the declared one"));
}

TEST_F(WitnessTest, ALockFreedWithoutAnEndIsNoMore) {
  alignas(Mutex) std::byte place[sizeof(Mutex)];
  Mutex a(kA), b(kB);
  {
    MutexGuard guard(*new (place) Mutex(kC, 1));
    Nest(a, b);
  }
  new (place) Mutex(kMany, 7);
  Mutex gate(kC, 1);  // the only one of its number, so that it may keep two threads apart
  const auto inside = [&](auto nest) {
    MutexGuard guard(gate);
    nest();
  };
  OneAfterTheOther({{"first", [&] { inside([&] { Nest(b, a); }); }},
                    {"second", [&] { inside([&] { Nest(a, b); }); }}});
  EXPECT_EQ(sink_.Summary(), "LK02/ordered LK02/gated");
}

TEST_F(WitnessTest, AWindowOf128OutOf131072Locks) {
  std::vector<std::unique_ptr<Mutex>> locks;
  for (std::uint32_t i = 0; i < 131072; ++i) {
    locks.push_back(std::make_unique<Mutex>(kMany, i + 1));
    locks.back()->Lock();
    if (i >= 128) locks[i - 128]->Unlock();
  }
  for (std::uint32_t i = 131072 - 128; i < 131072; ++i) locks[i]->Unlock();
  EXPECT_EQ(sink_.Summary(), "");
  EXPECT_EQ(witness_->dropped(), 0u);
}

TEST_F(WitnessTest, WhatDoesNotFitIsCounted) {
  Restart({.memory_bytes = 4096, .same_class_order = nullptr});
  std::vector<std::unique_ptr<LockClass>> classes;
  for (int i = 0; i < 100; ++i)
    classes.push_back(std::make_unique<LockClass>("extra " + std::to_string(i), LockKind::kMutex));
  for (const auto& lock_class : classes) {
    Mutex a(kA), extra(*lock_class);
    Nest(a, extra);
  }
  EXPECT_GT(witness_->dropped(), 0u);
  EXPECT_EQ(Snapshot().dropped, witness_->dropped());
  EXPECT_LT(Snapshot().edges.size(), 100u);
}

TEST_F(WitnessTest, PairsOfOneClassBeyondTheBoundAreCounted) {
  const LockClass crowd("crowd", LockKind::kMutex);
  std::vector<std::unique_ptr<Mutex>> locks;
  for (std::uint32_t i = 0; i < 92; ++i) locks.push_back(std::make_unique<Mutex>(crowd, i));
  for (std::size_t outer = 0; outer < locks.size(); ++outer)
    for (std::size_t inner = outer + 1; inner < locks.size(); ++inner)
      Nest(*locks[outer], *locks[inner]);
  const std::uint64_t pairs = 92 * 91 / 2;
  EXPECT_EQ(witness_->dropped(), pairs - OrderEdge::kInstanceSamples);
  EXPECT_EQ(Snapshot().dropped_by_class.at("crowd"), witness_->dropped());
}

// A chain for each order of the outer locks.
void TakeInsideManyChains(Mutex& inner, std::vector<std::unique_ptr<Mutex>>& outer) {
  std::vector<std::size_t> order(outer.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  do {
    for (std::size_t i : order) outer[i]->TryLock();
    inner.Lock();
    inner.Unlock();
    for (std::size_t i : order) outer[i]->Unlock();
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(WitnessTest, AClassThatDoesNotFitIsWorseAlone) {
  Restart({.memory_bytes = 64 << 10, .same_class_order = nullptr});
  const LockClass greedy("greedy", LockKind::kMutex);
  std::vector<std::unique_ptr<LockClass>> classes;
  std::vector<std::unique_ptr<Mutex>> outer;
  for (int i = 0; i < 5; ++i) {
    classes.push_back(std::make_unique<LockClass>("outer " + std::to_string(i), LockKind::kMutex));
    outer.push_back(std::make_unique<Mutex>(*classes.back()));
  }
  Mutex a(kA), b(kB), inner(greedy);
  TakeInsideManyChains(inner, outer);
  Nest(a, b);
  const OrderSnapshot snapshot = Snapshot();
  EXPECT_NE(snapshot.Find("alpha", "beta"), nullptr);
  EXPECT_GT(snapshot.dropped_by_class.at("greedy"), 0u);
  EXPECT_FALSE(snapshot.dropped_by_class.contains("beta"));
  std::uint64_t dropped = 0;
  for (const auto& [name, count] : snapshot.dropped_by_class) dropped += count;
  EXPECT_EQ(dropped, snapshot.dropped);
}

// Sleeps.

void SleepBriefly(SleepQueue& queue, Mutex& mutex) {
  queue.SleepKeep(&queue, mutex, {.resource_class = &kEvent}, Clock::NowNs() + 1000).AndRetry();
}

TEST_F(WitnessTest, TheInterlockAndSleepableLocksMayBeHeldAtASleep) {
  SleepQueue queue;
  RwMutex map(kMap);
  Mutex a(kA);
  WriteGuard outer(map);
  MutexGuard guard(a);
  SleepBriefly(queue, a);
  EXPECT_EQ(sink_.Summary(), "");
}

TEST_F(WitnessTest, AnotherMutexHeldAtASleep) {
  SleepQueue queue;
  Mutex a(kA), b(kB);
  MutexGuard outer(a);
  MutexGuard guard(b);
  for (int i = 0; i < 3; ++i) SleepBriefly(queue, b);
  ASSERT_EQ(sink_.Summary(), "LK11/");
  EXPECT_TRUE(sink_.findings()[0].title.starts_with("alpha is held at a sleep for event"));
  EXPECT_EQ(sink_.findings()[0].threads.size(), 2u);
}

TEST_F(WitnessTest, ASpinLockHeldAtASleep) {
  SleepQueue queue;
  SpinMutex spin(kSpin);
  SpinMutex interlock(kOtherSpin);
  SpinGuard guard(interlock);
  queue.SleepKeep(&queue, interlock, {.resource_class = &kEvent}, Clock::NowNs() + 1000).AndRetry();
  EXPECT_EQ(sink_.Summary(), "");
  interlock.Unlock();
  spin.Lock();
  interlock.TryLock();
  queue.SleepKeep(&queue, interlock, {.resource_class = &kEvent}, Clock::NowNs() + 1000).AndRetry();
  EXPECT_EQ(sink_.Summary(), "LK05/");
  spin.Unlock();
}

TEST_F(WitnessTest, AMutexHeldAtAJoin) {
  Mutex a(kA);
  Thread thread("joined", [] {});
  MutexGuard guard(a);
  thread.Join();
  EXPECT_EQ(sink_.Summary(), "LK11/");
}

TEST_F(WitnessTest, ASleepWithoutItsInterlockIsCaught) {
  SleepQueue queue;
  Mutex a(kA);
  EXPECT_THROW(SleepBriefly(queue, a), FatalFinding);
  EXPECT_EQ(sink_.Summary(), "LK01/");
}

// Threads and contexts.

TEST_F(WitnessTest, AnotherWitnessStartsAnew) {
  Mutex a(kA), b(kB);
  Nest(a, b);
  LockOrderWitness other;
  RunContext run;
  run.sink = &sink_;
  run.witness = &other;
  const RunContext mine = SetRunContext(run);
  Thread("reverse", [&] { Nest(b, a); }).Join();
  SetRunContext(mine);
  EXPECT_EQ(sink_.Summary(), "");
  Thread("reverse", [&] { Nest(b, a); }).Join();
  EXPECT_EQ(sink_.Summary(), "LK02/ordered");
}

TEST_F(WitnessTest, ManyThreadsAtOnce) {
  Mutex a(kA), b(kB), c(kC);
  std::vector<Thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back("worker", [&] {
      for (int i = 0; i < 2000; ++i) {
        Operation operation("nest");
        Nest(a, b);
        Nest(b, c);
        Nest(a, c);
        if (i % 500 == 0) (void)Snapshot();
      }
    });
  threads.clear();
  EXPECT_EQ(sink_.Summary(), "");
  EXPECT_EQ(Snapshot().Find("alpha", "beta")->count, 8000u);
}

class WitnessDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(WitnessDeathTest, DestroyedWhileHeld) {
  const auto watched = [](auto body) {
    LockOrderWitness witness;
    RunContext run;
    run.witness = &witness;
    SetRunContext(run);
    body();
  };
  EXPECT_DEATH(watched([] { Mutex(kA, 1).Lock(); }),
               "LK01: alpha #1 is destroyed while it is held");
  EXPECT_DEATH(watched([] { SpinMutex(kSpin, 2).Lock(); }), "LK01: queues #2 is destroyed");
  EXPECT_DEATH(watched([] { RwMutex(kMap, 3).Lock(); }), "LK01: map #3 is destroyed");
  EXPECT_DEATH(watched([] { RwMutex(kMap, 4).LockShared(); }), "LK01: map #4 is destroyed");
  EXPECT_DEATH(watched([] {
                 Mutex a(kA, 5);
                 a.Lock();
                 new (&a) Mutex(kA, 6);
               }),
               "LK01: alpha #6 is initialised while the caller holds");
  EXPECT_DEATH({ RwMutex(kMap, 7).LockShared(); }, "LK01: map #7 is destroyed");
}

}  // namespace
}  // namespace locking
