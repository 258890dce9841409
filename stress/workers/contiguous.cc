// contiguous: takes runs of contiguous frames wherever they have to be, and has each to itself.
#include <algorithm>
#include <bit>

#include "stress/workers/worker.h"

namespace stress {
namespace {

class ContiguousWorker : public Worker {
 public:
  ContiguousWorker(const WorkerParameters& p, const WorkerSetup& setup)
      : max_pages_(std::clamp(setup.pages / 8, 1u, p.Number("max_pages"))),
        touches_(p.Number("touches")) {}

  void Step(WorkerContext& context) override {
    const std::uint64_t pattern = context.random.Next();
    const std::span<vm::Page> run = TakeRun(context, SomeRequest(context), pattern);
    TouchOthers(context);
    if (!run.empty()) GiveBackRun(context, run, pattern);
  }

 private:
  vm::ContiguousRequest SomeRequest(WorkerContext& context) const {
    locking::Random& random = context.random;
    const auto frames = static_cast<vm::Frame>(context.world.system().pages().size());
    vm::ContiguousRequest request{.count = 1 + random.Below(max_pages_),
                                  .alignment = 1u << random.Below(4),
                                  .zeroed = random.Percent(50)};
    if (random.Percent(50)) request.boundary = std::bit_ceil(request.count) << random.Below(3);
    if (random.Percent(30)) request.high = frames / 2;
    if (random.Percent(30)) request.low = frames / 4;
    return request;
  }

  void TouchOthers(WorkerContext& context) const {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    const auto mapping = SomeMapping(context, *space);
    if (mapping == nullptr) return;
    for (std::uint32_t i = 0; i < touches_; ++i)
      Touch(context, *space, *mapping, context.random.Below(mapping->pages()), Access::kStore);
  }

  const std::uint32_t max_pages_;
  const std::uint32_t touches_;
};

}  // namespace

std::unique_ptr<Worker> MakeContiguousWorker(const WorkerParameters& p, const WorkerSetup& setup) {
  return std::make_unique<ContiguousWorker>(p, setup);
}

}  // namespace stress
