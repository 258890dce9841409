#include "stress/world/files.h"

#include <array>
#include <utility>

#include "vm/store/host_file.h"
#include "vm/vnode.h"

namespace stress {
namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
constexpr std::uint32_t kPlaceShift = 32;  // below: truncations

}  // namespace

std::unique_ptr<vm::BackingFile> NewFile(const std::string& folder, std::uint64_t bytes) {
  int error = 0;
  std::unique_ptr<vm::BackingFile> file;
  if (folder.empty())
    file = vm::MakeMemoryFile(bytes);
  else
    file = vm::HostFile::CreateUnnamed(folder, &error);
  if (file == nullptr || file->Truncate(bytes) != vm::Result::kOk) return nullptr;
  return file;
}

FileState::FileState(vm::System& system, Lineage& lineage, std::uint32_t file_number,
                     std::unique_ptr<vm::BackingFile> file, const StoreFaults& faults)
    : number(file_number),
      system_(system),
      pages_(static_cast<std::uint32_t>(system.BytesToPages(file->size()))),
      memory_(MakeShared<Memory>(lineage, pages_ / 2, system.config().page_size)),
      file_(std::move(file), faults, lineage.salt() + file_number),
      vnode_(vm::OpenVnode(system, file_)),
      floors_(std::make_unique<locking::Atomic<std::uint32_t>[]>(tail_pages())) {
  memory_->MarkShared();
}

std::uint64_t FileState::TailWord(std::uint32_t page) const {
  const std::uint64_t place = std::uint64_t{number} * pages_ + page;
  return (place << kPlaceShift) + truncations_.Peek();
}

bool FileState::TailMayHold(std::uint32_t page, std::uint32_t floor, std::uint64_t word) const {
  if (word == 0) return true;
  const auto truncations = static_cast<std::uint32_t>(word);
  const std::uint64_t place = std::uint64_t{number} * pages_ + page;
  return word >> kPlaceShift == place && truncations >= floor && truncations <= truncations_.Peek();
}

void FileState::NoteTruncated(std::uint32_t page) {
  const std::uint32_t now = truncations_.FetchAdd(1, kRelaxed) + 1;
  for (; page < tail_pages(); ++page) floors_[page].Store(now, kRelaxed);
}

Record FileState::RecordInFile(std::uint32_t page, std::uint32_t slot) {
  std::array<std::uint64_t, kRecordWords> words{};
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(words));
  file_.inner().Read(system_.PagesToBytes(page) + memory_->OffsetInPage(slot), {&bytes, 1});
  return Record::FromWords(words.data());
}

vm::Result FileState::Close() { return vm::ReleaseVnode(system_, vnode_); }

}  // namespace stress
