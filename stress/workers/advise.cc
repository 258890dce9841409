// advise: says of ranges that they will be needed, will not, or may be forgotten, syncs them, and
// asks what is in memory of them, while others use them.
#include <algorithm>

#include "stress/workers/worker.h"

namespace stress {
namespace {

class AdviseWorker : public Worker {
 public:
  explicit AdviseWorker(const WorkerParameters& p)
      : max_pages_(p.Number("max_pages")), free_percent_(p.Number("free_percent")) {}

  void Step(WorkerContext& context) override {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    const auto mapping = SomeMapping(context, *space);
    if (mapping == nullptr) return;
    const std::uint32_t first = context.random.Below(mapping->pages());
    const std::uint32_t most = std::min(max_pages_, mapping->pages() - first);
    const std::uint32_t count = 1 + context.random.Below(most);
    if (context.random.Percent(free_percent_)) {
      AdvisePages(context, *space, *mapping, first, count, vm::Advice::kFree);
      // Some of it is used again, and must then be kept.
      if (context.random.Percent(50)) Touch(context, *space, *mapping, first, Access::kStore);
      Touch(context, *space, *mapping, first, Access::kLoad);
      return;
    }
    switch (context.random.Below(4)) {
      case 0:
        AdvisePages(context, *space, *mapping, first, count, vm::Advice::kWillNeed);
        return;
      case 1:
        AdvisePages(context, *space, *mapping, first, count, vm::Advice::kDontNeed);
        return;
      case 2:
        SyncPages(
            context, *space, *mapping, first, count,
            context.random.Percent(50) ? vm::SyncMode::kSynchronous : vm::SyncMode::kAsynchronous,
            context.random.Percent(50) ? vm::Invalidate::kYes : vm::Invalidate::kNo);
        return;
      default:
        QueryPages(context, *space, *mapping, first, count);
    }
  }

 private:
  const std::uint32_t max_pages_;
  const std::uint32_t free_percent_;
};

}  // namespace

std::unique_ptr<Worker> MakeAdviseWorker(const WorkerParameters& p, const WorkerSetup&) {
  return std::make_unique<AdviseWorker>(p);
}

}  // namespace stress
