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

Contents& SpaceModel::ContentsOf(const ModelPage& page) const {
  if (page.memory != nullptr && page.memory->own != nullptr) return *page.memory->own;
  switch (page.kind) {
    case Kind::kDevice:
      return world_.device_pages[page.index];
    case Kind::kPhysical:
      return world_.physical_pages[page.index];
    default:
      return page.life->page(page.index);
  }
}

FileLife* SpaceModel::FileOf(const ModelPage& page) {
  const bool copied = page.memory != nullptr && page.memory->own != nullptr;
  return copied ? nullptr : page.life.get();
}

bool SpaceModel::MayLack(const ModelPage& page, Time begin, Time now) {
  const FileLife* life = FileOf(page);
  return life != nullptr && life->MayLack(page.index, begin, now);
}

bool SpaceModel::Lacks(const ModelPage& page, Time begin, Time now) {
  const FileLife* life = FileOf(page);
  return life != nullptr && life->Lacks(page.index, begin, now);
}

void SpaceModel::CopyFromFile(ModelPage& page, Time begin, Time now) {
  if (page.kind != Kind::kPrivateFile || page.memory->own != nullptr) return;
  page.memory->own = std::make_shared<Contents>(page.life->page(page.index), begin, now);
}

SpaceModel::Pages SpaceModel::Inherited(Time begin, Time now) {
  Pages child;
  // Pages of one memory share what comes of it.
  for (const auto& [va, page] : pages) {
    if (page.inheritance == Inheritance::kNone) continue;
    ModelPage copy{.kind = page.kind,
                   .memory = page.memory,
                   .life = page.life,
                   .index = page.index,
                   .protection = page.protection,
                   .inheritance = page.inheritance,
                   .home = page.home};
    if (page.inheritance == Inheritance::kCopy && page.memory != nullptr) {
      copy.memory = std::make_shared<PrivateMemory>();
      if (page.memory->own != nullptr)
        copy.memory->own = std::make_shared<Contents>(*page.memory->own, begin, now,
                                                      Register::Copied::kWhenStored);
    }
    child.emplace(va, std::move(copy));
  }
  return child;
}

}  // namespace vm
