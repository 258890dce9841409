#include "vm/check.h"

#include <algorithm>
#include <string>

#include "vm/check_view.h"
#include "vm/inspect.h"

namespace vm {
namespace {

std::vector<InvariantCheck> AllChecks() {
  std::vector<InvariantCheck> all;
  for (const auto checks : {PageChecks(), ObjectChecks(), MapChecks(), ReservationChecks()})
    all.insert(all.end(), checks.begin(), checks.end());
  std::sort(all.begin(), all.end(), [](const InvariantCheck& a, const InvariantCheck& b) {
    return std::string_view(a.id) < b.id;
  });
  return all;
}

}  // namespace

std::vector<CheckedInvariant> CheckedInvariants() {
  std::vector<CheckedInvariant> invariants;
  for (const InvariantCheck& check : AllChecks()) invariants.push_back({check.id, check.text});
  return invariants;
}

std::vector<locking::Finding> CheckSystem(System& system) {
  const MachineView view = ViewMachine(system);
  std::vector<locking::Finding> all;
  for (const InvariantCheck& check : AllChecks()) {
    Findings findings(check.id);
    check.check(view, findings);
    findings.MoveTo(&all);
  }
  return all;
}

std::vector<locking::Finding> CheckNoLeaks(System& system) {
  const MachineView view = ViewMachine(system);
  Findings findings("LEAK");
  const auto in_use = [&](std::size_t count, const char* what) {
    if (count != 0) findings.Add(std::to_string(count) + " " + what);
  };
  in_use(view.spaces.size(), "spaces have not exited");
  in_use(static_cast<std::size_t>(std::count_if(view.pages.begin(), view.pages.end(),
                                                [](const Page& page) {
                                                  return page.queue != PageQueue::kFree &&
                                                         page.identity != PageIdentity::kAbsent;
                                                })),
         "pages are not free");
  in_use(static_cast<std::size_t>(std::count_if(
             view.objects.begin(), view.objects.end(),
             [](auto& object) { return object.type != ObjectType::kDead || object.revoked; })),
         "objects have not ended");
  in_use(system.LiveVnodes(), "files are open");
  in_use(system.fictitious_pages().in_use(), "pages of devices are used");
  in_use(system.swap().used(), "swap slots are used");
  in_use(system.charges().reserved(), "pages of swap are charged");
  in_use(system.pv_lists().in_use(), "PV entries are used");
  in_use(system.index_nodes().in_use(), "page-index nodes are used");
  in_use(system.queues().wired_count(), "pages are wired");
  in_use(system.free_queue().held_count(), "pages are held");
  for (Object* object : system.AllObjects())
    if (view.Of(object).type != ObjectType::kDead) findings.Add(Text(InspectObject(*object)));
  std::vector<locking::Finding> all;
  findings.MoveTo(&all);
  return all;
}

}  // namespace vm
