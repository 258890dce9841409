// The oracle: silent on what the copy-on-write rules allow, and each way to be wrong by its name.
#include "stress/world/oracle.h"

#include <gtest/gtest.h>

#include <memory>

namespace stress {
namespace {

constexpr std::uint32_t kPages = 4;
constexpr std::uint32_t kPageSize = 512;
constexpr std::uint32_t kPage = 2;
constexpr std::uint32_t kSlot = 1;

class Oracle : public testing::Test {
 protected:
  // Stores the next generation of a record and returns it.
  Record Store(Memory& memory, std::uint32_t page = kPage, std::uint32_t slot = kSlot) {
    Record record;
    EXPECT_TRUE(memory.BeginStore(page, slot, &record));
    memory.EndStore(page, slot, Memory::StoreOutcome::kStored);
    return record;
  }
  // The verdict on a load during which nobody stored.
  RecordFault Load(const Memory& memory, const Record& found) {
    return memory.EndLoad(kPage, kSlot, memory.BeginLoad(kPage, kSlot), found).fault;
  }
  Shared<Memory> Fork(const Memory& memory) { return memory.ForkEnd(memory.ForkStart()); }

  Lineage lineage_{7};
  Memory memory_{lineage_, kPages, kPageSize};
};

TEST_F(Oracle, NewMemoryReadsAsZero) {
  EXPECT_EQ(Load(memory_, Record()), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, Store(memory_, 0, 0)), RecordFault::kMisplaced);
}

TEST_F(Oracle, TheLastStoreIsRight) {
  Store(memory_);
  EXPECT_EQ(Load(memory_, Store(memory_)), RecordFault::kNone);
}

TEST_F(Oracle, ALostRecordReadsAsZero) {
  Store(memory_);
  EXPECT_EQ(Load(memory_, Record()), RecordFault::kLost);
}

TEST_F(Oracle, AnOlderGenerationIsStale) {
  const Record first = Store(memory_);
  Store(memory_);
  EXPECT_EQ(Load(memory_, first), RecordFault::kStale);
}

TEST_F(Oracle, WhatMayBeForgottenReadsAsItDidOrAsZeroUntilTheNextStore) {
  const Record first = Store(memory_);
  const Record second = Store(memory_);
  memory_.BeginForget(kPage);
  EXPECT_EQ(Load(memory_, Record()), RecordFault::kNone);
  memory_.EndForget(kPage);
  EXPECT_EQ(Load(memory_, Record()), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, second), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, first), RecordFault::kStale);
  EXPECT_EQ(Load(*Fork(memory_), Record()), RecordFault::kNone);
  const Record third = Store(memory_);
  EXPECT_EQ(Load(memory_, third), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, Record()), RecordFault::kLost);
}

TEST_F(Oracle, AStoreWhileContentsAreForgottenMayBeLostWithThem) {
  Record record;
  memory_.BeginForget(kPage);
  ASSERT_TRUE(memory_.BeginStore(kPage, kSlot, &record));
  memory_.EndForget(kPage);
  memory_.EndStore(kPage, kSlot, Memory::StoreOutcome::kStored);
  EXPECT_EQ(Load(memory_, Record()), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, record), RecordFault::kNone);
}

TEST_F(Oracle, PartsOfTwoRecordsAreTorn) {
  const Record first = Store(memory_);
  Record torn = Store(memory_);
  torn.generation = first.generation;
  EXPECT_EQ(Load(memory_, torn), RecordFault::kTorn);
  torn = Store(memory_);
  torn.hash ^= 1;
  EXPECT_EQ(Load(memory_, torn), RecordFault::kTorn);
}

TEST_F(Oracle, AnotherPlacesRecordIsMisplaced) {
  Store(memory_);
  EXPECT_EQ(Load(memory_, Store(memory_, kPage + 1, kSlot)), RecordFault::kMisplaced);
  EXPECT_EQ(Load(memory_, Store(memory_, kPage, kSlot + 1)), RecordFault::kMisplaced);
}

TEST_F(Oracle, AnotherMemorysRecordIsForeign) {
  Memory other(lineage_, kPages, kPageSize);
  Store(memory_);
  EXPECT_EQ(Load(memory_, Store(other)), RecordFault::kForeign);
}

TEST_F(Oracle, AnotherRunsRecordIsTorn) {
  Lineage other_run(8);
  Memory other(other_run, kPages, kPageSize);
  Store(memory_);
  EXPECT_EQ(Load(memory_, Store(other)), RecordFault::kTorn) << "its hash has another salt";
}

TEST_F(Oracle, AFailedStoreChangesNothing) {
  const Record stored = Store(memory_);
  Record refused;
  ASSERT_TRUE(memory_.BeginStore(kPage, kSlot, &refused));
  memory_.EndStore(kPage, kSlot, Memory::StoreOutcome::kNotStored);
  EXPECT_EQ(Load(memory_, stored), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, refused), RecordFault::kForeign) << "it was never stored";
}

TEST_F(Oracle, ARecordHasOneWriter) {
  Record record, second;
  ASSERT_TRUE(memory_.BeginStore(kPage, kSlot, &record));
  EXPECT_FALSE(memory_.BeginStore(kPage, kSlot, &second));
  EXPECT_TRUE(memory_.BeginStore(kPage, kSlot + 1, &second)) << "others are free";
  memory_.EndStore(kPage, kSlot, Memory::StoreOutcome::kStored);
  EXPECT_TRUE(memory_.BeginStore(kPage, kSlot, &second));
}

TEST_F(Oracle, WhileSomebodyStoresBothGenerationsAndAMixAreRight) {
  const Record before = Store(memory_);
  Record after;
  ASSERT_TRUE(memory_.BeginStore(kPage, kSlot, &after));
  Record mix = after;
  mix.hash = before.hash;
  EXPECT_EQ(Load(memory_, before), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, after), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, mix), RecordFault::kNone);
  EXPECT_EQ(Load(memory_, Record()), RecordFault::kLost);
  memory_.EndStore(kPage, kSlot, Memory::StoreOutcome::kStored);
  EXPECT_EQ(Load(memory_, before), RecordFault::kStale);
}

TEST_F(Oracle, AStoreThatEndedDuringTheLoadMayOrMayNotBeSeen) {
  const Record before = Store(memory_);
  const Memory::Snapshot snapshot = memory_.BeginLoad(kPage, kSlot);
  const Record after = Store(memory_);
  EXPECT_EQ(memory_.EndLoad(kPage, kSlot, snapshot, before).fault, RecordFault::kNone);
  EXPECT_EQ(memory_.EndLoad(kPage, kSlot, snapshot, after).fault, RecordFault::kNone);
}

TEST_F(Oracle, AChildInheritsWhatItsParentHeld) {
  const Record stored = Store(memory_);
  const auto child = Fork(memory_);
  EXPECT_EQ(Load(*child, stored), RecordFault::kNone);
  EXPECT_EQ(Load(*child, Record()), RecordFault::kLost);
}

TEST_F(Oracle, AChildOfUntouchedMemoryReadsAsZero) {
  const auto grandchild = Fork(*Fork(memory_));
  EXPECT_EQ(Load(*grandchild, Record()), RecordFault::kNone);
}

TEST_F(Oracle, AParentsLaterStoreInTheChildIsForeign) {
  Store(memory_);
  const auto child = Fork(memory_);
  EXPECT_EQ(Load(*child, Store(memory_)), RecordFault::kForeign);
}

TEST_F(Oracle, AChildsStoreInTheParentIsForeign) {
  Store(memory_);
  const auto child = Fork(memory_);
  EXPECT_EQ(Load(memory_, Store(*child)), RecordFault::kForeign);
}

TEST_F(Oracle, AChildsOwnStoreHidesWhatItInherited) {
  const Record inherited = Store(memory_);
  const auto child = Fork(memory_);
  EXPECT_EQ(Load(*child, Store(*child)), RecordFault::kNone);
  EXPECT_EQ(Load(*child, inherited), RecordFault::kStale);
}

TEST_F(Oracle, AGenerationBeforeTheForkIsStaleInTheChild) {
  const Record first = Store(memory_);
  Store(memory_);
  const auto child = Fork(memory_);
  EXPECT_EQ(Load(*child, first), RecordFault::kStale);
}

TEST_F(Oracle, AChildMaySeeAnyGenerationLiveDuringTheFork) {
  const Record before = Store(memory_);
  const auto at_start = memory_.ForkStart();
  const Record during = Store(memory_);
  Record under_way;
  ASSERT_TRUE(memory_.BeginStore(kPage, kSlot, &under_way));
  const auto child = memory_.ForkEnd(at_start);
  memory_.EndStore(kPage, kSlot, Memory::StoreOutcome::kStored);
  EXPECT_EQ(Load(*child, before), RecordFault::kNone);
  EXPECT_EQ(Load(*child, during), RecordFault::kNone);
  EXPECT_EQ(Load(*child, under_way), RecordFault::kNone);
  EXPECT_EQ(Load(*child, Store(memory_)), RecordFault::kForeign);
}

TEST_F(Oracle, AFirstStoreDuringTheForkLeavesWhatWasInheritedPossible) {
  const Record grandparents = Store(memory_);
  const auto parent = Fork(memory_);
  const auto at_start = parent->ForkStart();
  const Record parents = Store(*parent);
  const auto child = parent->ForkEnd(at_start);
  EXPECT_EQ(Load(*child, grandparents), RecordFault::kNone);
  EXPECT_EQ(Load(*child, parents), RecordFault::kNone);
  EXPECT_EQ(Load(*child, Record()), RecordFault::kLost);
}

TEST_F(Oracle, AnAncestorsRecordIsStaleOnceItWasOverwrittenInBetween) {
  const Record grandparents = Store(memory_);
  const auto parent = Fork(memory_);
  Store(*parent);
  const auto child = Fork(*parent);
  EXPECT_EQ(Load(*child, grandparents), RecordFault::kStale);
}

TEST_F(Oracle, ASiblingsStoreIsForeign) {
  const auto left = Fork(memory_);
  const auto right = Fork(memory_);
  EXPECT_EQ(Load(*right, Store(*left)), RecordFault::kForeign);
}

TEST_F(Oracle, RecordsFitThePageAndDoNotOverlap) {
  for (const std::uint32_t page_size : {512u, 4096u, 32768u}) {
    Memory memory(lineage_, 1, page_size);
    EXPECT_EQ(memory.OffsetInPage(0), 0u);
    EXPECT_EQ(memory.OffsetInPage(kRecordsPerPage - 1) + kRecordBytes, page_size);
    for (std::uint32_t slot = 1; slot < kRecordsPerPage; ++slot) {
      EXPECT_GE(memory.OffsetInPage(slot), memory.OffsetInPage(slot - 1) + kRecordBytes);
      EXPECT_EQ(memory.OffsetInPage(slot) % kRecordBytes, 0u);
    }
  }
}

TEST_F(Oracle, AVerdictSaysWhatWasExpectedAndFound) {
  Store(memory_);
  const Verdict verdict = memory_.EndLoad(kPage, kSlot, memory_.BeginLoad(kPage, kSlot), Record());
  EXPECT_NE(verdict.explanation.find("expected memory 1"), std::string::npos)
      << verdict.explanation;
  EXPECT_NE(verdict.explanation.find("found zeroes"), std::string::npos) << verdict.explanation;
  EXPECT_STREQ(RecordFaultId(RecordFault::kTorn), "INV-47");
  EXPECT_STREQ(RecordFaultId(RecordFault::kStale), "INV-49");
  EXPECT_STREQ(RecordFaultId(RecordFault::kForeign), "INV-48");
  EXPECT_STREQ(RecordFaultId(RecordFault::kMisplaced), "INV-50");
  EXPECT_STREQ(RecordFaultId(RecordFault::kLost), "INV-49");
}

TEST_F(Oracle, CommittedPagesAreThoseOfLiveMemories) {
  EXPECT_EQ(lineage_.committed_pages(), kPages);
  {
    const auto child = Fork(memory_);
    EXPECT_EQ(lineage_.committed_pages(), 2 * kPages);
  }
  EXPECT_EQ(lineage_.committed_pages(), kPages);
}

}  // namespace
}  // namespace stress
