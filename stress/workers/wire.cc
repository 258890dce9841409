// wire: wires and unwires ranges that overlap, and touches what it wired.
#include <algorithm>

#include "stress/workers/worker.h"

namespace stress {
namespace {

class WireWorker : public Worker {
 public:
  WireWorker(const WorkerParameters& p, const WorkerSetup& setup)
      : wired_max_(
            std::max<std::int64_t>(1, std::int64_t{setup.pages} * p.Number("limit_percent") / 100)),
        max_pages_(std::min(p.Number("max_pages"), static_cast<std::uint32_t>(wired_max_))) {}

  void Step(WorkerContext& context) override {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    const bool full = context.world.wired_pages().Peek() + max_pages_ > wired_max_;
    if (full || context.random.Percent(45)) {
      UnwireSome(context, *space);
      return;
    }
    const auto mapping = SomeMapping(context, *space);
    if (mapping == nullptr) return;
    // Near the start, so that ranges overlap.
    const std::uint32_t first = context.random.Below(std::min(mapping->pages(), max_pages_));
    const std::uint32_t most = std::min(max_pages_, mapping->pages() - first);
    const std::uint32_t count = 1 + context.random.Below(most);
    WirePages(context, *space, mapping, first, count);
    Touch(context, *space, *mapping, first, Access::kStore);
    Touch(context, *space, *mapping, first + count - 1, Access::kLoad);
  }

 private:
  const std::int64_t wired_max_;
  const std::uint32_t max_pages_;
};

}  // namespace

std::unique_ptr<Worker> MakeWireWorker(const WorkerParameters& p, const WorkerSetup& setup) {
  return std::make_unique<WireWorker>(p, setup);
}

}  // namespace stress
