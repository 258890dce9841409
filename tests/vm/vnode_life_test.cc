// How vnodes begin and end: opened again, closed for the last time, taken away.
#include <gtest/gtest.h>

#include "tests/vm/files.h"
#include "vm/check.h"
#include "vm/vnode.h"

namespace vm {
namespace {

constexpr Address kPage = kTestPageSize;

TEST(Vnode, TheLastUseWritesWhatIsDirty) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  machine.Store(machine.space, base, 5);
  EXPECT_EQ(machine.Close(), Result::kOk) << "the mapping uses it";
  machine.Store(machine.space, base + kPage, 6);
  EXPECT_EQ(machine.file.WordAt(0), FileMachine::ValueOf(0));
  EXPECT_EQ(machine.space->Unmap(base, 2 * kPage), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(0), 5u);
  EXPECT_EQ(machine.file.WordAt(kPage), 6u);
  EXPECT_EQ(machine.system.LiveVnodes(), 0u);
  EXPECT_EQ(machine.Count(Event::kFilePagesLost), 0u);
}

TEST(Vnode, ShadowsAndPiecesOfMappingsUseIt) {
  FileMachine machine(4);
  const Address mine = machine.Private(4);
  machine.Store(machine.space, mine, 5);
  EXPECT_EQ(machine.space->Unmap(mine + kPage, kPage), Result::kOk);
  Space* child = machine.space->Fork();
  machine.Store(child, mine, 6);
  EXPECT_EQ(machine.Close(), Result::kOk);
  machine.space->Exit();
  EXPECT_EQ(machine.system.LiveVnodes(), 1u);
  EXPECT_EQ(machine.Load(child, mine + 2 * kPage), FileMachine::ValueOf(2));
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  machine.space = child;
}

TEST(Vnode, AFileThatIsOpenIsFoundByWhoOpensItAgain) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  machine.Store(machine.space, base, 5);
  EXPECT_EQ(OpenVnode(machine.system, machine.file), machine.vnode);
  EXPECT_EQ(machine.system.LiveVnodes(), 1u);
  EXPECT_EQ(ReleaseVnode(machine.system, machine.vnode), Result::kOk);
  // The mapping alone keeps it, with what is not written yet.
  EXPECT_EQ(machine.Close(), Result::kOk);
  machine.vnode = OpenVnode(machine.system, machine.file);
  EXPECT_EQ(machine.file.writes.Get(), 0u);
  EXPECT_EQ(machine.Load(machine.space, machine.Shared(2)), 5u);
}

TEST(Vnode, AfterItsLastUseTheFileGetsANewOne) {
  FileMachine machine(2);
  const std::uint32_t former = machine.vnode->id;
  machine.Store(machine.space, machine.Shared(2), 5);
  std::exchange(machine.space, nullptr)->Exit();
  EXPECT_EQ(machine.Close(), Result::kOk);
  EXPECT_EQ(machine.system.LiveVnodes(), 0u);
  machine.vnode = OpenVnode(machine.system, machine.file);
  EXPECT_NE(machine.vnode->id, former);
  machine.space = machine.system.CreateSpace();
  EXPECT_EQ(machine.Load(machine.space, machine.Shared(2)), 5u);
}

TEST(Vnode, ARevokedOneIsNotFoundAgain) {
  FileMachine machine(2);
  const Address before = machine.Shared(2);
  machine.Store(machine.space, before, 5);
  RevokeVnode(machine.system, *machine.vnode);
  Vnode* revoked = std::exchange(machine.vnode, OpenVnode(machine.system, machine.file));
  EXPECT_NE(machine.vnode, revoked);
  const Address after = machine.Shared(2);
  EXPECT_EQ(machine.Load(machine.space, after), 5u);
  machine.Store(machine.space, after, 6);
  EXPECT_EQ(machine.Load(machine.space, before), 5u);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  EXPECT_EQ(ReleaseVnode(machine.system, revoked), Result::kOk);
}

// Closes and opens race: there is one vnode at a time, and nothing is lost.
TEST(Vnode, OneThatIsOpenedWhileItEndsLosesNothing) {
  FileMachine machine(2);
  constexpr std::uint64_t kRounds = 200;
  const auto use = [&](std::uint32_t number) {
    Space* space = machine.system.CreateSpace();
    for (std::uint64_t round = 1; round <= kRounds; ++round) {
      Vnode* vnode = OpenVnode(machine.system, machine.file);
      Address start = 0;
      EXPECT_EQ(space->MapFile(0, 2 * kPage, *vnode, 0, Protection::kReadWrite,
                               Space::Sharing::kShared, &start),
                Result::kOk);
      const Address mine = start + number * 8;
      if (round > 1) {
        EXPECT_EQ(machine.Load(space, mine, number), round - 1);
      }
      machine.Store(space, mine, round, number);
      EXPECT_EQ(ReleaseVnode(machine.system, vnode), Result::kOk);
      EXPECT_EQ(space->Unmap(start, 2 * kPage), Result::kOk);
    }
    space->Exit();
  };
  EXPECT_EQ(machine.Close(), Result::kOk);
  locking::Thread one("one", [&] { use(0); });
  locking::Thread other("other", [&] { use(1); });
  one.Join();
  other.Join();
  EXPECT_EQ(machine.system.LiveVnodes(), 0u);
  EXPECT_EQ(machine.file.WordAt(0), kRounds);
  EXPECT_EQ(machine.file.WordAt(8), kRounds);
}

TEST(Vnode, WhatIsLostAtTheEndIsReportedAndCounted) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  machine.Store(machine.space, base, 5);
  machine.space->Unmap(base, 2 * kPage);
  machine.file.fail_writes = Result::kIoError;
  EXPECT_EQ(machine.Close(), Result::kIoError);
  EXPECT_EQ(machine.Count(Event::kFilePagesLost), 1u);
}

TEST(Vnode, OneThatIsTakenAwayLeavesResidentPagesAndGivesNoOthers) {
  FileMachine machine(4);
  const Address base = machine.Shared(4);
  machine.file.fail_reads_of_several = true;
  machine.Store(machine.space, base, 5);
  RevokeVnode(machine.system, *machine.vnode);
  EXPECT_EQ(machine.file.WordAt(0), 5u) << "written first";
  EXPECT_EQ(machine.Load(machine.space, base), 5u);
  EXPECT_EQ(machine.TryLoad(base + kPage), Result::kBeyondEnd);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  Address start;
  EXPECT_EQ(machine.space->MapFile(0, kPage, *machine.vnode, 0, Protection::kRead,
                                   Space::Sharing::kShared, &start),
            Result::kBeyondEnd);
  EXPECT_EQ(TruncateVnode(machine.system, *machine.vnode, 0), Result::kIoError);
  EXPECT_EQ(machine.space->Unmap(base + kPage, kPage), Result::kOk);
  EXPECT_EQ(machine.Close(), Result::kOk);
  EXPECT_EQ(machine.system.LiveVnodes(), 0u);
}

}  // namespace
}  // namespace vm
