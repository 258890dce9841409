// Files of a run: what the harness knows of them, and what a wrong one leads to.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stress/run/findings.h"
#include "stress/world/file_operations.h"

namespace stress {
namespace {

// A world with one file of four pages, two of them kept.
class FileWorld : public testing::Test {
 protected:
  explicit FileWorld(const StoreFaults& faults = {})
      : world_(system_, {.salt = 1, .min_spaces = 1, .commit_limit = 200, .file_faults = faults}) {
    locking::RunContext context;
    context.sink = &findings_;
    locking::SetRunContext(context);
    file_ = world_.PickFile(context_.random, 1, 4);
  }
  ~FileWorld() override { locking::SetRunContext({}); }

  std::vector<std::string> FoundIds() const {
    std::vector<std::string> ids;
    for (const CountedFinding& counted : findings_.All()) ids.push_back(counted.finding.id);
    return ids;
  }
  using Ids = std::vector<std::string>;

  RunFindings findings_{WitnessMode::kOn, {}};
  vm::System system_{{.pages = 128, .page_size = 512, .cpus = 2, .swap_slots = 128}};
  World world_;
  WorkerContext context_{world_, 0, system_.cpu(0), locking::Random(1)};
  SpaceUse space_ = PickSpace(context_);
  FileState* file_ = nullptr;
};

TEST_F(FileWorld, ASoundOneIsSilent) {
  const auto kept = MapKept(context_, *space_, *file_);
  const FileWindow tail = MapTail(context_, *space_, *file_);
  const FileWindow privately = MapPrivately(context_, *space_, *file_);
  ASSERT_NE(kept, nullptr);
  std::vector<std::uint64_t> stored(file_->kept_pages());
  for (std::uint32_t i = 0; i < 300; ++i) {
    Touch(context_, *space_, *kept, i % 2, i % 3 == 0 ? Access::kLoad : Access::kStore);
    TouchTail(context_, *space_, tail, i % 3 == 0 ? Access::kLoad : Access::kStore);
    TouchPrivate(context_, *space_, privately, &stored);
    if (i % 10 == 0) TruncateFile(context_, *file_);
    if (i % 10 == 5) SyncFile(context_, *file_);
  }
  world_.ExitAll();
  EXPECT_EQ(FoundIds(), Ids());
  EXPECT_EQ(context_.counters.refused.Get(), 0u);
}

TEST_F(FileWorld, AStoreThatDoesNotReachTheFileIsReported) {
  Record record;
  for (std::uint32_t slot = 0; slot < kRecordsPerPage; ++slot) {
    for (std::uint32_t page = 0; page < 2; ++page) {
      ASSERT_TRUE(file_->memory()->BeginStore(page, slot, &record));
      file_->memory()->EndStore(page, slot, Memory::StoreOutcome::kStored);
    }
  }
  SyncFile(context_, *file_);
  EXPECT_EQ(FoundIds(), Ids{"INV-49"});
  world_.ExitAll();
  EXPECT_EQ(FoundIds(), (Ids{"INV-49", "INV-49"})) << "and when it is closed";
}

TEST_F(FileWorld, WhatATruncationTookIsReportedWhenItComesBack) {
  const FileWindow tail = MapTail(context_, *space_, *file_);
  for (std::uint32_t page = 0; page < 2; ++page)
    ASSERT_EQ(space_->space.Store(context_.cpu, tail.start + page * 512, file_->TailWord(page)),
              vm::Result::kOk);
  for (int i = 0; i < 10; ++i) TouchTail(context_, *space_, tail, Access::kLoad);
  EXPECT_EQ(FoundIds(), Ids());
  file_->EndTruncation(0);
  TouchTail(context_, *space_, tail, Access::kLoad);
  EXPECT_EQ(FoundIds(), Ids{"INV-50"});
  world_.ExitAll();
}

TEST_F(FileWorld, ACutWordIsKnownByTheBytesThatAreLeft) {
  const FileWindow tail = MapTail(context_, *space_, *file_);
  const auto store = [&](std::uint64_t word) {
    ASSERT_EQ(space_->space.Store(context_.cpu, tail.start, word), vm::Result::kOk);
    for (int i = 0; i < 10; ++i) TouchTail(context_, *space_, tail, Access::kLoad);
  };
  const std::uint64_t word = file_->TailWord(0);
  file_->BeginTruncation(5);
  file_->EndTruncation(5);
  store(word & 0xff'ffff'ffff);
  EXPECT_EQ(FoundIds(), Ids()) << "five bytes are left";
  store(word);
  EXPECT_EQ(FoundIds(), Ids{"INV-50"}) << "but not all of it";
  world_.ExitAll();
}

TEST_F(FileWorld, APartThatAnotherCutTookIsReportedWhenItComesBack) {
  const FileWindow tail = MapTail(context_, *space_, *file_);
  const std::uint64_t word = file_->TailWord(0);
  for (const std::uint64_t cut : {5, 0, 5}) {
    file_->BeginTruncation(cut);
    file_->EndTruncation(cut);
  }
  ASSERT_EQ(space_->space.Store(context_.cpu, tail.start, word & 0xff'ffff'ffff), vm::Result::kOk);
  while (FoundIds().empty() && context_.counters.loads_checked.Get() < 100)
    TouchTail(context_, *space_, tail, Access::kLoad);
  EXPECT_EQ(FoundIds(), Ids{"INV-50"});
  world_.ExitAll();
}

TEST_F(FileWorld, AReopenedFileHasWhatWasStored) {
  for (std::uint32_t round = 0; round < 3; ++round) {
    const auto kept = MapKept(context_, *space_, *file_);
    ASSERT_NE(kept, nullptr);
    for (std::uint32_t i = 0; i < 20; ++i)
      Touch(context_, *space_, *kept, i % 2, i % 2 == 0 ? Access::kLoad : Access::kStore);
    if (round == 1) ReopenFile(context_, *file_);  // mapped
    UnmapPages(context_, *space_, kept, 0, 2);
    ReopenFile(context_, *file_);
  }
  world_.ExitAll();
  EXPECT_EQ(FoundIds(), Ids());
}

TEST_F(FileWorld, APrivateCopyThatChangesIsReported) {
  const FileWindow privately = MapPrivately(context_, *space_, *file_);
  std::vector<std::uint64_t> stored(file_->kept_pages(), 7);
  while (FoundIds().empty() && stored[0] + stored[1] < 40)
    TouchPrivate(context_, *space_, privately, &stored);
  EXPECT_EQ(FoundIds(), Ids{"INV-48"});
  world_.ExitAll();
}

class FailingFileWorld : public FileWorld {
 protected:
  FailingFileWorld() : FileWorld({.write_error = 1'000'000}) {}
};

TEST_F(FailingFileWorld, ACloseThatLosesPagesIsReported) {
  const auto kept = MapKept(context_, *space_, *file_);
  ASSERT_NE(kept, nullptr);
  Touch(context_, *space_, *kept, 0, Access::kStore);
  world_.ExitAll();
  EXPECT_EQ(FoundIds(), Ids{"INV-54"});
  EXPECT_EQ(system_.counters().Get(vm::Event::kFilePagesLost), 1u);
}

}  // namespace
}  // namespace stress
