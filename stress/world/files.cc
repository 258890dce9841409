#include "stress/world/files.h"

#include <algorithm>
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
      places_(std::make_unique<TailPlace[]>(tail_pages())) {
  memory_->MarkShared();
}

std::uint64_t FileState::PlaceOf(std::uint32_t page) const {
  constexpr std::uint64_t kHighest = std::uint64_t{1} << 31;
  return kHighest + std::uint64_t{number} * pages_ + page;
}

std::uint64_t FileState::TailWord(std::uint32_t page) const {
  const std::uint64_t place = PlaceOf(page);
  return (place << kPlaceShift) + truncations_.Peek();
}

FileState::TailView FileState::ViewTail(std::uint32_t page) const {
  const TailPlace& place = places_[page];
  return {place.floor.Peek(), place.cut_floor.Peek(), place.cuts.Peek(), truncations_.Peek()};
}

// Whether `word` is what a cut leaves of one that was stored there.
bool FileState::PartMayBeLeft(std::uint32_t page, const TailView& view, std::uint64_t word) const {
  const std::uint64_t place = PlaceOf(page);
  for (std::uint32_t bytes = 1; bytes < sizeof(word); ++bytes) {
    const std::uint64_t left = (std::uint64_t{1} << (8 * bytes)) - 1;
    if ((view.cuts >> bytes & 1) == 0 || word > left) continue;
    // The first number of truncations, from the lowest on, that ends as the word does.
    const std::uint64_t low = (place << kPlaceShift) + view.cut_floor;
    const std::uint64_t stored = low + ((word - low) & left);
    if (stored <= (place << kPlaceShift) + view.truncations) return true;
  }
  return false;
}

bool FileState::TailMayHold(std::uint32_t page, const TailView& before, std::uint64_t word) const {
  if (word == 0) return true;
  const TailView after = ViewTail(page);
  const auto truncations = static_cast<std::uint32_t>(word);
  const std::uint64_t place = PlaceOf(page);
  if (word >> kPlaceShift == place && truncations >= before.floor &&
      truncations <= after.truncations)
    return true;
  // More than one of them since: one may have left a part that the next one took.
  if (after.truncations - before.truncations > 1) return true;
  const TailView both = {before.floor, std::min(before.cut_floor, after.cut_floor),
                         before.cuts | after.cuts, after.truncations};
  return PartMayBeLeft(page, both, word);
}

// The word of a page is its first.
void FileState::BeginTruncation(std::uint64_t bytes) {
  const std::uint64_t page_size = system_.config().page_size;
  const std::uint64_t in_page = bytes % page_size;
  if (in_page == 0 || in_page >= sizeof(std::uint64_t)) return;
  TailPlace& place = places_[bytes / page_size];
  if (place.cuts.Peek() == 0) place.cut_floor.Store(place.floor.Peek(), kRelaxed);
  place.cuts.Store(place.cuts.Peek() | 1u << in_page, kRelaxed);
}

void FileState::EndTruncation(std::uint64_t bytes) {
  const std::uint64_t page_size = system_.config().page_size;
  const std::uint64_t in_page = bytes % page_size;
  const std::uint32_t now = truncations_.FetchAdd(1, kRelaxed) + 1;
  auto page = static_cast<std::uint32_t>(bytes / page_size);
  if (in_page >= sizeof(std::uint64_t)) {
    ++page;
  } else if (in_page != 0) {
    places_[page++].floor.Store(now, kRelaxed);
  }
  for (; page < tail_pages(); ++page) {
    places_[page].floor.Store(now, kRelaxed);
    places_[page].cuts.Store(0, kRelaxed);
  }
}

Record FileState::RecordInFile(std::uint32_t page, std::uint32_t slot) {
  std::array<std::uint64_t, kRecordWords> words{};
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(words));
  file_.inner().Read(system_.PagesToBytes(page) + memory_->OffsetInPage(slot), {&bytes, 1});
  return Record::FromWords(words.data());
}

vm::Result FileState::Close() { return vm::ReleaseVnode(system_, vnode_); }

vm::Result FileState::Reopen() {
  const vm::Result result = Close();
  vnode_ = vm::OpenVnode(system_, file_);
  return result;
}

}  // namespace stress
