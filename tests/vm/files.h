// What the tests of files share: a backing file that counts and fails, and a machine that has it
// open and mapped.
#ifndef TESTS_VM_FILES_H_
#define TESTS_VM_FILES_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "tests/vm/machine.h"
#include "vm/reclaim.h"

namespace vm {

// A memory file that tells what was done and fails when told to. Settings are changed while nobody
// uses it.
class TestFile final : public BackingFile {
 public:
  static constexpr std::uint64_t kMaxBytes = 256 * kTestPageSize;

  std::uint64_t size() const override { return memory_->size(); }
  bool IsHole(std::uint64_t offset, std::uint64_t bytes) const override {
    return memory_->IsHole(offset, bytes);
  }
  Transfer Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) override {
    reads.Add();
    if (fail_reads || (fail_reads_of_several && ranges.size() > 1)) return {0, Result::kIoError};
    Transfer transfer = memory_->Read(offset, ranges);
    transfer.bytes = std::min(transfer.bytes, short_read);
    return transfer;
  }
  Transfer Write(std::uint64_t offset,
                 std::span<const std::span<const std::byte>> ranges) override {
    writes.Add();
    if (during_write) during_write();
    if (fail_writes != Result::kOk) return {0, fail_writes};
    Transfer transfer;
    for (const std::span<const std::byte> range : ranges) {
      const std::uint64_t room = short_write - transfer.bytes;
      const std::span<const std::byte> part =
          range.first(std::min<std::uint64_t>(range.size(), room));
      transfer.bytes += memory_->Write(offset + transfer.bytes, {&part, 1}).bytes;
    }
    return transfer;
  }
  Result Truncate(std::uint64_t size) override {
    return fail_truncate ? Result::kIoError : memory_->Truncate(size);
  }
  Result Sync() override { return fail_sync ? Result::kIoError : Result::kOk; }

  // The word at `offset`, as the file has it.
  std::uint64_t WordAt(std::uint64_t offset) {
    std::uint64_t word = ~0ull;
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span(&word, 1));
    memory_->Read(offset, {&bytes, 1});
    return word;
  }
  void SetWord(std::uint64_t offset, std::uint64_t word) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(&word, 1));
    memory_->Write(offset, {&bytes, 1});
  }

  bool fail_reads = false;
  bool fail_reads_of_several = false;
  Result fail_writes = Result::kOk;
  bool fail_truncate = false;
  bool fail_sync = false;
  std::uint64_t short_read = ~0ull;   // most bytes of one read
  std::uint64_t short_write = ~0ull;  // most bytes of one write
  std::function<void()> during_write;
  locking::Counter reads;
  locking::Counter writes;

 private:
  const std::unique_ptr<BackingFile> memory_ = MakeMemoryFile(kMaxBytes);
};

// A machine with one file of `pages` pages, whose words at the start of each page are ValueOf, and
// one space.
class FileMachine : public Machine {
 public:
  explicit FileMachine(std::uint32_t file_pages, std::uint32_t machine_pages = 64)
      : Machine(machine_pages, machine_pages) {
    EXPECT_EQ(file.Truncate(std::uint64_t{file_pages} * kTestPageSize), Result::kOk);
    for (std::uint32_t page = 0; page < file_pages; ++page)
      file.SetWord(std::uint64_t{page} * kTestPageSize, ValueOf(page));
    vnode = OpenVnode(system, file);
  }
  ~FileMachine() {
    system.Stop();
    if (space != nullptr) space->Exit();
    if (vnode != nullptr) Close();
    EXPECT_EQ(system.LiveVnodes(), 0u);
    EXPECT_EQ(FreePages(), system.config().pages) << "pages leaked";
  }

  static std::uint64_t ValueOf(std::uint32_t page) { return 1000 + page; }
  Address MapFile(Space* into, std::uint32_t pages, Space::Sharing sharing, Pindex offset = 0,
                  Protection protection = Protection::kReadWrite) {
    Address start = 0;
    EXPECT_EQ(into->MapFile(0, pages * kTestPageSize, *vnode, offset, protection, sharing, &start),
              Result::kOk);
    return start;
  }
  Address Shared(std::uint32_t pages) { return MapFile(space, pages, Space::Sharing::kShared); }
  Address Private(std::uint32_t pages) { return MapFile(space, pages, Space::Sharing::kPrivate); }
  Result Close() { return ReleaseVnode(system, std::exchange(vnode, nullptr)); }
  Result TryLoad(Address va) {
    std::uint64_t value;
    return space->Load(system.cpu(0), va, &value);
  }
  Page* PageOfFile(Pindex pindex) LOCKING_NO_ANALYSIS {
    ObjectGuard guard(vnode->object->lock);
    return LookupPage(*vnode->object, pindex);
  }
  Object& object() LOCKING_NO_ANALYSIS { return *vnode->object; }
  // Frees the page if it is clean.
  bool Evict(Pindex pindex) LOCKING_NO_ANALYSIS {
    ObjectGuard guard(object().lock);
    Page* page = LookupPage(object(), pindex);
    {
      PageRoleGuard page_guard(system.queues().PageLock(*page));
      system.queues().Deactivate(*page);
    }
    return ReclaimPage(system, object(), *page) == Reclaimed::kYes;
  }
  std::uint64_t Count(Event event) { return system.counters().Get(event); }

  TestFile file;
  Vnode* vnode = nullptr;
  Space* space = system.CreateSpace();
};

}  // namespace vm

#endif  // TESTS_VM_FILES_H_
