// Worker: one kind of load. A step is a unit of its work, done inside one Operation; scenarios mix
// kinds by weight. To add one: a row in kinds.cc, a class here beside, a line in worker.cc, and a
// scenario that uses it.
//
// Thread safety: an object belongs to one thread.
#ifndef STRESS_WORKERS_WORKER_H_
#define STRESS_WORKERS_WORKER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "stress/config/scenario.h"
#include "stress/workers/kinds.h"
#include "stress/world/operations.h"

namespace stress {

class Worker {
 public:
  virtual ~Worker() = default;
  virtual void Step(WorkerContext& context) = 0;
};

// The parameters of one [[worker]]: those of the scenario, else the kind's defaults.
class WorkerParameters {
 public:
  explicit WorkerParameters(const WorkerSpec& spec);
  std::uint32_t Number(std::string_view key) const;
  std::string Text(std::string_view key) const;

 private:
  Value Get(std::string_view key) const;
  const WorkerSpec& spec_;
  const WorkerKindInfo& kind_;
};

// What a worker may want to know of the run.
struct WorkerSetup {
  std::uint32_t threads;  // that may run this kind
  std::uint32_t pages;    // of the machine
};

std::unique_ptr<Worker> MakeWorker(const WorkerSpec& spec, const WorkerSetup& setup);

// One for each kind, in a file of its own.
std::unique_ptr<Worker> MakeAdviseWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeCollapseWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeContiguousWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeDeviceWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeFaultWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeFileWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeInspectWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeMapWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakePageoutWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeSendWorker(const WorkerParameters& p, const WorkerSetup& setup);
std::unique_ptr<Worker> MakeWireWorker(const WorkerParameters& p, const WorkerSetup& setup);

// Some mapping of the space; maps one when it has none; empty when that is refused.
MappingUse SomeMapping(WorkerContext& context, SpaceState& state);

}  // namespace stress

#endif  // STRESS_WORKERS_WORKER_H_
