#include "tests/model/space_model.h"

namespace vm {

bool SpaceModel::Covers(const Range& range) {
  return std::distance(begin(range), end(range)) == std::ptrdiff_t{range.pages};
}

Address SpaceModel::LowestFree(Address hint, std::uint32_t count) const {
  std::uint32_t free = 0;
  for (Address va = hint;; va += kTestPageSize) {
    free = pages.contains(va) ? 0 : free + 1;
    if (free == count) return va - std::uint64_t{count - 1} * kTestPageSize;
  }
}

Contents* SpaceModel::ContentsOf(const ModelPage& page) const {
  switch (page.kind) {
    case Kind::kAnonymous:
      return page.memory->own.get();
    case Kind::kPrivateFile:
      if (page.memory->own != nullptr) return page.memory->own.get();
      [[fallthrough]];
    case Kind::kFile:
      return world_.files[page.file].PageAt(page.index);
    case Kind::kDevice:
      return &world_.device_pages[page.index];
    case Kind::kPhysical:
      return &world_.physical_pages[page.index];
  }
  return nullptr;
}

ModelFile* SpaceModel::FileOf(const ModelPage& page) const {
  const bool shows =
      page.kind == Kind::kFile || (page.kind == Kind::kPrivateFile && page.memory->own == nullptr);
  return shows ? &world_.files[page.file] : nullptr;
}

void SpaceModel::CopyFromFile(ModelPage& page, Time begin, Time now) {
  if (page.kind != Kind::kPrivateFile || page.memory->own != nullptr) return;
  page.memory->own = std::make_shared<Contents>(*ContentsOf(page), begin, now);
}

SpaceModel::Pages SpaceModel::Inherited(Time begin, Time now) {
  Pages child;
  // Pages of one memory share what comes of it.
  for (const auto& [va, page] : pages) {
    if (page.inheritance == Inheritance::kNone) continue;
    ModelPage copy{.kind = page.kind,
                   .memory = page.memory,
                   .file = page.file,
                   .index = page.index,
                   .protection = page.protection,
                   .inheritance = page.inheritance,
                   .home = page.home};
    if (page.inheritance == Inheritance::kCopy && page.memory != nullptr) {
      copy.memory = std::make_shared<PrivateMemory>();
      if (page.memory->own != nullptr)
        copy.memory->own = std::make_shared<Contents>(*page.memory->own, begin, now);
    }
    child.emplace(va, std::move(copy));
  }
  return child;
}

}  // namespace vm
