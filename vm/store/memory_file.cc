#include <algorithm>
#include <cstring>
#include <vector>

#include "vm/store/backing_file.h"

namespace vm {
namespace {

constexpr std::uint64_t kChunk = kBlockBytes;

// Each chunk is used by one thread at a time, so no lock is needed.
class MemoryFile final : public BackingFile {
 public:
  explicit MemoryFile(std::uint64_t max_bytes)
      : max_bytes_(max_bytes), chunks_((max_bytes + kChunk - 1) / kChunk) {}

  std::uint64_t size() const override { return size_; }

  bool IsHole(std::uint64_t offset, std::uint64_t bytes) const override {
    const std::uint64_t end = std::min(offset + bytes, size_);
    for (std::uint64_t at = offset / kChunk * kChunk; at < end; at += kChunk)
      if (chunks_[at / kChunk] != nullptr) return false;
    return true;
  }

  Transfer Read(std::uint64_t offset, std::span<const std::span<std::byte>> ranges) override {
    Transfer done;
    for (const std::span<std::byte> range : ranges) {
      done.bytes += ForEachPart(offset + done.bytes, range, [&](auto& chunk, auto at, auto part) {
        if (chunk == nullptr)
          std::memset(part.data(), 0, part.size());
        else
          std::memcpy(part.data(), chunk.get() + at, part.size());
      });
    }
    return done;
  }

  Transfer Write(std::uint64_t offset,
                 std::span<const std::span<const std::byte>> ranges) override {
    Transfer done;
    for (const std::span<const std::byte> range : ranges) {
      done.bytes += ForEachPart(offset + done.bytes, range, [&](auto& chunk, auto at, auto part) {
        if (chunk == nullptr) chunk = std::make_unique<std::byte[]>(kChunk);
        std::memcpy(chunk.get() + at, part.data(), part.size());
      });
    }
    return done;
  }

  Result Truncate(std::uint64_t size) override {
    if (size > max_bytes_) return Result::kNoSpace;
    for (std::uint64_t i = (size + kChunk - 1) / kChunk; i < (size_ + kChunk - 1) / kChunk; ++i)
      chunks_[i] = nullptr;
    if (size < size_ && size % kChunk != 0 && chunks_[size / kChunk] != nullptr)
      std::memset(chunks_[size / kChunk].get() + size % kChunk, 0, kChunk - size % kChunk);
    size_ = size;
    return Result::kOk;
  }

  Result Sync() override { return Result::kOk; }

 private:
  // Calls `move` for each part of `range` that lies in one chunk and in the file, with the place in
  // the chunk. Returns how many bytes that were.
  template <typename Byte, typename Move>
  std::uint64_t ForEachPart(std::uint64_t offset, std::span<Byte> range, Move move) {
    std::uint64_t done = 0;
    while (done < range.size() && offset + done < size_) {
      const std::uint64_t at = (offset + done) % kChunk;
      const std::uint64_t count =
          std::min({range.size() - done, kChunk - at, size_ - offset - done});
      move(chunks_[(offset + done) / kChunk], at, range.subspan(done, count));
      done += count;
    }
    return done;
  }

  const std::uint64_t max_bytes_;
  std::uint64_t size_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
};

}  // namespace

std::unique_ptr<BackingFile> MakeMemoryFile(std::uint64_t max_bytes) {
  return std::make_unique<MemoryFile>(max_bytes);
}

}  // namespace vm
