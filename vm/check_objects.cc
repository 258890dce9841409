// Sweeps over objects, their chains and their swap copies.
#include <algorithm>
#include <map>

#include "vm/check_view.h"

namespace vm {
namespace {

bool Live(const ObjectView& object) { return object.type != ObjectType::kDead || object.revoked; }

// INV-03
void PagesAreWhereTheySay(const MachineView& view, Findings& findings) {
  for (const ObjectView& object : view.objects) {
    for (const auto& [pindex, page] : object.pages)
      if (page->object != object.object || page->pindex != pindex)
        findings.Add(Describe(object) + " has " + Describe(*page) + " at " +
                     std::to_string(pindex));
  }
  for (const Page& page : view.pages) {
    const Object* object = page.object;
    if (object == nullptr) continue;
    if (view.Of(object).PageAt(page.pindex) != &page)
      findings.Add(Describe(page) + " is not in the index of its object");
  }
}

// INV-05
void ResidentCountsAgree(const MachineView& view, Findings& findings) {
  for (const ObjectView& object : view.objects)
    if (object.pages.size() != object.resident_page_count)
      findings.Add(Describe(object) + " has " + std::to_string(object.pages.size()) +
                   " pages, counted " + std::to_string(object.resident_page_count));
}

// INV-06
void PagesLieWithinTheirObject(const MachineView& view, Findings& findings) {
  for (const ObjectView& object : view.objects) {
    for (const auto& [pindex, page] : object.pages)
      // What a truncation found wired stays where it is, until it is unwired and reclaimed.
      if (pindex >= object.size && !(object.of_file && page->valid == 0))
        findings.Add(Describe(*page) + " lies beyond the end of its object");
  }
}

// INV-32
void ReferencesAreCounted(const MachineView& view, Findings& findings) {
  std::vector<std::uint32_t> references(view.objects.size());
  for (const SpaceView& space : view.spaces) {
    for (const MapEntry& entry : space.entries)
      if (entry.object != nullptr) ++references[entry.object->id - 1];
  }
  for (const ObjectView& object : view.objects)
    if (object.backing != nullptr) ++references[object.backing->id - 1];
  for (const ObjectView& object : view.objects) {
    const std::uint32_t found = references[object.id - 1];
    // Whoever made a device or physical object may refer to it still.
    const bool made = object.type == ObjectType::kDevice || object.type == ObjectType::kPhys;
    if ((Live(object) || found != 0) && object.ref_count != found &&
        !(made && object.ref_count == found + 1))
      findings.Add(Describe(object) + ": " + std::to_string(found) +
                   " references from entries and shadows, counted " +
                   std::to_string(object.ref_count));
    const bool open = object.of_file && !object.revoked;  // its vnode keeps it
    if (Live(object) && !open && object.ref_count == 0 && found == 0)
      findings.Add(Describe(object) + " is in no map, and has not ended");
  }
}

// INV-33
void ShadowListsAgree(const MachineView& view, Findings& findings) {
  for (const ObjectView& object : view.objects) {
    if (object.shadows.size() != object.shadow_count)
      findings.Add(Describe(object) + ": " + std::to_string(object.shadows.size()) +
                   " shadows, counted " + std::to_string(object.shadow_count));
    for (const Object* shadow : object.shadows)
      if (view.Of(shadow).backing != object.object)
        findings.Add(Describe(view.Of(shadow)) + " is on the shadow list of " + Describe(object) +
                     ", which does not back it");
    if (object.shadows.size() > object.ref_count)
      findings.Add(Describe(object) + " has more shadows than references");
  }
  for (const ObjectView& object : view.objects) {
    if (object.backing == nullptr) continue;
    const auto& shadows = view.Of(object.backing).shadows;
    if (std::count(shadows.begin(), shadows.end(), object.object) != 1)
      findings.Add(Describe(object) + " is not on the shadow list of its backer");
  }
}

// INV-34
void ChainsEndAndFit(const MachineView& view, Findings& findings) {
  for (const ObjectView& object : view.objects) {
    if (object.backing == nullptr) continue;
    const ObjectView& backer = view.Of(object.backing);
    const Pindex room = backer.size;
    // A file may be truncated under its mappings.
    if (!backer.of_file &&
        (object.backing_offset > room || object.size > room - object.backing_offset))
      findings.Add(Describe(object) + " reaches beyond the end of its backer");
    std::size_t steps = 0;
    for (const Object* at = object.object; at != nullptr && steps <= view.objects.size(); ++steps)
      at = view.Of(at).backing;
    if (steps > view.objects.size()) findings.Add(Describe(object) + " is in a cycle of backers");
  }
}

// Objects in a row that only the one before refers to. A fork and a copy merge them; some stand
// where nobody has done either since the last process that shared them found its own way.
constexpr std::size_t kMostUnshared = 64;

// INV-39
void ChainsAreShort(const MachineView& view, Findings& findings) {
  for (const ObjectView& object : view.objects) {
    std::size_t unshared = 0;
    for (const Object* at = object.backing; at != nullptr && unshared <= kMostUnshared;) {
      const ObjectView& backer = view.Of(at);
      if (backer.ref_count != 1 || !backer.anonymous()) break;
      ++unshared;
      at = backer.backing;
    }
    if (unshared > kMostUnshared)
      findings.Add(Describe(object) + " has more than " + std::to_string(kMostUnshared) +
                   " backers behind it that nobody else uses");
  }
}

// INV-36
void DeadObjectsAreEmpty(const MachineView& view, Findings& findings) {
  for (const ObjectView& object : view.objects) {
    if (Live(object)) continue;
    if (object.ref_count != 0 || !object.pages.empty() || !object.shadows.empty() ||
        object.backing != nullptr || !object.slots.empty())
      findings.Add(Describe(object) + " is dead and has references, pages, shadows or a backer");
  }
}

// INV-37
void NoPagingIsInProgress(const MachineView& view, Findings& findings) {
  for (const ObjectView& object : view.objects)
    if (object.paging_in_progress != 0 || object.paging_wanted)
      findings.Add(Describe(object) + ": paging in progress " +
                   std::to_string(object.paging_in_progress) +
                   (object.paging_wanted ? ", and somebody waits for its end" : ""));
}

// INV-51
void SwapSlotsHaveOneOwner(const MachineView& view, Findings& findings) {
  SwapPager& swap = view.system.swap();
  std::vector<bool> owned(swap.slots());
  std::uint32_t population = 0;
  for (const ObjectView& object : view.objects) {
    for (const auto& [pindex, slot] : object.slots) {
      ++population;
      const bool possible = slot < owned.size();
      if (!possible)
        findings.Add(Describe(object) + " at " + std::to_string(pindex) +
                     " has a slot that there is not");
      if (!possible) continue;
      if (owned[slot]) findings.Add("swap slot " + std::to_string(slot) + " has two owners");
      owned[slot] = true;
    }
  }
  const std::uint32_t bits = swap.CountBits();
  if (population != bits || bits != swap.used())
    findings.Add("swap: " + std::to_string(population) + " slots have owners, " +
                 std::to_string(bits) + " are marked as used, counted " +
                 std::to_string(swap.used()));
}

// INV-51
void ChargesAddUp(const MachineView& view, Findings& findings) {
  std::map<const Credential*, Pindex> charges;
  for (const ObjectView& object : view.objects)
    if (object.credential != nullptr) charges[object.credential] += object.charge;
  for (const SpaceView& space : view.spaces) {
    for (const MapEntry& entry : space.entries)
      if (entry.credential != nullptr)
        charges[entry.credential] += view.system.BytesToPages(entry.end - entry.start);
  }
  Pindex sum = 0;
  for (const auto& [credential, charge] : charges) {
    sum += charge;
    if (charge != credential->charged())
      findings.Add("a credential is charged for " + std::to_string(credential->charged()) +
                   " pages, its objects and entries for " + std::to_string(charge));
  }
  const Pindex reserved = view.system.charges().reserved();
  if (sum != reserved)
    findings.Add(std::to_string(reserved) + " pages of swap are reserved, and " +
                 std::to_string(sum) + " charged");
}

// INV-51
void SwapIsAccountedFor(const MachineView& view, Findings& findings) {
  SwapSlotsHaveOneOwner(view, findings);
  ChargesAddUp(view, findings);
}

constexpr InvariantCheck kChecks[] = {
    {"INV-03", "a page is found where it says it is", PagesAreWhereTheySay},
    {"INV-05", "an object's index and its resident count agree", ResidentCountsAgree},
    {"INV-06", "a page lies within its object", PagesLieWithinTheirObject},
    {"INV-32", "references = map entries + shadows", ReferencesAreCounted},
    {"INV-33", "the shadow count is the length of the shadow list", ShadowListsAgree},
    {"INV-34", "backers form no cycle, and are large enough", ChainsEndAndFit},
    {"INV-36", "a dead object has nothing and nobody has it", DeadObjectsAreEmpty},
    {"INV-37", "no paging is in progress", NoPagingIsInProgress},
    {"INV-39", "chains of objects that nobody shares are short", ChainsAreShort},
    {"INV-51", "a used swap slot has exactly one owner; reserved = sum of charges",
     SwapIsAccountedFor},
};

}  // namespace

std::span<const InvariantCheck> ObjectChecks() { return kChecks; }

}  // namespace vm
