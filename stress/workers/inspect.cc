// inspect: looks at objects and what is behind them, as a debugger does, while others use them.
#include "stress/workers/worker.h"

namespace stress {
namespace {

class InspectWorker : public Worker {
 public:
  explicit InspectWorker(const WorkerParameters& p) : chains_(p.Number("chains")) {}

  void Step(WorkerContext& context) override {
    for (std::uint32_t i = 0; i < chains_; ++i) InspectSomeChain(context);
  }

 private:
  const std::uint32_t chains_;
};

}  // namespace

std::unique_ptr<Worker> MakeInspectWorker(const WorkerParameters& p, const WorkerSetup&) {
  return std::make_unique<InspectWorker>(p);
}

}  // namespace stress
