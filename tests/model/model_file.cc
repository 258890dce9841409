#include "tests/model/model_file.h"

#include <algorithm>
#include <utility>

#include "vm/vnode.h"

namespace vm {
namespace {

const locking::LockClass kModelFileLock("model file", locking::LockKind::kMutex);

constexpr std::uint64_t kMaxBytes = std::uint64_t{kMaxFilePages} * kTestPageSize;

std::uint64_t PlaceOf(Pindex index, std::uint32_t word) {
  return index * kTestPageSize + WordOffset(word);
}

}  // namespace

FileLife::FileLife(std::uint64_t size) : sizes_({size}), size_(size) {
  for (std::unique_ptr<Contents>& page : pages_) page = std::make_unique<Contents>();
}

void FileLife::EndRevoke(Time begin, Time now) {
  next_ = std::make_shared<FileLife>(size_);
  for (std::uint32_t i = 0; i < kMaxFilePages; ++i)
    next_->pages_[i] = std::make_unique<Contents>(*pages_[i], begin, now);
  revocation_ = Revocation::kDone;
}

bool FileLife::MayLack(Pindex index, Time begin, Time now) const {
  return std::ranges::any_of(sizes_.Possible(begin, now),
                             [&](std::uint64_t size) { return index * kTestPageSize >= size; });
}

bool FileLife::Lacks(Pindex index, Time begin, Time now) const {
  return std::ranges::all_of(sizes_.Possible(begin, now),
                             [&](std::uint64_t size) { return index * kTestPageSize >= size; });
}

bool FileLife::MayEndBefore(Pindex index, std::uint32_t word, Time begin, Time now) const {
  return std::ranges::any_of(sizes_.Possible(begin, now),
                             [&](std::uint64_t size) { return PlaceOf(index, word) >= size; });
}

template <typename Act>
void FileLife::ForEachCut(std::uint64_t size, Act act) {
  const std::uint64_t cut = std::min(size, size_);
  for (Pindex index = 0; index * kTestPageSize < size_; ++index) {
    // The page goes; or what stands behind the end in the last one is zeroed.
    const auto reach =
        index * kTestPageSize >= size ? Register::Reach::kForGood : Register::Reach::kForNow;
    for (std::uint32_t word = 0; word < kWordsPerPage; ++word)
      if (PlaceOf(index, word) >= cut) act(pages_[index]->word(word), reach);
  }
}

void FileLife::BeginTruncate(std::uint64_t size, Time now) {
  ForEachCut(size, [&](Register& word, Register::Reach) { word.BeginClear(now); });
  if (size != size_) sizes_.BeginStore(size, now);
}

void FileLife::EndTruncate(std::uint64_t size, Time now, Register::Outcome outcome) {
  ForEachCut(size,
             [&](Register& word, Register::Reach reach) { word.EndClear(now, outcome, reach); });
  if (size != size_) sizes_.EndStore(size, now, outcome);
  if (outcome == Register::Outcome::kDone) size_ = size;
}

ModelFile::ModelFile(const StoreFaults& faults)
    : backing(kMaxBytes, faults), mutex_(kModelFileLock) {}

ModelFile::Opened ModelFile::Use() {
  const locking::Guard guard(mutex_);
  if (opened_.vnode != nullptr) UseVnode(*opened_.vnode);
  return opened_;
}

ModelFile::Opened ModelFile::opened() {
  const locking::Guard guard(mutex_);
  return opened_;
}

bool ModelFile::TryBeginChange() {
  const locking::Guard guard(mutex_);
  return !std::exchange(changing_, true);
}

void ModelFile::EndChange() {
  const locking::Guard guard(mutex_);
  changing_ = false;
}

void ModelFile::SetOpened(const Opened& opened) {
  const locking::Guard guard(mutex_);
  opened_ = opened;
}

}  // namespace vm
