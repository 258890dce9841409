// map: maps, unmaps and protects, whole mappings and parts of them, while others use them.
#include <algorithm>

#include "stress/workers/worker.h"

namespace stress {
namespace {

class MapWorker : public Worker {
 public:
  MapWorker(const WorkerParameters& p, const WorkerSetup& setup)
      : max_pages_(std::clamp(setup.pages / 4, 1u, p.Number("max_pages"))),
        part_percent_(p.Number("part_percent")) {}

  void Step(WorkerContext& context) override {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    switch (context.random.Below(4)) {
      case 0:
        MapSome(context, *space);
        return;
      case 1:
        Change(context, *space, Kind::kUnmap);
        return;
      default:
        Change(context, *space, Kind::kProtect);
    }
  }

 private:
  enum class Kind { kUnmap, kProtect };

  void MapSome(WorkerContext& context, SpaceState& space) const {
    const std::uint32_t pages = 1 + context.random.Below(max_pages_);
    const auto mapping =
        MapNew(context, space, pages, vm::Protection::kReadWrite, vm::Inheritance::kCopy);
    if (mapping == nullptr) return;
    for (std::uint32_t page = 0; page < pages; page += 2)
      Touch(context, space, *mapping, page, Access::kStore);
  }

  void Change(WorkerContext& context, SpaceState& space, Kind kind) const {
    const auto mapping = PickMapping(context, space);
    if (mapping == nullptr) return;
    std::uint32_t first = 0;
    std::uint32_t count = mapping->pages();
    if (context.random.Percent(part_percent_)) {
      first = context.random.Below(mapping->pages());
      count = 1 + context.random.Below(mapping->pages() - first);
    }
    if (kind == Kind::kUnmap) {
      UnmapPages(context, space, mapping, first, count);
      return;
    }
    // Mostly back to all rights, so that there is something to load and store.
    constexpr vm::Protection kChoices[] = {vm::Protection::kReadWrite, vm::Protection::kReadWrite,
                                           vm::Protection::kRead, vm::Protection::kNone};
    const vm::Protection protection = kChoices[context.random.Below(4)];
    ProtectPages(context, space, *mapping, first, count, protection);
    Touch(context, space, *mapping, first, Access::kStore);
    Touch(context, space, *mapping, first, Access::kLoad);
  }

  const std::uint32_t max_pages_;
  const std::uint32_t part_percent_;
};

}  // namespace

std::unique_ptr<Worker> MakeMapWorker(const WorkerParameters& p, const WorkerSetup& setup) {
  return std::make_unique<MapWorker>(p, setup);
}

}  // namespace stress
