// The parts of a run: safe points, findings, logs, plans, and what a wrong machine leads to.
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "locking/thread.h"
#include "stress/config/error.h"
#include "stress/host/machine.h"
#include "stress/report/counter_table.h"
#include "stress/run/crew.h"
#include "stress/run/findings.h"
#include "stress/run/plan.h"
#include "stress/run/safe_point.h"
#include "stress/workers/worker.h"
#include "stress/world/claim.h"
#include "stress/world/operations.h"
#include "vm/check.h"

namespace stress {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kGenerous = 120 * kSecond;

std::uint64_t After(std::uint64_t ns) { return locking::Clock::NowNs() + ns; }

locking::Finding FindingWith(const std::string& id, const std::string& title,
                             const std::string& tier = "") {
  locking::Finding finding;
  finding.id = id;
  finding.title = title;
  finding.tier = tier;
  return finding;
}

TEST(SafePoint, StopsAllWorkersBetweenOperations) {
  constexpr std::uint32_t kWorkers = 3;
  SafePoint safe_point(kWorkers);
  locking::Atomic<bool> stop{false};
  locking::Atomic<int> working{0};
  locking::Atomic<std::uint64_t> operations{0};
  std::vector<locking::Thread> workers;
  for (std::uint32_t i = 0; i < kWorkers; ++i)
    workers.emplace_back("worker", [&] {
      while (!stop.Load()) {
        working.FetchAdd(1);
        operations.FetchAdd(1);
        working.FetchSub(1);
        safe_point.AtOperationEnd();
      }
      safe_point.Leave();
    });
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(safe_point.StopAll(After(kGenerous)));
    EXPECT_EQ(working.Load(), 0);
    const std::uint64_t before = operations.Load();
    for (int i = 0; i < 100; ++i) locking::Yield();
    EXPECT_EQ(operations.Load(), before);
    safe_point.Resume();
  }
  stop.Store(true);
  EXPECT_TRUE(safe_point.WaitForEnd(After(kGenerous)));
}

TEST(SafePoint, AWorkerThatDoesNotComeIsMissedAndAllGoOn) {
  SafePoint safe_point(2);
  locking::Atomic<bool> stop{false};
  locking::Atomic<std::uint64_t> operations{0};
  locking::Thread worker("worker", [&] {
    while (!stop.Load()) {
      operations.FetchAdd(1);
      safe_point.AtOperationEnd();
    }
    safe_point.Leave();
  });
  EXPECT_FALSE(safe_point.StopAll(After(kSecond / 50))) << "the second worker never comes";
  const std::uint64_t before = operations.Load();
  while (operations.Load() == before) locking::Yield();  // the first one goes on
  stop.Store(true);
  EXPECT_FALSE(safe_point.WaitForEnd(After(kSecond / 50)));
  EXPECT_EQ(safe_point.active(), 1u);
}

TEST(SafePoint, WorkersThatHaveEndedAreNotWaitedFor) {
  SafePoint safe_point(1);
  safe_point.Leave();
  EXPECT_TRUE(safe_point.StopAll(After(kGenerous)));
  safe_point.Resume();
  EXPECT_TRUE(safe_point.WaitForEnd(After(kGenerous)));
}

TEST(Claim, IsSharedOrHeldAlone) {
  Claim claim;
  EXPECT_TRUE(claim.TryShared());
  EXPECT_TRUE(claim.TryShared());
  EXPECT_FALSE(claim.TryAlone());
  claim.ReleaseShared();
  claim.ReleaseShared();
  EXPECT_TRUE(claim.TryAlone());
  EXPECT_FALSE(claim.TryShared());
  EXPECT_FALSE(claim.TryAlone());
  claim.ReleaseAlone();
  EXPECT_TRUE(claim.TryShared());
}

TEST(Findings, OnlySomeTiersFailARun) {
  for (const char* tier : {"", "confirmed", "provable"}) {
    EXPECT_TRUE(RunFindings::Fails(tier, WitnessMode::kOn)) << tier;
  }
  for (const char* tier : {"gated", "single-context", "ordered", "no-writer", "class-only"}) {
    EXPECT_FALSE(RunFindings::Fails(tier, WitnessMode::kOn)) << tier;
  }
  EXPECT_TRUE(RunFindings::Fails("class-only", WitnessMode::kStrict));
  EXPECT_FALSE(RunFindings::Fails("gated", WitnessMode::kStrict));
}

TEST(Findings, EqualOnesAreKeptOnceAndCounted) {
  int failures = 0;
  RunFindings findings(WitnessMode::kOn, {.replay = "vmstress run --seed=1",
                                          .log_tail =
                                              [](const std::string& thread) {
                                                return std::vector<std::string>{"of " + thread};
                                              },
                                          .at_failure = [&] { ++failures; },
                                          .at_fatal = {}});
  findings.Report(FindingWith("LK02", "one", "gated"));
  EXPECT_FALSE(findings.failed());
  for (int i = 0; i < 3; ++i) findings.Report(FindingWith("INV-05", "two"));
  findings.Report(FindingWith("INV-05", "three"));
  const std::vector<CountedFinding> all = findings.All();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].finding.id, "LK02");
  EXPECT_FALSE(all[0].fails);
  EXPECT_EQ(all[1].count, 3u);
  EXPECT_EQ(all[1].finding.replay, "vmstress run --seed=1");
  EXPECT_EQ(all[1].finding.signature, "INV-05: two");
  EXPECT_EQ(all[1].finding.log_tail, std::vector<std::string>{"of "});
  EXPECT_EQ(findings.failures(), 2u);
  EXPECT_EQ(failures, 2);
}

// The witness reports a cycle again when its tier rises.
TEST(Findings, WhatWasListedFailsOnceItsTierDoes) {
  RunFindings findings(WitnessMode::kOn, {});
  for (const char* tier : {"gated", "provable", "gated"})
    findings.Report(FindingWith("LK02", "one", tier));
  EXPECT_TRUE(findings.failed());
  const std::vector<CountedFinding> all = findings.All();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_FALSE(all[0].fails);
  EXPECT_TRUE(all[1].fails);
  EXPECT_EQ(all[1].count, 2u);
}

TEST(Findings, MayBeReportedByManyThreadsAtOnce) {
  RunFindings findings(WitnessMode::kOn, {});
  std::vector<locking::Thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back("reporter", [&] {
      for (int i = 0; i < 10; ++i) findings.Report(FindingWith("X", std::to_string(i)));
    });
  for (locking::Thread& thread : threads) thread.Join();
  std::uint64_t reports = 0;
  for (const CountedFinding& counted : findings.All()) reports += counted.count;
  EXPECT_EQ(reports, 40u);
}

TEST(OperationLog, KeepsTheLastOperationsOldestFirst) {
  OperationLog log;
  EXPECT_TRUE(log.Tail().empty());
  for (std::uint32_t i = 0; i < OperationLog::kEntries + 10; ++i) {
    log.Begin("load", 3, 0x1000 + i * 8, 0);
    log.End(vm::Result::kOk);
  }
  log.Begin("fork", 4, 0, 2);
  const std::vector<std::string> tail = log.Tail(2);
  ASSERT_EQ(tail.size(), 2u);
  EXPECT_EQ(tail[0], std::string("load space 3 at 0x1248: ") + vm::ResultName(vm::Result::kOk));
  EXPECT_EQ(tail[1], "fork space 4 (2 pages): under way");
  EXPECT_EQ(log.Tail().size(), OperationLog::kEntries);
}

Settings FlagsWith(const std::string& key, std::uint64_t number) {
  Settings flags;
  flags.Set(key, {number, std::to_string(number)}, "--" + key);
  return flags;
}

TEST(Plan, ASeedIsChosenWhenNoneIsGiven) {
  EXPECT_EQ(PlanRun(FlagsWith("seed", 42)).seed, 42u);
  const RunPlan plan = PlanRun({});
  EXPECT_NE(plan.replay.find("--seed=" + std::to_string(plan.seed)), std::string::npos);
}

TEST(Plan, EachThreadHasACpu) {
  EXPECT_EQ(PlanRun(FlagsWith("threads", 5)).machine.cpus, 5u);
  EXPECT_EQ(PlanRun(FlagsWith("threads", 1000)).machine.cpus, vm::kMaxCpus);
}

TEST(Plan, AMachineLargerThanTheHostIsRefused) {
  try {
    PlanRun(FlagsWith("pages", 1u << 26));
    GTEST_SKIP() << "this host has the memory";
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code(), kExitCannotRun);
    EXPECT_NE(std::string(error.what()).find("available"), std::string::npos);
  }
}

TEST(Plan, PagesThatNobodyNamedFitInHalfOfTheMemory) {
  constexpr std::uint64_t kMiB = 1u << 20;
  EXPECT_EQ(DefaultPages({}, 16'000 * kMiB), 4096u);
  const std::uint32_t few = DefaultPages({}, 24 * kMiB);
  EXPECT_LT(few, 4096u);
  EXPECT_LE(few * 3ull * 4096, 12 * kMiB) << "with twice as many swap slots";
  EXPECT_GT(few * 3ull * 4096, 11 * kMiB);
  EXPECT_LE(DefaultPages(FlagsWith("swap_slots", 2048), 24 * kMiB) * 4096ull, 4 * kMiB);
  Settings over_a_file;
  over_a_file.Set("store", {0, "file:x"}, "--store");
  EXPECT_GT(DefaultPages(over_a_file, 24 * kMiB), 2 * few) << "its swap takes no memory";
  EXPECT_EQ(DefaultPages({}, 0), 64u);
}

TEST(Plan, OperationsReplaceTheDuration) {
  const RunPlan plan = PlanRun(FlagsWith("operations", 10));
  EXPECT_EQ(plan.operations, 10u);
  EXPECT_EQ(plan.duration_ns, 0u);
}

// A small world whose machine a test may break.
class SmallWorld : public testing::Test {
 protected:
  SmallWorld() {
    locking::RunContext context;
    context.sink = &findings_;
    locking::SetRunContext(context);
    system_.Start();
  }
  ~SmallWorld() override {
    world_.ExitAll();
    system_.Stop();
    locking::SetRunContext({});
  }
  std::vector<std::string> FoundIds() const {
    std::vector<std::string> ids;
    for (const CountedFinding& counted : findings_.All()) ids.push_back(counted.finding.id);
    return ids;
  }
  // Overwrites a record behind the oracle's back.
  void Poke(SpaceState& space, const Mapping& mapping, std::uint32_t page, const Record& record) {
    for (std::uint32_t slot = 0; slot < kRecordsPerPage; ++slot)
      ASSERT_EQ(space.space.StoreWords(
                    system_.cpu(0), mapping.AddressOf(page) + mapping.memory().OffsetInPage(slot),
                    record.words().data(), kRecordWords),
                vm::Result::kOk);
  }
  MappingUse NewMapping(SpaceState& space) {
    return MapNew(context_, space, 4, vm::Protection::kReadWrite, vm::Inheritance::kCopy);
  }

  RunFindings findings_{WitnessMode::kOn, {}};
  vm::System system_{{.pages = 128, .page_size = 512, .cpus = 2, .swap_slots = 128}};
  World world_{system_, {.salt = 1, .min_spaces = 1, .commit_limit = 200}};
  WorkerContext context_{world_, 0, system_.cpu(0), locking::Random(1)};
};

TEST_F(SmallWorld, SoundMemoryIsCheckedAndSilent) {
  SpaceUse space = PickSpace(context_);
  const auto mapping = NewMapping(*space);
  ASSERT_NE(mapping, nullptr);
  for (int i = 0; i < 200; ++i)
    Touch(context_, *space, *mapping, static_cast<std::uint32_t>(i % 4),
          i % 2 == 0 ? Access::kStore : Access::kLoad);
  EXPECT_EQ(context_.counters.loads_checked.Get(), 100u);
  EXPECT_EQ(context_.counters.stores.Get(), 100u);
  EXPECT_TRUE(findings_.All().empty());
}

TEST_F(SmallWorld, DataThatVanishedIsReportedWithTheLog) {
  SpaceUse space = PickSpace(context_);
  const auto mapping = NewMapping(*space);
  for (int i = 0; i < 100; ++i) Touch(context_, *space, *mapping, 0, Access::kStore);
  Poke(*space, *mapping, 0, Record());
  Touch(context_, *space, *mapping, 0, Access::kLoad);
  ASSERT_EQ(FoundIds(), std::vector<std::string>{"INV-49"});
  EXPECT_FALSE(findings_.All()[0].finding.log_tail.empty());
}

TEST_F(SmallWorld, DataOfAnotherPlaceIsReported) {
  SpaceUse space = PickSpace(context_);
  const auto mapping = NewMapping(*space);
  const auto other = NewMapping(*space);
  Record foreign;
  ASSERT_TRUE(other->memory().BeginStore(0, 0, &foreign));
  Poke(*space, *mapping, 0, foreign);
  Touch(context_, *space, *mapping, 0, Access::kLoad);
  EXPECT_EQ(FoundIds(), std::vector<std::string>{"INV-50"});
}

TEST_F(SmallWorld, AnObjectThatLacksWhatItCountsIsReported) {
  SpaceUse space = PickSpace(context_);
  const auto mapping = NewMapping(*space);
  Touch(context_, *space, *mapping, 0, Access::kStore);
  InspectSomeChain(context_);
  EXPECT_TRUE(findings_.All().empty());
  vm::Object& object = *system_.AllObjects().front();
  const auto count_more = [&](std::uint32_t pages) {
    vm::ObjectGuard guard(object.lock);
    object.resident_page_count += pages;
  };
  count_more(1);
  InspectSomeChain(context_);
  EXPECT_EQ(FoundIds(), std::vector<std::string>{"INV-05"});
  count_more(~0u);
}

TEST_F(SmallWorld, ABackerThatForgotItsShadowIsReported) {
  vm::Object* front = vm::AllocateObject(system_, vm::ObjectType::kDefault, 4);
  vm::Object* const back = front;
  vm::ReferenceObject(back);
  vm::Pindex offset = 0;
  vm::ShadowObject(system_, &front, &offset, 4);
  const auto count_shadows = [&](std::uint32_t shadows) {
    vm::ObjectGuard guard(back->lock);
    back->shadow_count = shadows;
  };
  // Whichever it picks.
  const auto look_at_all = [&] {
    for (int i = 0; i < 20; ++i) InspectSomeChain(context_);
  };
  look_at_all();
  EXPECT_TRUE(findings_.All().empty());
  count_shadows(0);
  look_at_all();
  EXPECT_EQ(FoundIds(), std::vector<std::string>{"INV-33"});
  count_shadows(1);
  vm::DeallocateObject(system_, front);
  vm::DeallocateObject(system_, back);
}

TEST_F(SmallWorld, AMappingThatVanishedIsReported) {
  SpaceUse space = PickSpace(context_);
  const auto mapping = NewMapping(*space);
  ASSERT_EQ(space->space.Unmap(mapping->start(), 4 * 512), vm::Result::kOk);
  Touch(context_, *space, *mapping, 0, Access::kLoad);
  EXPECT_EQ(FoundIds(), std::vector<std::string>{"ORACLE-ACCESS"});
}

TEST_F(SmallWorld, AProtectionThatWasNotSetIsReported) {
  SpaceUse space = PickSpace(context_);
  const auto mapping = NewMapping(*space);
  ProtectPages(context_, *space, *mapping, 0, 4, vm::Protection::kRead);
  Touch(context_, *space, *mapping, 0, Access::kStore);
  EXPECT_TRUE(FoundIds().empty()) << "refused, as the map says";
  ASSERT_EQ(space->space.Protect(mapping->start(), 4 * 512, vm::Protection::kReadWrite),
            vm::Result::kOk);
  Touch(context_, *space, *mapping, 0, Access::kStore);
  EXPECT_EQ(FoundIds(), std::vector<std::string>{"ORACLE-ACCESS"});
}

TEST_F(SmallWorld, AForkedSpaceIsKnownPageByPage) {
  SpaceUse space = PickSpace(context_);
  const auto mapping = NewMapping(*space);
  for (int i = 0; i < 50; ++i) Touch(context_, *space, *mapping, 1, Access::kStore);
  UnmapPages(context_, *space, mapping, 3, 1);
  SpaceUse child = ForkSpace(context_, *space);
  ASSERT_TRUE(static_cast<bool>(child));
  const auto copy = PickMapping(context_, *child);
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->start(), mapping->start());
  EXPECT_FALSE(copy->StateOf(3).mapped());
  for (int i = 0; i < 50; ++i) {
    Touch(context_, *child, *copy, 1, Access::kLoad);
    Touch(context_, *child, *copy, 1, Access::kStore);
    Touch(context_, *space, *mapping, 1, Access::kLoad);
  }
  EXPECT_TRUE(FoundIds().empty());
}

TEST_F(SmallWorld, AnAddressIsNotGivenOutAgainWhileSomebodyMayStillUseIt) {
  SpaceUse space = PickSpace(context_);
  auto mapping = NewMapping(*space);
  const vm::Address start = mapping->start();
  UnmapPages(context_, *space, mapping, 0, 4);
  EXPECT_NE(NewMapping(*space)->start(), start);
  mapping.reset();
  EXPECT_EQ(NewMapping(*space)->start(), start);
}

TEST_F(SmallWorld, WiredRangesAreUnwiredAsOften) {
  SpaceUse space = PickSpace(context_);
  const auto mapping = NewMapping(*space);
  WirePages(context_, *space, mapping, 0, 3);
  WirePages(context_, *space, mapping, 1, 3);
  EXPECT_EQ(world_.wired_pages().Peek(), 6);
  UnwireSome(context_, *space);
  UnwireSome(context_, *space);
  EXPECT_EQ(world_.wired_pages().Peek(), 0);
  EXPECT_TRUE(FoundIds().empty());
}

TEST_F(SmallWorld, ASmallMachineWiresToo) {
  WorkerSpec spec;
  spec.kind = "wire";
  const auto worker = MakeWorker(spec, {.threads = 1, .pages = 64});
  std::int64_t most = 0;
  for (int i = 0; i < 100; ++i) {
    worker->Step(context_);
    most = std::max(most, world_.wired_pages().Peek());
  }
  EXPECT_GE(most, 3);
  EXPECT_LE(most, 6) << "a tenth of its pages";
}

// The same seed makes the same choices: with one thread, the same operations.
TEST(Crew, OneThreadRepeatsItselfExactly) {
  const Scenario scenario = LoadScenario("mixed", WorkerKinds());
  std::vector<std::vector<std::string>> logs;
  for (int round = 0; round < 2; ++round) {
    vm::System system({.pages = 128, .page_size = 512, .cpus = 1, .swap_slots = 256});
    World world(system, {.salt = 5, .min_spaces = 1, .commit_limit = 100});
    Crew crew(world, scenario.workers, {1, 5, 60}, nullptr, {});
    crew.Start();
    crew.Join();
    EXPECT_EQ(crew.operations(), 60u);
    logs.push_back(crew.LogTail("worker 1"));
    world.ExitAll();
  }
  EXPECT_EQ(logs[0], logs[1]);
}

TEST(Crew, ItsThreadsArePinnedToTheCoresInTurn) {
  const Scenario scenario = LoadScenario("faults", WorkerKinds());
  const std::vector<std::uint32_t> cores = AllowedCores();
  std::vector<locking::Atomic<std::uint32_t>> threads_on(cores.size());
  vm::System system({.pages = 256, .page_size = 512, .cpus = 3, .swap_slots = 256});
  system.Start();
  {
    World world(system, {.salt = 5, .min_spaces = 2, .commit_limit = 200});
    Crew crew(world, scenario.workers, {4, 5, 8, cores}, nullptr, [&] {
      cpu_set_t set;
      ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
      EXPECT_EQ(CPU_COUNT(&set), 1);
      for (std::size_t i = 0; i < cores.size(); ++i)
        if (CPU_ISSET(cores[i], &set)) threads_on[i].FetchAdd(1);
    });
    crew.Start();
    crew.Join();
    world.ExitAll();
  }
  system.Stop();
  for (std::size_t i = 0; i < cores.size(); ++i)
    EXPECT_EQ(threads_on[i].Load(), (4 + cores.size() - 1 - i) / cores.size());
}

TEST(Counters, ALineShowsPagesNowAndRatesSinceTheLastOne) {
  constexpr std::uint64_t kInterval = CounterTable::kIntervalNs;
  CounterTable table;
  EXPECT_EQ(table.due_ns(), kInterval);
  const std::string first = table.Next(kInterval, {{"free", 100}, {"faults", 5000}});
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 2) << "heading and line";
  for (const char* heading : {"free", "wired", "faults/s", "cow/s", "pgin/s", "busy/s"})
    EXPECT_NE(first.find(heading), std::string::npos) << heading;
  EXPECT_EQ(table.due_ns(), 2 * kInterval);
  const std::string second = table.Next(3 * kInterval, {{"free", 70}, {"faults", 9000}});
  std::istringstream fields(second);
  const std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
  ASSERT_EQ(words.size(), 13u) << second;
  EXPECT_EQ(words[0], "3s");
  EXPECT_EQ(words[1], "70");
  EXPECT_EQ(words[5], "2000") << "4000 faults in 2 s";
  EXPECT_EQ(table.due_ns(), 4 * kInterval);
}

TEST(Crew, OperationsAreSharedOutExactly) {
  const Scenario scenario = LoadScenario("faults", WorkerKinds());
  vm::System system({.pages = 256, .page_size = 512, .cpus = 3, .swap_slots = 256});
  system.Start();
  {
    World world(system, {.salt = 5, .min_spaces = 2, .commit_limit = 200});
    Crew crew(world, scenario.workers, {3, 5, 100}, nullptr, {});
    crew.Start();
    crew.Join();
    EXPECT_EQ(crew.operations(), 100u);
    world.ExitAll();
  }
  system.Stop();
  EXPECT_TRUE(vm::CheckNoLeaks(system).empty());
}

}  // namespace
}  // namespace stress
