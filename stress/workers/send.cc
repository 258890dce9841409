// send: lends pages of a mapping to a sender, and writes to them before they are sent.
#include <algorithm>
#include <vector>

#include "stress/workers/worker.h"

namespace stress {
namespace {

class SendWorker : public Worker {
 public:
  SendWorker(const WorkerParameters& p, const WorkerSetup& setup)
      : max_pages_(std::clamp(setup.pages / 16, 1u, p.Number("max_pages"))),
        touches_(p.Number("touches")) {}

  void Step(WorkerContext& context) override {
    SpaceUse space = PickSpace(context);
    if (!space) return;
    const auto mapping = SomeMapping(context, *space);
    if (mapping == nullptr) return;
    const std::uint32_t count = 1 + context.random.Below(std::min(max_pages_, mapping->pages()));
    const std::uint32_t first = context.random.Below(mapping->pages() - count + 1);
    std::vector<SentPage> sent;
    for (std::uint32_t page = first; page < first + count; ++page)
      if (auto lent = SendPage(context, *space, *mapping, page)) sent.push_back(std::move(*lent));
    for (std::uint32_t i = 0; i < touches_; ++i)
      Touch(context, *space, *mapping, first + context.random.Below(count),
            context.random.Percent(70) ? Access::kStore : Access::kLoad);
    for (const SentPage& page : sent) EndSending(context, page);
  }

 private:
  const std::uint32_t max_pages_;
  const std::uint32_t touches_;
};

}  // namespace

std::unique_ptr<Worker> MakeSendWorker(const WorkerParameters& p, const WorkerSetup& setup) {
  return std::make_unique<SendWorker>(p, setup);
}

}  // namespace stress
