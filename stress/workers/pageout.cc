// pageout: keeps more memory in use than the machine has. Each thread walks through a range of its
// own, stores what it finds there anew, and so forces out what others use.
#include <algorithm>

#include "stress/workers/worker.h"

namespace stress {
namespace {

class PageoutWorker : public Worker {
 public:
  PageoutWorker(const WorkerParameters& p, const WorkerSetup& setup)
      : pages_(PagesOf(p.Number("percent"), setup)), touches_(p.Number("touches")) {}

  void Step(WorkerContext& context) override {
    if (mapping_ == nullptr && !Prepare(context)) return;
    for (std::uint32_t i = 0; i < touches_; ++i) {
      const std::uint32_t page = next_ % mapping_->pages();
      ++next_;
      Touch(context, *space_, *mapping_, page, Access::kLoad);
      Touch(context, *space_, *mapping_, page, Access::kStore);
    }
  }

 private:
  static std::uint32_t PagesOf(std::uint32_t percent, const WorkerSetup& setup) {
    const std::uint64_t all = std::uint64_t{setup.pages} * percent / 100;
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, all / setup.threads));
  }

  // Less than wanted when the machine has not promised so much.
  bool Prepare(WorkerContext& context) {
    if (space_ == nullptr) space_ = context.world.CreatePrivate();
    if (space_ == nullptr) return false;
    for (std::uint32_t pages = pages_; pages > 0 && mapping_ == nullptr; pages /= 2)
      mapping_ =
          MapNew(context, *space_, pages, vm::Protection::kReadWrite, vm::Inheritance::kCopy);
    return mapping_ != nullptr;
  }

  const std::uint32_t pages_;
  const std::uint32_t touches_;
  std::uint32_t next_ = 0;
  SpaceUse space_;
  MappingUse mapping_;
};

}  // namespace

std::unique_ptr<Worker> MakePageoutWorker(const WorkerParameters& p, const WorkerSetup& setup) {
  return std::make_unique<PageoutWorker>(p, setup);
}

}  // namespace stress
