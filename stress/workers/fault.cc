// fault: loads and stores of records in some mapping, in one of several patterns.
#include <algorithm>

#include "stress/workers/worker.h"

namespace stress {
namespace {

class FaultWorker : public Worker {
 public:
  explicit FaultWorker(const WorkerParameters& p)
      : pattern_(p.Text("pattern")),
        touches_(p.Number("touches")),
        write_percent_(pattern_ == "read"    ? 0
                       : pattern_ == "write" ? 100
                                             : p.Number("write_percent")),
        hot_pages_(p.Number("hot_pages")) {}

  void Step(WorkerContext& context) override {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    const auto mapping = SomeMapping(context, *space);
    if (mapping == nullptr) return;
    const std::uint32_t start = context.random.Below(mapping->pages());
    for (std::uint32_t i = 0; i < touches_; ++i) {
      const std::uint32_t page = PageOf(context, *mapping, start, i);
      const bool store = context.random.Percent(write_percent_);
      Touch(context, *space, *mapping, page, store ? Access::kStore : Access::kLoad);
    }
  }

 private:
  // Pages between two accesses of the pattern stride: no divisor of usual sizes.
  static constexpr std::uint32_t kStride = 7;

  std::uint32_t PageOf(WorkerContext& context, const Mapping& mapping, std::uint32_t start,
                       std::uint32_t i) const {
    const std::uint32_t pages = mapping.pages();
    if (pattern_ == "hot") return context.random.Below(std::min(pages, hot_pages_));
    if (pattern_ == "stride") return (start + i * kStride) % pages;
    if (pattern_ == "random") return context.random.Below(pages);
    return (start + i) % pages;
  }

  const std::string pattern_;
  const std::uint32_t touches_;
  const std::uint32_t write_percent_;
  const std::uint32_t hot_pages_;
};

}  // namespace

std::unique_ptr<Worker> MakeFaultWorker(const WorkerParameters& p, const WorkerSetup&) {
  return std::make_unique<FaultWorker>(p);
}

}  // namespace stress
