// Files of the host under vnodes: over a real file system, and over one whose calls fail when told
// to.
#include "vm/store/host_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include "tests/vm/host_calls.h"
#include "tests/vm/machine.h"
#include "vm/check.h"

namespace vm {
namespace {

constexpr std::uint32_t kBlock = 4096;  // at least that of the file system

class HostFileTest : public HostCallsTest {
 protected:
  std::unique_ptr<HostFile> Open(const std::string& name) const {
    int error = 0;
    auto file = HostFile::Open(PathOf(name), &error);
    EXPECT_NE(file, nullptr) << strerror(error);
    return file;
  }
  std::unique_ptr<HostFile> Unnamed() const {
    int error = 0;
    auto file = HostFile::CreateUnnamed(folder_, &error);
    EXPECT_NE(file, nullptr) << strerror(error);
    return file;
  }
  int ErrorOf(const std::string& path) const {
    int error = 0;
    EXPECT_EQ(HostFile::Open(path, &error), nullptr) << path;
    return error;
  }
};

Transfer WriteAt(BackingFile& file, std::uint64_t offset, std::uint32_t bytes, char value) {
  const std::vector<char> data(bytes, value);
  const std::span<const std::byte> range = std::as_bytes(std::span(data));
  return file.Write(offset, {&range, 1});
}

std::string ReadAt(BackingFile& file, std::uint64_t offset, std::uint32_t bytes) {
  std::string data(bytes, '?');
  const std::span<std::byte> range = std::as_writable_bytes(std::span(data));
  const Transfer transfer = file.Read(offset, {&range, 1});
  EXPECT_EQ(transfer.result, Result::kOk);
  data.resize(transfer.bytes);
  return data;
}

// ---- The file ----

TEST_F(HostFileTest, WhatIsWrittenIsThereForWhoOpensItAgain) {
  {
    const auto file = Open("data");
    EXPECT_EQ(file->size(), 0u);
    EXPECT_EQ(file->Truncate(1000), Result::kOk);
    EXPECT_EQ(WriteAt(*file, 10, 20, 'x').bytes, 20u);
    EXPECT_EQ(file->Sync(), Result::kOk);
  }
  const auto file = Open("data");
  EXPECT_EQ(file->size(), 1000u);
  EXPECT_EQ(ReadAt(*file, 9, 3), std::string("\0xx", 3));
}

TEST_F(HostFileTest, WithoutANameItLeavesNothing) {
  const auto one = Unnamed(), other = Unnamed();
  EXPECT_EQ(CountFiles(), 0u);
  EXPECT_EQ(one->Truncate(10), Result::kOk);
  EXPECT_EQ(WriteAt(*one, 0, 10, 'x').bytes, 10u);
  EXPECT_EQ(other->size(), 0u);
  int error = 0;
  EXPECT_EQ(HostFile::CreateUnnamed(PathOf("missing"), &error), nullptr);
  EXPECT_EQ(error, ENOENT);
}

TEST_F(HostFileTest, HasOneIdentityUnderAllItsNames) {
  const HostFile::Identity identity = Open("data")->identity();
  std::filesystem::create_hard_link(PathOf("data"), PathOf("link"));
  EXPECT_EQ(Open("link")->identity(), identity);
  EXPECT_NE(Open("other")->identity(), identity);
}

TEST_F(HostFileTest, IsOpenOnceWhateverItsName) {
  auto file = Open("data");
  std::filesystem::create_hard_link(PathOf("data"), PathOf("link"));
  EXPECT_EQ(ErrorOf(PathOf("link")), EBUSY);
  file.reset();
  EXPECT_NE(Open("link"), nullptr);
}

TEST_F(HostFileTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(ErrorOf(folder_), EISDIR);
  EXPECT_EQ(ErrorOf(PathOf("missing/data")), ENOENT);
  ASSERT_EQ(mkfifo(PathOf("pipe").c_str(), 0600), 0);
  EXPECT_EQ(ErrorOf(PathOf("pipe")), ENOTSUP);
  EXPECT_EQ(ErrorOf("/dev/zero"), ENOTSUP);
}

TEST_F(HostFileTest, HolesReadAsZeroAndTruncationMakesThem) {
  const auto file = Unnamed();
  EXPECT_EQ(file->Truncate(16 * kBlock), Result::kOk);
  EXPECT_EQ(WriteAt(*file, 8 * kBlock, kBlock, 'x').bytes, kBlock);
  if (!file->IsHole(0, kBlock)) GTEST_SKIP() << "no holes here";
  EXPECT_TRUE(file->IsHole(0, 8 * kBlock));
  EXPECT_FALSE(file->IsHole(0, 8 * kBlock + 1));
  EXPECT_FALSE(file->IsHole(8 * kBlock, kBlock));
  EXPECT_TRUE(file->IsHole(12 * kBlock, 4 * kBlock)) << "nothing up to the end";
  EXPECT_EQ(file->Truncate(8 * kBlock + 5), Result::kOk);
  EXPECT_EQ(file->Truncate(16 * kBlock), Result::kOk);
  EXPECT_EQ(ReadAt(*file, 8 * kBlock, 7), std::string("xxxxx\0\0", 7));
}

TEST_F(HostFileTest, TransfersEndWithTheFile) {
  const auto file = Unnamed();
  EXPECT_EQ(file->Truncate(100), Result::kOk);
  EXPECT_EQ(WriteAt(*file, 90, 20, 'x').bytes, 10u);
  EXPECT_EQ(WriteAt(*file, 100, 20, 'x').bytes, 0u);
  EXPECT_EQ(file->size(), 100u);
  EXPECT_EQ(ReadAt(*file, 90, 20), std::string(10, 'x'));
}

// ---- Its calls ----

TEST_F(HostFileTest, EachWriteWaitsForTheDisk) {
  const auto file = Unnamed();
  EXPECT_EQ(file->Truncate(100), Result::kOk);
  WriteAt(*file, 0, 100, 'x');
  EXPECT_EQ(write_flags_, std::vector<int>{RWF_DSYNC});
}

TEST_F(HostFileTest, AWriteCutShortGoesOnAndSaysWhyItEnds) {
  const auto file = Unnamed();
  EXPECT_EQ(file->Truncate(1000), Result::kOk);
  for (const auto& [error, expected] :
       {std::pair{EIO, Result::kIoError}, std::pair{ENOSPC, Result::kNoSpace},
        std::pair{EDQUOT, Result::kNoSpace}}) {
    int calls = 0;
    g_write_fault = [&, error = error](const iovec*, int, off_t) -> ssize_t {
      return ++calls == 1 ? -EINTR : calls == 2 ? 300 : -error;
    };
    const Transfer transfer = WriteAt(*file, 100, 800, 'x');
    EXPECT_EQ(transfer.bytes, 300u);
    EXPECT_EQ(transfer.result, expected) << strerror(error);
  }
}

TEST_F(HostFileTest, AReadThatFailsSaysSo) {
  const auto file = Unnamed();
  EXPECT_EQ(file->Truncate(1000), Result::kOk);
  g_read_fault = [](const iovec*, int, off_t) -> ssize_t { return -EIO; };
  std::array<std::byte, 10> bytes;
  const std::span<std::byte> range(bytes);
  EXPECT_EQ(file->Read(0, {&range, 1}).result, Result::kIoError);
}

TEST_F(HostFileTest, ASizeThatCannotBeIsRefusedAndChangesNothing) {
  const auto file = Unnamed();
  EXPECT_EQ(file->Truncate(100), Result::kOk);
  FileSizeLimit limit(1000);
  EXPECT_EQ(file->Truncate(1001), Result::kNoSpace);
  EXPECT_EQ(file->size(), 100u);
}

// ---- A machine that maps it ----

class MappedHostFile : public HostFileTest {
 protected:
  static constexpr std::uint32_t kPages = 32;

  // The file, `kPages` pages of the machine long, mapped shared.
  void Map(const std::string& name) {
    file_ = Open(name);
    g_write_flags = nullptr;  // several threads write
    if (file_->size() == 0) {
      ASSERT_EQ(file_->Truncate(kPages * kTestPageSize), Result::kOk);
    }
    vnode_ = OpenVnode(machine_.system, *file_);
    space_ = machine_.system.CreateSpace();
    ASSERT_EQ(space_->MapFile(0, kPages * kTestPageSize, *vnode_, 0, Protection::kReadWrite,
                              Space::Sharing::kShared, &base_),
              Result::kOk);
  }
  Result UnmapAndClose() {
    std::exchange(space_, nullptr)->Exit();
    const Result result = ReleaseVnode(machine_.system, vnode_);
    file_.reset();
    return result;
  }
  Address At(std::uint32_t page) const { return base_ + Address{page} * kTestPageSize; }

  Machine machine_{64, 64};
  std::unique_ptr<HostFile> file_;
  Vnode* vnode_ = nullptr;
  Space* space_ = nullptr;
  Address base_ = 0;
};

TEST_F(MappedHostFile, StoresAreInTheFileWhenItIsClosed) {
  Map("data");
  for (std::uint32_t page = 0; page < kPages; page += 2)
    machine_.Store(space_, At(page) + 8, 100 + page);
  EXPECT_TRUE(CheckSystem(machine_.system).empty());
  EXPECT_EQ(UnmapAndClose(), Result::kOk);
  Map("data");
  for (std::uint32_t page = 0; page < kPages; ++page)
    EXPECT_EQ(machine_.Load(space_, At(page) + 8), page % 2 == 0 ? 100 + page : 0) << page;
  EXPECT_EQ(UnmapAndClose(), Result::kOk);
}

TEST_F(MappedHostFile, ACutInTheMidstOfAWordLeavesItsBytesBefore) {
  Map("data");
  machine_.Store(space_, At(1), 0x1122334455667788);
  const std::uint64_t cut = kTestPageSize + 3;
  ASSERT_EQ(TruncateVnode(machine_.system, *vnode_, cut), Result::kOk);
  EXPECT_EQ(machine_.Load(space_, At(1)), 0x667788u);
  ASSERT_EQ(SyncVnode(machine_.system, *vnode_), Result::kOk);
  EXPECT_EQ(ReadAt(*file_, kTestPageSize, 100), "\x88\x77\x66");
  ASSERT_EQ(TruncateVnode(machine_.system, *vnode_, kPages * kTestPageSize), Result::kOk);
  EXPECT_EQ(machine_.Load(space_, At(1)), 0x667788u);
  EXPECT_EQ(machine_.Load(space_, At(2)), 0u);
  EXPECT_EQ(UnmapAndClose(), Result::kOk);
}

TEST_F(MappedHostFile, AFullDiskLosesNothingAndIsWrittenWhenItHasRoom) {
  Map("data");
  for (std::uint32_t page = 0; page < kPages; ++page) machine_.Store(space_, At(page), 100 + page);
  {
    // The rest of the file cannot be written.
    FileSizeLimit limit(8 * kTestPageSize);
    EXPECT_EQ(SyncVnode(machine_.system, *vnode_), Result::kNoSpace);
  }
  EXPECT_GT(machine_.system.counters().Get(Event::kPageOutError), 0u);
  EXPECT_EQ(SyncVnode(machine_.system, *vnode_), Result::kOk);
  EXPECT_EQ(machine_.system.counters().Get(Event::kPageOut), kPages);
  for (std::uint32_t page = 0; page < kPages; ++page)
    EXPECT_EQ(ReadAt(*file_, page * kTestPageSize, 1)[0], static_cast<char>(100 + page));
  EXPECT_EQ(UnmapAndClose(), Result::kOk);
}

TEST_F(MappedHostFile, AFileThatAnotherProgramCutsIsAnErrorOfTheRead) {
  Map("data");
  machine_.Store(space_, At(20), 5);
  ASSERT_EQ(SyncVnode(machine_.system, *vnode_), Result::kOk);
  ASSERT_EQ(space_->Sync(base_, kPages * kTestPageSize, SyncMode::kSynchronous, Invalidate::kYes),
            Result::kOk);
  std::filesystem::resize_file(PathOf("data"), 10 * kTestPageSize + 7);
  std::uint64_t word = 0;
  EXPECT_EQ(space_->Load(machine_.system.cpu(0), At(20), &word), Result::kIoError);
  EXPECT_EQ(space_->Load(machine_.system.cpu(0), At(12), &word), Result::kIoError) << "nor a hole";
  EXPECT_EQ(UnmapAndClose(), Result::kOk);
}

}  // namespace
}  // namespace vm
