// Looking at objects while others use them.
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "stress/world/operations.h"
#include "vm/inspect.h"

namespace stress {
namespace {

vm::Pindex PagesOf(const std::vector<vm::RunState>& runs) {
  return std::accumulate(runs.begin(), runs.end(), vm::Pindex{0},
                         [](vm::Pindex sum, const vm::RunState& run) { return sum + run.count; });
}

// What is wrong with an object that was looked at under its lock.
void CheckObject(const WorkerContext& context, const vm::ObjectState& object) {
  if (PagesOf(object.pages) + object.pages_left_out != object.resident)
    ReportWrong(context, "INV-05", "an object does not have the pages that it counts",
                vm::Text(object));
}

// The same of its place in a chain whose front was locked throughout.
void CheckBacker(const WorkerContext& context, const vm::ObjectState& shadow,
                 const vm::ObjectState& backer) {
  if (shadow.backing != backer.id)
    ReportWrong(context, "INV-34", "a chain changed while it was locked",
                vm::Text(shadow) + "; " + vm::Text(backer));
  if (backer.shadows == 0 || backer.references < backer.shadows)
    ReportWrong(context, "INV-33", "a backer does not know who shadows it",
                vm::Text(shadow) + "; " + vm::Text(backer));
}

}  // namespace

void InspectSomeChain(WorkerContext& context) {
  const std::vector<vm::Object*> objects = context.world.system().AllObjects();
  if (objects.empty()) return;
  vm::Object& front = *objects[context.random.Below(static_cast<std::uint32_t>(objects.size()))];
  context.log.Begin("inspect", 0, front.id, 0);
  const std::vector<vm::ObjectState> chain = vm::InspectChain(front);
  context.log.End(vm::Result::kOk);
  std::set<std::uint32_t> seen;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    CheckObject(context, chain[i]);
    if (i > 0) CheckBacker(context, chain[i - 1], chain[i]);
    if (!seen.insert(chain[i].id).second)
      ReportWrong(context, "INV-34", "a chain is a circle", vm::Text(chain[i]));
  }
}

}  // namespace stress
