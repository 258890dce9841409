#include "bench/in_run.h"

#include <memory>
#include <utility>

#include "locking/statistics.h"
#include "locking/thread_state.h"
#include "locking/witness/lock_order_witness.h"

namespace bench {
namespace {

class LoadInRun final : public Load {
 public:
  LoadInRun(std::unique_ptr<Load> load, std::shared_ptr<locking::LockOrderWitness> witness)
      : witness_(std::move(witness)), load_(std::move(load)) {}

  void Enter() override {
    locking::RunContext run;
    run.statistics = true;
    run.witness = witness_.get();
    former_ = locking::SetRunContext(run);
    load_->Enter();
  }
  void Leave() override {
    load_->Leave();
    locking::SetRunContext(former_);
  }
  void Run() override { load_->Run(); }
  std::uint64_t iterations() const override { return load_->iterations(); }
  bool needs_setup() const override { return load_->needs_setup(); }
  void Prepare() override { load_->Prepare(); }
  void Finish() override { load_->Finish(); }
  std::uint64_t items() const override { return load_->items(); }

 private:
  const std::shared_ptr<locking::LockOrderWitness> witness_;
  const std::unique_ptr<Load> load_;
  locking::RunContext former_;
};

}  // namespace

MakeLoads InRun(MakeLoads make, Watching watching) {
  return [make = std::move(make), watching](std::uint32_t threads) {
    std::shared_ptr<locking::LockOrderWitness> witness;
    if (watching == Watching::kOn) witness = std::make_shared<locking::LockOrderWitness>();
    Loads loads;
    for (std::unique_ptr<Load>& load : make(threads))
      loads.push_back(std::make_unique<LoadInRun>(std::move(load), witness));
    return loads;
  };
}

double LocksOfAnIteration(const MakeLoads& make) {
  const Loads loads = InRun(make, Watching::kOff)(1);
  Load& load = *loads.front();
  load.Enter();
  load.Prepare();
  locking::ResetStatistics();
  load.Run();
  std::uint64_t locks = 0;
  for (const locking::LockStatistics& of_class : locking::CollectStatistics())
    locks += of_class.acquisitions;
  load.Finish();
  load.Leave();
  return static_cast<double>(locks) / static_cast<double>(load.iterations());
}

}  // namespace bench
