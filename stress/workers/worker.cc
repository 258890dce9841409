#include "stress/workers/worker.h"

#include <algorithm>

#include "stress/config/error.h"

namespace stress {
namespace {

using Factory = std::unique_ptr<Worker> (*)(const WorkerParameters&, const WorkerSetup&);
struct Maker {
  const char* kind;
  Factory make;
};
constexpr Maker kMakers[] = {{"advise", MakeAdviseWorker},
                             {"collapse", MakeCollapseWorker},
                             {"contiguous", MakeContiguousWorker},
                             {"device", MakeDeviceWorker},
                             {"fault", MakeFaultWorker},
                             {"file", MakeFileWorker},
                             {"inspect", MakeInspectWorker},
                             {"map", MakeMapWorker},
                             {"pageout", MakePageoutWorker},
                             {"send", MakeSendWorker},
                             {"wire", MakeWireWorker}};

const WorkerKindInfo& KindNamed(const std::string& name) {
  for (const WorkerKindInfo& kind : WorkerKinds())
    if (name == kind.name) return kind;
  FailUsage("unknown worker kind " + name);
}

constexpr std::uint32_t kFirstMappingPages = 32;

}  // namespace

WorkerParameters::WorkerParameters(const WorkerSpec& spec)
    : spec_(spec), kind_(KindNamed(spec.kind)) {}

Value WorkerParameters::Get(std::string_view key) const {
  if (const auto given = spec_.parameters.find(key); given != spec_.parameters.end())
    return given->second;
  for (const Setting& parameter : kind_.parameters)
    if (key == parameter.key) return ParseValue(parameter, parameter.fallback, parameter.key);
  FailUsage("the worker " + spec_.kind + " has no parameter " + std::string(key));
}

std::uint32_t WorkerParameters::Number(std::string_view key) const {
  return static_cast<std::uint32_t>(Get(key).number);
}

std::string WorkerParameters::Text(std::string_view key) const { return Get(key).text; }

std::unique_ptr<Worker> MakeWorker(const WorkerSpec& spec, const WorkerSetup& setup) {
  for (const Maker& maker : kMakers)
    if (spec.kind == maker.kind) return maker.make(WorkerParameters(spec), setup);
  FailUsage("unknown worker kind " + spec.kind);
}

MappingUse SomeMapping(WorkerContext& context, SpaceState& state) {
  if (auto mapping = PickMapping(context, state)) return mapping;
  const std::uint32_t pages =
      std::clamp(context.world.system().config().pages / 16, 2u, kFirstMappingPages);
  return MapNew(context, state, pages, vm::Protection::kReadWrite, vm::Inheritance::kCopy);
}

}  // namespace stress
