// Files: vnodes, their pager, and mappings of them.
#include "vm/vnode.h"

#include <gtest/gtest.h>

#include "tests/vm/files.h"
#include "vm/check.h"
#include "vm/page_cow.h"

namespace vm {
namespace {

constexpr Address kPage = kTestPageSize;

// ---- The memory file ----

TEST(MemoryFile, HolesReadAsZeroAndTruncationMakesThem) {
  const auto file = MakeMemoryFile(4 * kPage);
  EXPECT_EQ(file->Truncate(3 * kPage), Result::kOk);
  EXPECT_TRUE(file->IsHole(0, 3 * kPage));
  std::array<std::byte, 2 * kPage> bytes;
  bytes.fill(std::byte{7});
  const std::span<const std::byte> source(bytes);
  EXPECT_EQ(file->Write(kPage, {&source, 1}).bytes, 2 * kPage);
  EXPECT_TRUE(file->IsHole(0, kPage));
  EXPECT_FALSE(file->IsHole(0, kPage + 1));
  EXPECT_EQ(file->Truncate(kPage + 8), Result::kOk);
  EXPECT_EQ(file->Truncate(2 * kPage), Result::kOk);
  const std::span<std::byte> target(bytes);
  EXPECT_EQ(file->Read(0, {&target, 1}).bytes, 2 * kPage);
  EXPECT_EQ(bytes[kPage - 1], std::byte{0});
  EXPECT_EQ(bytes[kPage + 7], std::byte{7});
  EXPECT_EQ(bytes[kPage + 8], std::byte{0});
  EXPECT_EQ(file->Truncate(5 * kPage), Result::kNoSpace);
  EXPECT_EQ(file->size(), 2 * kPage);
}

TEST(MemoryFile, TransfersEndWithTheFile) {
  const auto file = MakeMemoryFile(4 * kPage);
  EXPECT_EQ(file->Truncate(kPage), Result::kOk);
  std::array<std::byte, 2 * kPage> bytes{};
  const std::span<const std::byte> source(bytes);
  const std::span<std::byte> target(bytes);
  EXPECT_EQ(file->Write(8, {&source, 1}).bytes, kPage - 8);
  EXPECT_EQ(file->Read(8, {&target, 1}).bytes, kPage - 8);
}

// ---- Reading ----

TEST(FileMapping, ShowsTheFile) {
  FileMachine machine(4);
  const Address base = machine.Shared(4);
  for (std::uint32_t page = 0; page < 4; ++page)
    EXPECT_EQ(machine.Load(machine.space, base + page * kPage), FileMachine::ValueOf(page));
  EXPECT_EQ(machine.file.reads.Get(), 1u) << "neighbours come with the first";
  EXPECT_TRUE(CheckSystem(machine.system).empty());
}

TEST(FileMapping, BeginsAtAnOffset) {
  FileMachine machine(4);
  const Address base = machine.MapFile(machine.space, 2, Space::Sharing::kShared, 2);
  EXPECT_EQ(machine.Load(machine.space, base + kPage), FileMachine::ValueOf(3));
}

TEST(FileMapping, AHoleIsZeroAndNotRead) {
  FileMachine machine(0);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 4 * kPage), Result::kOk);
  const Address base = machine.Shared(4);
  EXPECT_EQ(machine.Load(machine.space, base + kPage), 0u);
  EXPECT_EQ(machine.file.reads.Get(), 0u);
}

TEST(FileMapping, BeyondTheEndIsAnErrorAndTheRestOfTheLastPageIsZero) {
  FileMachine machine(2);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage + 16), Result::kOk);
  const Address base = machine.Shared(4);
  EXPECT_EQ(machine.Load(machine.space, base + kPage), FileMachine::ValueOf(1));
  EXPECT_EQ(machine.Load(machine.space, base + kPage + 16), 0u);
  EXPECT_EQ(machine.TryLoad(base + 2 * kPage), Result::kBeyondEnd);
}

TEST(FileMapping, AReadThatFailsIsReportedAndLeavesNothing) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  machine.file.fail_reads = true;
  EXPECT_EQ(machine.TryLoad(base), Result::kIoError);
  EXPECT_EQ(machine.PageOfFile(0), nullptr);
  EXPECT_EQ(machine.Count(Event::kPageInError), 1u);
  machine.file.fail_reads = false;
  EXPECT_EQ(machine.Load(machine.space, base), FileMachine::ValueOf(0));
}

TEST(FileMapping, AReadThatEndsEarlyIsAnError) {
  FileMachine machine(1);
  const Address base = machine.Shared(1);
  machine.file.short_read = kPage - 1;
  EXPECT_EQ(machine.TryLoad(base), Result::kIoError);
  EXPECT_EQ(machine.PageOfFile(0), nullptr);
  machine.file.short_read = ~0ull;
  EXPECT_EQ(machine.Load(machine.space, base), FileMachine::ValueOf(0));
}

TEST(FileMapping, ANeighbourThatCannotBeReadIsNotMissed) {
  FileMachine machine(4);
  const Address base = machine.Shared(4);
  machine.file.fail_reads_of_several = true;
  EXPECT_EQ(machine.Load(machine.space, base + kPage), FileMachine::ValueOf(1));
  EXPECT_EQ(machine.PageOfFile(2), nullptr);
}

// ---- Writing ----

TEST(FileMapping, StoresAreSharedAndReachTheFileBySync) {
  FileMachine machine(4);
  const Address base = machine.Shared(4);
  Space* other = machine.system.CreateSpace();
  const Address there = machine.MapFile(other, 4, Space::Sharing::kShared);
  machine.Store(machine.space, base + kPage + 8, 5);
  EXPECT_EQ(machine.Load(other, there + kPage + 8), 5u);
  EXPECT_EQ(machine.file.WordAt(kPage + 8), 0u);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(kPage + 8), 5u);
  EXPECT_EQ(machine.Count(Event::kPageOut), 1u);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.Count(Event::kPageOut), 1u) << "nothing is dirty any more";
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  other->Exit();
}

TEST(FileMapping, PrivateStoresStayPrivate) {
  FileMachine machine(2);
  const Address mine = machine.Private(2);
  const Address all = machine.Shared(2);
  machine.Store(machine.space, mine, 5);
  EXPECT_EQ(machine.Load(machine.space, all), FileMachine::ValueOf(0));
  machine.Store(machine.space, all + kPage, 6);
  EXPECT_EQ(machine.Load(machine.space, mine + kPage), 6u) << "not copied yet";
  machine.Store(machine.space, all, 7);
  EXPECT_EQ(machine.Load(machine.space, mine), 5u);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  SyncVnode(machine.system, *machine.vnode);
  EXPECT_EQ(machine.file.WordAt(0), 7u);
}

TEST(FileMapping, ForksShareOrCopyIt) {
  FileMachine machine(2);
  const Address all = machine.Shared(2);
  const Address mine = machine.Private(2);
  machine.Store(machine.space, mine, 5);
  Space* child = machine.space->Fork();
  machine.Store(child, all, 8);
  machine.Store(child, mine, 9);
  machine.Store(child, mine + kPage, 10);
  EXPECT_EQ(machine.Load(machine.space, all), 8u);
  EXPECT_EQ(machine.Load(machine.space, mine), 5u);
  EXPECT_EQ(machine.Load(machine.space, mine + kPage), FileMachine::ValueOf(1));
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  child->Exit();
  EXPECT_EQ(machine.Load(machine.space, mine), 5u);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
}

TEST(FileMapping, OnlyTheFilesPartOfTheLastPageIsWritten) {
  FileMachine machine(2);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage + 16), Result::kOk);
  const Address base = machine.Shared(2);
  machine.Store(machine.space, base + kPage + 8, 5);
  machine.Store(machine.space, base + kPage + 24, 6);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.size(), kPage + 16);
  EXPECT_EQ(machine.file.WordAt(kPage + 8), 5u);
  // What stood behind the end does not appear when the file grows.
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 2 * kPage), Result::kOk);
  EXPECT_EQ(machine.Load(machine.space, base + kPage + 24), 0u);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(kPage + 24), 0u);
}

TEST(FileMapping, AClusterEndsWithTheFile) {
  FileMachine machine(3);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 2 * kPage + 16), Result::kOk);
  const Address base = machine.Shared(3);
  for (std::uint32_t page = 0; page < 3; ++page)
    machine.Store(machine.space, base + page * kPage, 50 + page);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.writes.Get(), 1u);
  EXPECT_EQ(machine.file.size(), 2 * kPage + 16);
  for (std::uint32_t page = 0; page < 3; ++page) {
    EXPECT_EQ(machine.file.WordAt(page * kPage), 50 + page);
    EXPECT_EQ(machine.PageOfFile(page)->dirty.Load(), 0u);
  }
}

// What is stored to a file has its place there.
TEST(FileMapping, IsNotChargedWhenItMayBeWritten) {
  FileMachine machine(2);
  const Address base =
      machine.MapFile(machine.space, 2, Space::Sharing::kShared, 0, Protection::kRead);
  machine.Load(machine.space, base);
  EXPECT_EQ(machine.space->Protect(base, 2 * kPage, Protection::kReadWrite), Result::kOk);
  EXPECT_EQ(machine.system.charges().reserved(), 0u);
  machine.Store(machine.space, base, 5);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
}

TEST(FileMapping, WhatCouldNotBeWrittenStaysDirtyAndIsReported) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  machine.Store(machine.space, base, 5);
  for (const Result why : {Result::kIoError, Result::kNoSpace}) {
    machine.file.fail_writes = why;
    EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), why);
    EXPECT_NE(machine.PageOfFile(0)->dirty.Load(), 0u);
    EXPECT_FALSE(machine.PageOfFile(0)->busied());
    EXPECT_FALSE(machine.Evict(0)) << "nothing is lost";
  }
  machine.file.fail_writes = Result::kOk;
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(0), 5u);
}

TEST(FileMapping, AShortWriteLeavesTheRestDirty) {
  FileMachine machine(4);
  const Address base = machine.Shared(4);
  for (std::uint32_t page = 0; page < 4; ++page)
    machine.Store(machine.space, base + page * kPage, 50 + page);
  machine.file.short_write = 2 * kPage + 100;
  {
    locking::WriteGuard vnode_guard(machine.vnode->lock);
    Object& object = *machine.vnode->object;
    ObjectGuard guard(object.lock);
    std::vector<Page*> pages;
    for (Pindex index = 0; index < 4; ++index) pages.push_back(LookupPage(object, index));
    EXPECT_EQ(machine.system.vnode_pager().PageOut(object, pages), 2u);
  }
  EXPECT_EQ(machine.PageOfFile(1)->dirty.Load(), 0u);
  EXPECT_NE(machine.PageOfFile(2)->dirty.Load(), 0u);
  EXPECT_EQ(machine.Count(Event::kPageOut), 2u);
  EXPECT_EQ(machine.Count(Event::kPageOutError), 2u);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk) << "it goes on where it ended";
  for (std::uint32_t page = 0; page < 4; ++page)
    EXPECT_EQ(machine.file.WordAt(page * kPage), 50 + page);
}

TEST(FileMapping, WhatWillBeNeededIsReadIn) {
  FileMachine machine(8);
  const auto advise = [&](Pindex first, Pindex last) {
    EXPECT_EQ(AdviseVnode(machine.system, *machine.vnode, first, last, Advice::kWillNeed),
              Result::kOk);
  };
  advise(2, 4);
  EXPECT_NE(machine.PageOfFile(3), nullptr);
  advise(0, 100);
  EXPECT_EQ(machine.object().resident_page_count, 8u);
  const std::uint64_t reads = machine.file.reads.Get();
  const Address base = machine.Shared(8);
  for (std::uint32_t page = 0; page < 8; ++page)
    EXPECT_EQ(machine.Load(machine.space, base + page * kPage), FileMachine::ValueOf(page));
  EXPECT_EQ(machine.file.reads.Get(), reads);
  EXPECT_EQ(AdviseVnode(machine.system, *machine.vnode, 0, 8, Advice::kFree),
            Result::kInvalidArgument);
}

TEST(FileMapping, WhatIsNotNeededIsFirstToGoAndNothingIsLost) {
  FileMachine machine(4);
  const Address base = machine.Shared(4);
  for (std::uint32_t page = 0; page < 4; ++page) machine.Load(machine.space, base + page * kPage);
  machine.Store(machine.space, base + kPage, 5);
  EXPECT_EQ(AdviseVnode(machine.system, *machine.vnode, 0, 3, Advice::kDontNeed), Result::kOk);
  const auto cached = [&](Pindex index) {
    return machine.PageOfFile(index)->queue == PageQueue::kCache;
  };
  EXPECT_TRUE(cached(0) && cached(2));
  EXPECT_FALSE(cached(1)) << "dirty";
  EXPECT_FALSE(cached(3)) << "not in the range";
  EXPECT_EQ(machine.Load(machine.space, base), FileMachine::ValueOf(0));
  EXPECT_EQ(machine.Load(machine.space, base + kPage), 5u);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
}

TEST(FileMapping, AFlushLeavesWhatMayWait) {
  FileMachine machine(4);
  const Address base = machine.Shared(4);
  EXPECT_EQ(machine.space->SetFlushing(base, 2 * kPage, Space::Flushing::kMayWait), Result::kOk);
  for (std::uint32_t page = 0; page < 4; ++page)
    machine.Store(machine.space, base + page * kPage, 50 + page);
  EXPECT_EQ(FlushVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(kPage), FileMachine::ValueOf(1));
  EXPECT_EQ(machine.file.WordAt(2 * kPage), 52u);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(kPage), 51u);
}

TEST(FileMapping, WhatWasDirtyBeforeMayNotWait) {
  FileMachine machine(2);
  const Address usual = machine.Shared(2), waits = machine.Shared(2);
  EXPECT_EQ(machine.space->SetFlushing(waits, 2 * kPage, Space::Flushing::kMayWait), Result::kOk);
  machine.Store(machine.space, usual, 5);
  machine.Store(machine.space, waits, 6);
  machine.Store(machine.space, waits + kPage, 7);
  machine.Store(machine.space, usual + kPage, 8);
  EXPECT_EQ(FlushVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(0), 6u);
  EXPECT_EQ(machine.file.WordAt(kPage), 8u);
}

TEST(FileMapping, AFileThatCannotBeMadeSafeIsReported) {
  FileMachine machine(1);
  machine.file.fail_sync = true;
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kIoError);
  machine.file.fail_sync = false;
}

TEST(FileMapping, AStoreDuringAWriteWaitsForItAndDirtiesThePageAgain) {
  FileMachine machine(1);
  const Address base = machine.Shared(1);
  machine.Store(machine.space, base, 5);
  locking::Thread writer;
  machine.file.during_write = [&] {
    if (machine.file.writes.Get() != 1) return;
    writer = locking::Thread("writer", [&] { machine.Store(machine.space, base, 6, 1); });
    while (machine.Count(Event::kBusyWait) == 0) locking::Yield();
  };
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  writer.Join();
  EXPECT_EQ(machine.file.WordAt(0), 5u);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(0), 6u);
}

// ---- Truncation ----

TEST(Truncation, TakesPagesFromMappings) {
  FileMachine machine(4);
  const Address base = machine.Shared(4);
  for (std::uint32_t page = 0; page < 4; ++page)
    machine.Store(machine.space, base + page * kPage, 50 + page);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 2 * kPage), Result::kOk);
  EXPECT_EQ(machine.TryLoad(base + 2 * kPage), Result::kBeyondEnd);
  EXPECT_EQ(machine.Load(machine.space, base + kPage), 51u);
  EXPECT_EQ(machine.object().resident_page_count, 2u);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 4 * kPage), Result::kOk);
  EXPECT_EQ(machine.Load(machine.space, base + 2 * kPage), 0u) << "old contents do not return";
  EXPECT_TRUE(CheckSystem(machine.system).empty());
}

TEST(Truncation, ZeroesTheRestOfTheLastPage) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  machine.Store(machine.space, base + 8, 5);
  machine.Store(machine.space, base + 16, 6);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 16), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage), Result::kOk);
  EXPECT_EQ(machine.Load(machine.space, base + 8), 5u);
  EXPECT_EQ(machine.Load(machine.space, base + 16), 0u);
  EXPECT_EQ(SyncVnode(machine.system, *machine.vnode), Result::kOk);
  EXPECT_EQ(machine.file.WordAt(8), 5u);
  EXPECT_EQ(machine.file.WordAt(16), 0u);
}

std::uint64_t WordOf(FileMachine& machine, const Page& page, std::size_t offset) {
  std::uint64_t word;
  std::memcpy(&word, &machine.system.FrameBytes(page)[offset], sizeof(word));
  return word;
}

TEST(Truncation, APageThatIsLentKeepsWhatTheFileLoses) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  machine.Store(machine.space, base + 8, 5);
  machine.Store(machine.space, base + 16, 6);
  Page* lent = nullptr;
  ASSERT_EQ(machine.space->LendPage(base, &lent), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 16), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage), Result::kOk);
  EXPECT_EQ(machine.Load(machine.space, base + 8), 5u);
  EXPECT_EQ(machine.Load(machine.space, base + 16), 0u);
  EXPECT_EQ(WordOf(machine, *lent, 16), 6u);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  ReturnPage(machine.system, *lent);
}

TEST(Truncation, ALentPageThatIsWiredTooIsNotReadInAgain) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  ASSERT_EQ(machine.space->Wire(base, 2 * kPage), Result::kOk);
  Page* lent = nullptr;
  ASSERT_EQ(machine.space->LendPage(base + kPage, &lent), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 2 * kPage), Result::kOk);
  EXPECT_EQ(machine.Load(machine.space, base + kPage), 0u);
  EXPECT_EQ(WordOf(machine, *lent, 0), FileMachine::ValueOf(1));
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  ReturnPage(machine.system, *lent);
  EXPECT_EQ(machine.space->Unwire(base, 2 * kPage), Result::kOk);
}

TEST(Truncation, LeavesPrivateCopies) {
  FileMachine machine(2);
  const Address mine = machine.Private(2);
  machine.Store(machine.space, mine + kPage, 5);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 0), Result::kOk);
  EXPECT_EQ(machine.Load(machine.space, mine + kPage), 5u);
  EXPECT_EQ(machine.TryLoad(mine), Result::kBeyondEnd);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
}

TEST(Truncation, LeavesAWiredPageInItsPlaceUntilItIsUnwired) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  ASSERT_EQ(machine.space->Wire(base, 2 * kPage), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage), Result::kOk);
  EXPECT_EQ(machine.TryLoad(base + kPage), Result::kBeyondEnd);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  // It is what the file's new page gets.
  Page* wired = machine.PageOfFile(1);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 2 * kPage), Result::kOk);
  EXPECT_EQ(machine.Load(machine.space, base + kPage), 0u);
  EXPECT_EQ(machine.PageOfFile(1), wired);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage), Result::kOk);
  EXPECT_EQ(machine.space->Unwire(base, 2 * kPage), Result::kOk);
  EXPECT_TRUE(machine.Evict(1));
  EXPECT_TRUE(CheckSystem(machine.system).empty());
}

TEST(Truncation, ACopyOfAWiredMappingHasZeroesBehindTheEnd) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  ASSERT_EQ(machine.space->Wire(base, 2 * kPage), Result::kOk);
  ASSERT_EQ(machine.space->SetInheritance(base, 2 * kPage, Inheritance::kCopy), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage), Result::kOk);
  Space* child = machine.space->Fork();
  EXPECT_EQ(machine.Load(child, base), FileMachine::ValueOf(0));
  EXPECT_EQ(machine.Load(child, base + kPage), 0u);
  child->Exit();
  EXPECT_EQ(machine.space->Unwire(base, 2 * kPage), Result::kOk);
}

TEST(Truncation, AWiredPageThatCannotBeReadAgainStaysWired) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  ASSERT_EQ(machine.space->Wire(base, 2 * kPage), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, kPage), Result::kOk);
  ASSERT_EQ(TruncateVnode(machine.system, *machine.vnode, 2 * kPage), Result::kOk);
  machine.file.SetWord(kPage, 5);  // no hole any more
  machine.file.fail_reads = true;
  EXPECT_EQ(machine.TryLoad(base + kPage), Result::kIoError);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
  machine.file.fail_reads = false;
  EXPECT_EQ(machine.Load(machine.space, base + kPage), 5u);
  EXPECT_EQ(machine.space->Unwire(base, 2 * kPage), Result::kOk);
}

TEST(Truncation, OneThatFailsChangesNothing) {
  FileMachine machine(2);
  const Address base = machine.Shared(2);
  machine.Store(machine.space, base + kPage, 5);
  machine.file.fail_truncate = true;
  EXPECT_EQ(TruncateVnode(machine.system, *machine.vnode, 0), Result::kIoError);
  EXPECT_EQ(TruncateVnode(machine.system, *machine.vnode, TestFile::kMaxBytes + 1),
            Result::kIoError);
  EXPECT_EQ(machine.Load(machine.space, base + kPage), 5u);
}

// ---- The page daemon ----

TEST(FilePages, TheDaemonWritesAndFreesThem) {
  FileMachine machine(16);
  const Address base = machine.Shared(16);
  for (std::uint32_t page = 0; page < 16; ++page)
    machine.Store(machine.space, base + page * kPage, 50 + page);
  const Address more = machine.Map(machine.space, 60);
  for (std::uint32_t page = 0; page < 40; ++page)
    machine.Store(machine.space, more + page * kPage, page);
  for (std::uint32_t pass = 0; pass < 5; ++pass) machine.system.daemon().Scan(pass);
  EXPECT_GT(machine.file.writes.Get(), 0u);
  EXPECT_LT(machine.object().resident_page_count, 16u);
  for (std::uint32_t page = 0; page < 16; ++page)
    EXPECT_EQ(machine.Load(machine.space, base + page * kPage), 50 + page);
  EXPECT_TRUE(CheckSystem(machine.system).empty());
}

TEST(FilePages, TheDaemonsThreadsWriteThemToo) {
  FileMachine machine(128);
  machine.system.Start();
  const Address base = machine.Shared(128);
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t page = 0; page < 128; ++page)
      machine.Store(machine.space, base + page * kPage, (round << 8) + page);
  }
  for (std::uint32_t page = 0; page < 128; ++page)
    EXPECT_EQ(machine.Load(machine.space, base + page * kPage), (2u << 8) + page);
  EXPECT_GT(machine.Count(Event::kPageOut), 0u);
}

}  // namespace
}  // namespace vm
