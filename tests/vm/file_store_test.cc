// The file store: over real files, and over a system whose calls fail when told to.
#include "vm/store/file_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/vm/host_calls.h"
#include "tests/vm/machine.h"

namespace vm {
namespace {

constexpr std::uint32_t kPage = 4096;

// Pages that are aligned to their size, each filled with a number of its own.
class Pages {
 public:
  explicit Pages(std::uint32_t count, std::uint32_t seed = 0) : frames_(count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      frames_[i].bytes.fill(static_cast<std::byte>(seed == 0 ? 0 : seed + i));
      in_.emplace_back(frames_[i].bytes);
      out_.emplace_back(frames_[i].bytes);
    }
  }
  std::span<const std::span<const std::byte>> in() const { return in_; }
  std::span<const std::span<std::byte>> out() const { return out_; }
  bool operator==(const Pages& other) const { return frames_ == other.frames_; }

 private:
  struct alignas(kPage) Frame {
    std::array<std::byte, kPage> bytes;
    bool operator==(const Frame&) const = default;
  };
  std::vector<Frame> frames_;
  std::vector<std::span<const std::byte>> in_;
  std::vector<std::span<std::byte>> out_;
};

class FileStoreTest : public HostCallsTest {
 protected:
  std::unique_ptr<FileStore> Make(std::uint32_t slots, std::uint32_t page_size = kPage) {
    int error = 0;
    auto store = FileStore::Create(PathOf("swap"), slots, page_size, &error);
    EXPECT_NE(store, nullptr) << strerror(error);
    write_flags_.clear();
    return store;
  }
  int ErrorOf(const std::string& path, std::uint32_t slots = 4) {
    int error = 0;
    EXPECT_EQ(FileStore::Create(path, slots, kPage, &error), nullptr) << path;
    return error;
  }
};

// ---- The file ----

TEST_F(FileStoreTest, KeepsWhatIsWrittenAndRefusesWhatItDoesNotHave) {
  const auto store = Make(8);
  const Pages first(3, 10), second(2, 50);
  EXPECT_EQ(store->Write(1, first.in()), Result::kOk);
  EXPECT_EQ(store->Write(6, second.in()), Result::kOk);
  Pages read(3), read_second(2);
  EXPECT_EQ(store->Read(1, read.out()), Result::kOk);
  EXPECT_EQ(read, first);
  EXPECT_EQ(store->Read(6, read_second.out()), Result::kOk);
  EXPECT_EQ(read_second, second);
  EXPECT_EQ(store->Write(7, second.in()), Result::kInvalidArgument);
  EXPECT_EQ(store->Read(8, read.out()), Result::kInvalidArgument);
  const std::span<const std::byte> half = first.in()[0].first(kPage / 2);
  EXPECT_EQ(store->Write(0, {&half, 1}), Result::kInvalidArgument);
}

TEST_F(FileStoreTest, HasNoNameAndLeavesNothing) {
  const auto store = Make(8);
  EXPECT_EQ(CountFiles(), 0u);
}

TEST_F(FileStoreTest, TwoOfOnePathAreIndependent) {
  const auto one = Make(4);
  const auto other = Make(4);
  const Pages ones(4, 1), others(4, 100);
  EXPECT_EQ(one->Write(0, ones.in()), Result::kOk);
  EXPECT_EQ(other->Write(0, others.in()), Result::kOk);
  Pages read(4);
  EXPECT_EQ(one->Read(0, read.out()), Result::kOk);
  EXPECT_EQ(read, ones);
}

TEST_F(FileStoreTest, WhatIsThereAlreadyIsLeftAlone) {
  std::ofstream(PathOf("foreign")) << "not ours";
  EXPECT_EQ(ErrorOf(PathOf("foreign")), EEXIST);
  std::ostringstream kept;
  kept << std::ifstream(PathOf("foreign")).rdbuf();
  EXPECT_EQ(kept.str(), "not ours");
  std::filesystem::create_symlink(PathOf("nowhere"), PathOf("link"));
  EXPECT_EQ(ErrorOf(PathOf("link")), EEXIST);
  EXPECT_FALSE(std::filesystem::exists(PathOf("nowhere")));
  EXPECT_EQ(ErrorOf(folder_), EEXIST);
  EXPECT_EQ(ErrorOf(PathOf("missing/swap")), ENOENT);
  EXPECT_EQ(ErrorOf(PathOf("foreign/swap")), ENOTDIR);
  EXPECT_EQ(CountFiles(), 2u);
}

// Nobody makes files there, not even root.
TEST_F(FileStoreTest, AFolderThatCannotBeWrittenIsAnError) {
  EXPECT_EQ(ErrorOf("/proc/self/swap"), ENOENT);
}

TEST_F(FileStoreTest, SpaceThatThereIsNotIsMetAtCreation) {
  FileSizeLimit limit(8 * kPage);
  EXPECT_EQ(ErrorOf(PathOf("swap"), 9), EFBIG);
  EXPECT_EQ(CountFiles(), 0u);
  EXPECT_NE(Make(8), nullptr);
}

TEST_F(FileStoreTest, AllOfItIsWrittenAtCreation) {
  std::uint64_t written = 0;
  g_write_fault = [&](const iovec* vectors, int count, off_t offset) -> ssize_t {
    EXPECT_EQ(offset, static_cast<off_t>(written));
    ssize_t bytes = 0;
    for (int i = 0; i < count; ++i) bytes += static_cast<ssize_t>(vectors[i].iov_len);
    written += static_cast<std::uint64_t>(bytes);
    return bytes;
  };
  Make(1000);
  EXPECT_EQ(written, 1000u * kPage);
  g_write_fault = [](const iovec*, int, off_t) -> ssize_t { return -ENOSPC; };
  EXPECT_EQ(ErrorOf(PathOf("swap")), ENOSPC);
  g_write_fault = nullptr;
  const auto store = Make(4);
  Pages read(4, 1);
  EXPECT_EQ(store->Read(0, read.out()), Result::kOk);
  EXPECT_EQ(read, Pages(4));
}

TEST_F(FileStoreTest, WithoutSlotsThereIsNothingToWrite) {
  const auto store = Make(0);
  EXPECT_EQ(store->Write(0, Pages(1, 1).in()), Result::kInvalidArgument);
}

// ---- Its calls ----

TEST_F(FileStoreTest, AClusterIsOneCall) {
  const auto store = Make(16);
  EXPECT_EQ(store->Write(0, Pages(16, 1).in()), Result::kOk);
  EXPECT_EQ(write_flags_.size(), 1u);
}

TEST_F(FileStoreTest, WhereDirectIsRefusedEachWriteWaitsForTheDisk) {
  g_direct_error = EINVAL;
  const auto store = Make(4);
  EXPECT_EQ(store->caching(), FileStore::Caching::kBuffered);
  const Pages pages(2, 9);
  EXPECT_EQ(store->Write(1, pages.in()), Result::kOk);
  EXPECT_EQ(write_flags_, std::vector<int>{RWF_DSYNC});
  Pages read(2);
  EXPECT_EQ(store->Read(1, read.out()), Result::kOk);
  EXPECT_EQ(read, pages);
}

TEST_F(FileStoreTest, AnErrorOfTheFirstWriteIsMetAtCreation) {
  g_direct_error = EIO;
  const int error = ErrorOf(PathOf("swap"));
  if (error != EIO) GTEST_SKIP() << "no direct writes here";
}

TEST_F(FileStoreTest, AWriteCutShortGoesOnWhereItStopped) {
  const auto store = Make(8);
  const Pages pages(4, 20);
  // A page and a half at a time, in calls to the real file through the cache of this test.
  std::vector<std::byte> file(8 * kPage);
  std::vector<off_t> offsets;
  g_write_fault = [&](const iovec* vectors, int count, off_t offset) -> ssize_t {
    offsets.push_back(offset);
    std::size_t left = kPage + kPage / 2, done = 0;
    for (int i = 0; i < count && left > 0; ++i) {
      const std::size_t bytes = std::min(left, vectors[i].iov_len);
      std::memcpy(&file[static_cast<std::size_t>(offset) + done], vectors[i].iov_base, bytes);
      done += bytes;
      left -= bytes;
    }
    return static_cast<ssize_t>(done);
  };
  EXPECT_EQ(store->Write(2, pages.in()), Result::kOk);
  EXPECT_EQ(offsets, (std::vector<off_t>{2 * kPage, 3 * kPage + kPage / 2, 5 * kPage}));
  for (std::uint32_t i = 0; i < 4; ++i)
    EXPECT_EQ(std::memcmp(&file[(2 + i) * kPage], pages.in()[i].data(), kPage), 0) << i;
}

TEST_F(FileStoreTest, AReadCutShortGoesOnWhereItStopped) {
  const auto store = Make(8);
  g_read_fault = [](const iovec* vectors, int, off_t offset) -> ssize_t {
    const std::size_t bytes = std::min<std::size_t>(vectors[0].iov_len, kPage / 2);
    std::memset(vectors[0].iov_base, static_cast<int>(offset / (kPage / 2)), bytes);
    return static_cast<ssize_t>(bytes);
  };
  Pages read(2);
  EXPECT_EQ(store->Read(1, read.out()), Result::kOk);
  for (std::uint32_t half = 0; half < 4; ++half)
    EXPECT_EQ(read.out()[half / 2][half % 2 * kPage / 2], std::byte(2 + half)) << half;
}

TEST_F(FileStoreTest, AnInterruptedCallIsMadeAgain) {
  const auto store = Make(4);
  int calls = 0;
  g_write_fault = [&](const iovec*, int, off_t) -> ssize_t {
    return ++calls < 3 ? -EINTR : ssize_t{kPage};
  };
  EXPECT_EQ(store->Write(0, Pages(1, 1).in()), Result::kOk);
  EXPECT_EQ(calls, 3);
}

TEST_F(FileStoreTest, ErrorsAreToldApart) {
  const auto store = Make(4);
  for (const auto& [error, expected] :
       {std::pair{EIO, Result::kIoError}, std::pair{ENOSPC, Result::kNoSpace},
        std::pair{EDQUOT, Result::kNoSpace}, std::pair{EBADF, Result::kIoError}}) {
    g_write_fault = [error = error](const iovec*, int, off_t) -> ssize_t { return -error; };
    g_read_fault = g_write_fault;
    EXPECT_EQ(store->Write(0, Pages(2, 1).in()), expected) << strerror(error);
    Pages read(2);
    EXPECT_EQ(store->Read(0, read.out()), expected) << strerror(error);
  }
}

TEST_F(FileStoreTest, TheEndOfTheFileIsAnError) {
  const auto store = Make(4);
  g_read_fault = [](const iovec*, int, off_t) -> ssize_t { return 0; };
  Pages read(1);
  EXPECT_EQ(store->Read(0, read.out()), Result::kIoError);
}

TEST_F(FileStoreTest, ADiskThatIsFullInTheMiddleOfAWriteIsReported) {
  const auto store = Make(8);
  FileSizeLimit limit(4 * kPage);  // the first call of the write is cut short there
  EXPECT_EQ(store->Write(2, Pages(4, 1).in()), Result::kNoSpace);
  EXPECT_EQ(write_flags_.size(), 2u);
}

// ---- A machine that swaps to it ----

TEST_F(FileStoreTest, AMachineKeepsItsContentThere) {
  g_write_flags = nullptr;
  for (const std::uint32_t page_size : {512u, 4096u, 32768u}) {
    System system({.pages = 64, .page_size = page_size, .cpus = 1, .swap_slots = 512},
                  Make(512, page_size));
    system.Start();
    Space* space = system.CreateSpace();
    Address start = 0;
    ASSERT_EQ(space->MapAnonymous(0, Address{200} * page_size, Protection::kReadWrite,
                                  Inheritance::kCopy, &start),
              Result::kOk);
    for (std::uint64_t i = 0; i < 200; ++i)
      EXPECT_EQ(space->Store(system.cpu(0), start + i * page_size + 8, i + 1), Result::kOk);
    for (std::uint64_t i = 0; i < 200; ++i) {
      std::uint64_t value = 0;
      EXPECT_EQ(space->Load(system.cpu(0), start + i * page_size + 8, &value), Result::kOk);
      EXPECT_EQ(value, i + 1) << "page size " << page_size;
    }
    EXPECT_GT(system.counters().Get(Event::kPageIn), 100u);
    system.Stop();
    space->Exit();
  }
}

}  // namespace
}  // namespace vm
