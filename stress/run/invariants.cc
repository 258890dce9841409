#include "stress/run/invariants.h"

namespace stress {
namespace {

void Expect(bool condition, const std::string& title, std::vector<locking::Finding>* findings) {
  if (condition) return;
  locking::Finding finding;
  finding.id = "LEAK";
  finding.title = title;
  findings->push_back(std::move(finding));
}

}  // namespace

std::vector<std::string> CheckedInvariants() { return {}; }

std::vector<locking::Finding> SweepMachine(vm::System&) { return {}; }

// The machine is quiescent: nothing needs its lock.
std::vector<locking::Finding> FindLeaks(vm::System& system) LOCKING_NO_ANALYSIS {
  std::vector<locking::Finding> findings;
  Expect(system.LiveSpaces().empty(), "address spaces are left after all have exited", &findings);
  std::size_t objects = 0;
  for (const vm::Object* object : system.AllObjects())
    if (object->type != vm::ObjectType::kDead) ++objects;
  Expect(objects == 0, "objects are left after all address spaces have exited", &findings);
  const std::uint32_t left = system.config().pages - system.free_queue().free_count();
  Expect(left == 0, "pages are not free after all address spaces have exited", &findings);
  Expect(system.swap().used() == 0, "swap slots are in use after all address spaces have exited",
         &findings);
  return findings;
}

}  // namespace stress
