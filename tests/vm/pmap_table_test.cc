// Tables that lose the right to write as a whole, and get it back.
#include <gtest/gtest.h>

#include "tests/vm/mapped_object.h"
#include "vm/pmap_checker.h"

namespace vm {
namespace {

constexpr Address kTableSpan = Address{kTestPageSize} / 8 * kTestPageSize;
constexpr Address kTable = 3 * kTableSpan;
constexpr Protection kRead = Protection::kRead;

// Two pages, mapped side by side in one table, of which the first has been stored to.
class ReadOnlyTable : public testing::Test {
 protected:
  ReadOnlyTable() {
    test_.Enter(pmap_, At(0), 0);
    test_.Enter(pmap_, At(1), 1);
    EXPECT_TRUE(test_.Store(pmap_, At(0), 7));
  }
  static Address At(Pindex index) { return kTable + index * kTestPageSize; }
  void ProtectTable() { pmap_.Protect(kTable, kTable + kTableSpan, kRead); }
  // Whether the page's own entry has the right to write, be it of use or not.
  bool EntryIsWritable(Pindex index) {
    bool writable = false;
    PmapChecker::ForEachEntry(pmap_, [&](Address va, const PmapChecker::Entry& entry) {
      if (va == At(index)) writable = (entry.Load() & PmapChecker::kWritable) != 0;
    });
    return writable;
  }

  MappedObject test_{3};
  Pmap& pmap_ = test_.NewPmap();
};

TEST_F(ReadOnlyTable, NoStoreGoesThroughAndNoEntryIsTouched) {
  ProtectTable();
  for (Pindex page = 0; page < 2; ++page) {
    EXPECT_FALSE(test_.Store(pmap_, At(page), 8)) << page;
    EXPECT_EQ(pmap_.Query(At(page)).protection, kRead) << page;
    EXPECT_TRUE(EntryIsWritable(page)) << page;
  }
  EXPECT_EQ(test_.Load(pmap_, At(0)), 7u);
  EXPECT_FALSE(test_.Store(pmap_, At(0), 8)) << "a load brings no right to write back";
}

TEST_F(ReadOnlyTable, APartOfATableIsTakenFromItsEntries) {
  pmap_.Protect(kTable, At(1), kRead);
  EXPECT_FALSE(test_.Store(pmap_, At(0), 8));
  EXPECT_FALSE(EntryIsWritable(0));
  EXPECT_TRUE(test_.Store(pmap_, At(1), 8));
}

TEST_F(ReadOnlyTable, APartThatHasAllThatIsWritableIsAsGoodAsTheTable) {
  test_.Enter(pmap_, At(40), 2, kRead);
  pmap_.Protect(kTable, At(40), kRead);
  EXPECT_FALSE(test_.Store(pmap_, At(0), 8));
  EXPECT_TRUE(EntryIsWritable(0));
}

TEST_F(ReadOnlyTable, APartIsNotWhereOthersMayWrite) {
  pmap_.Protect(At(1), kTable + kTableSpan, kRead);
  EXPECT_TRUE(test_.Store(pmap_, At(0), 7));
  test_.Enter(pmap_, At(40), 2);
  pmap_.Protect(kTable, At(40), kRead);
  EXPECT_FALSE(test_.Store(pmap_, At(0), 8));
  EXPECT_FALSE(EntryIsWritable(0));
  EXPECT_TRUE(test_.Store(pmap_, At(40), 8));
}

TEST_F(ReadOnlyTable, OtherTablesKeepTheirs) {
  test_.Enter(pmap_, kTable - kTestPageSize, 2);
  test_.Enter(pmap_, kTable + kTableSpan, 2);
  ProtectTable();
  EXPECT_TRUE(test_.Store(pmap_, kTable - kTestPageSize, 8));
  EXPECT_TRUE(test_.Store(pmap_, kTable + kTableSpan, 8));
}

TEST_F(ReadOnlyTable, TheRightThatOnePageGetsBackIsItsOwn) {
  ProtectTable();
  test_.Enter(pmap_, At(1), 1);
  EXPECT_TRUE(test_.Store(pmap_, At(1), 8));
  EXPECT_FALSE(test_.Store(pmap_, At(0), 8));
  EXPECT_FALSE(EntryIsWritable(0));
}

TEST_F(ReadOnlyTable, ANewMappingMayWriteAndTheOldMayNot) {
  ProtectTable();
  test_.Enter(pmap_, At(2), 2);
  EXPECT_TRUE(test_.Store(pmap_, At(2), 8));
  EXPECT_FALSE(test_.Store(pmap_, At(0), 8));
  EXPECT_FALSE(test_.Store(pmap_, At(1), 8));
}

TEST_F(ReadOnlyTable, ANewMappingThatMayOnlyReadLeavesTheTableAlone) {
  ProtectTable();
  test_.Enter(pmap_, At(2), 2, kRead);
  EXPECT_EQ(test_.Load(pmap_, At(2)), 0u);
  EXPECT_TRUE(EntryIsWritable(0));
}

TEST_F(ReadOnlyTable, WhatWasStoredBeforeIsKnownThroughout) {
  ProtectTable();
  EXPECT_TRUE(Pmap::IsModified(test_.system, test_.page(0)));
  EXPECT_FALSE(Pmap::IsModified(test_.system, test_.page(1)));
  test_.Enter(pmap_, At(1), 1);
  EXPECT_FALSE(Pmap::IsModified(test_.system, test_.page(0)));
  EXPECT_EQ(test_.page(0).dirty.Peek(), test_.system.AllBlocks());
  EXPECT_EQ(test_.page(1).dirty.Peek(), 0u);
}

TEST_F(ReadOnlyTable, RemoveWriteFoldsWhatItsEntriesKeep) {
  ProtectTable();
  test_.RemoveWrite(0);
  EXPECT_EQ(test_.page(0).dirty.Peek(), test_.system.AllBlocks());
  EXPECT_FALSE(EntryIsWritable(0));
}

TEST_F(ReadOnlyTable, RemovingAMappingFoldsWhatItKept) {
  ProtectTable();
  pmap_.Remove(At(0), At(1));
  EXPECT_EQ(test_.page(0).dirty.Peek(), test_.system.AllBlocks());
}

TEST_F(ReadOnlyTable, ProtectedAgainItCostsNoShootdown) {
  ProtectTable();
  const std::uint64_t before = test_.system.counters().Get(Event::kShootdown);
  ProtectTable();
  pmap_.Protect(kTable, At(1), kRead);
  EXPECT_EQ(test_.system.counters().Get(Event::kShootdown), before);
}

// Its own processor, which has the page with the right to write, and another that does not run it.
TEST_F(ReadOnlyTable, EachProcessorThatRunsItIsTold) {
  const std::uint64_t before = test_.system.counters().Get(Event::kShootdown);
  EXPECT_EQ(test_.Load(pmap_, At(0), 1), 7u);
  EXPECT_TRUE(test_.Store(pmap_, At(0), 7, 1));
  ProtectTable();
  EXPECT_EQ(test_.system.counters().Get(Event::kShootdown), before + 2);
  EXPECT_FALSE(test_.Store(pmap_, At(0), 8, 1));
}

}  // namespace
}  // namespace vm
