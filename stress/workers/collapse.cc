// collapse: grows trees of forks, writes on both sides of each, and exits spaces in random order,
// so that shadow chains grow and have to be collapsed and bypassed. Changes inheritance now and
// then, so that some of the memory is shared instead.
#include "stress/workers/worker.h"

namespace stress {
namespace {

class CollapseWorker : public Worker {
 public:
  explicit CollapseWorker(const WorkerParameters& p)
      : max_spaces_(p.Number("max_spaces")),
        writes_(p.Number("writes")),
        inherit_percent_(p.Number("inherit_percent")) {}

  void Step(WorkerContext& context) override {
    if (context.random.Percent(inherit_percent_)) {
      ChangeInheritance(context);
    } else if (context.world.space_count() >= max_spaces_ || context.random.Percent(45)) {
      ExitSome(context);
    } else {
      Fork(context);
    }
  }

 private:
  void ChangeInheritance(WorkerContext& context) const {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    const auto mapping = PickMapping(context, *space);
    if (mapping == nullptr) return;
    constexpr vm::Inheritance kChoices[] = {vm::Inheritance::kCopy, vm::Inheritance::kCopy,
                                            vm::Inheritance::kShare, vm::Inheritance::kNone};
    InheritMapping(context, *space, *mapping, kChoices[context.random.Below(4)]);
  }

  void ExitSome(WorkerContext& context) const {
    const auto leaving = context.world.TakeForExit(context.random);
    if (leaving != nullptr) ExitSpace(context, *leaving);
  }

  void Fork(WorkerContext& context) const {
    SpaceUse parent = PickSpace(context);
    if (!parent || SomeMapping(context, *parent) == nullptr) return;
    SpaceUse child = ForkSpace(context, *parent);
    if (!child) return;
    for (std::uint32_t i = 0; i < writes_; ++i)
      TouchSome(context, context.random.Percent(50) ? *child : *parent);
  }

  void TouchSome(WorkerContext& context, SpaceState& space) const {
    const auto mapping = PickMapping(context, space);
    if (mapping == nullptr) return;
    const std::uint32_t page = context.random.Below(mapping->pages());
    Touch(context, space, *mapping, page, Access::kStore);
    Touch(context, space, *mapping, page, Access::kLoad);
  }

  const std::uint32_t max_spaces_;
  const std::uint32_t writes_;
  const std::uint32_t inherit_percent_;
};

}  // namespace

std::unique_ptr<Worker> MakeCollapseWorker(const WorkerParameters& p, const WorkerSetup&) {
  return std::make_unique<CollapseWorker>(p);
}

}  // namespace stress
