// What one address space maps, page by page, and what its operations must say by it.
//
// Thread safety: one thread changes it. What others may read of a space that several threads use
// does not change while they do.
#ifndef TESTS_MODEL_SPACE_MODEL_H_
#define TESTS_MODEL_SPACE_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>

#include "tests/model/model_world.h"

namespace vm {

// Pages that operations name: the first is page 1 of a space.
inline constexpr std::uint32_t kArenaPages = 24;

enum class Kind : std::uint8_t { kAnonymous, kFile, kPrivateFile, kDevice, kPhysical };

// Memory of spaces, shared where it is inherited so.
struct PrivateMemory {
  std::shared_ptr<Contents> own;  // nullptr: of a file, and not copied yet
};

struct ModelPage {
  Kind kind = Kind::kAnonymous;
  std::shared_ptr<PrivateMemory> memory = nullptr;  // of the first and the third kind
  std::shared_ptr<FileLife> life = nullptr;         // of the second and the third
  Pindex index = 0;                                 // in the file or object
  Protection protection = Protection::kReadWrite;
  Inheritance inheritance = Inheritance::kCopy;
  Inheritance home = Inheritance::kCopy;  // what it was mapped with: the other is kNone
  std::uint32_t wired = 0;
};

class SpaceModel {
 public:
  SpaceModel(ModelWorld& world, Space* its_space) : space(its_space), world_(world) {}

  using Pages = std::map<Address, ModelPage>;  // by address
  struct Range {
    Address start;
    std::uint32_t pages;
    Address end() const { return start + std::uint64_t{pages} * kTestPageSize; }
    Address bytes() const { return end() - start; }
  };
  // The mapped pages of a range.
  auto begin(const Range& range) { return pages.lower_bound(range.start); }
  auto end(const Range& range) { return pages.lower_bound(range.end()); }
  template <typename Act>
  void ForEach(const Range& range, Act act) {
    for (auto page = begin(range); page != end(range); ++page) act(page->first, page->second);
  }
  template <typename Test>
  bool Any(const Range& range, Test test) {
    return std::any_of(begin(range), end(range),
                       [&](const auto& each) { return test(each.second); });
  }

  bool Covers(const Range& range);
  // Where new memory goes.
  Address LowestFree(Address hint, std::uint32_t count) const;

  // For as long as something is there: see MayLack.
  Contents& ContentsOf(const ModelPage& page) const;
  // The file that the page shows; nullptr: none.
  static FileLife* FileOf(const ModelPage& page);
  // Nothing was there at some moment between, or at none.
  static bool MayLack(const ModelPage& page, Time begin, Time now);
  static bool Lacks(const ModelPage& page, Time begin, Time now);
  // The page gets its own memory: what the file held between.
  static void CopyFromFile(ModelPage& page, Time begin, Time now);

  // What a fork that ran between leaves in a child.
  Pages Inherited(Time begin, Time now);

  Space* space;
  Pages pages;

 private:
  ModelWorld& world_;
};

}  // namespace vm

#endif  // TESTS_MODEL_SPACE_MODEL_H_
