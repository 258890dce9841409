// Sweeps over address maps, page tables, PV lists and translation caches, and over what maps wired.
#include <algorithm>

#include "vm/check_view.h"

namespace vm {
namespace {

const SpaceView* SpaceOf(const MachineView& view, std::uint32_t pmap) {
  const auto found = std::find_if(view.spaces.begin(), view.spaces.end(),
                                  [&](const SpaceView& space) { return space.pmap == pmap; });
  return found == view.spaces.end() ? nullptr : &*found;
}

Pindex IndexInObject(const MachineView& view, const MapEntry& entry, Address va) {
  return entry.offset + view.system.BytesToPages(va - entry.start);
}

// What the entry's chain of objects shows at `va`; nullptr: zeroes, or a copy in swap.
const Page* VisiblePage(const MachineView& view, const MapEntry& entry, Address va) {
  Pindex index = IndexInObject(view, entry, va);
  const Object* at = entry.object;
  for (std::size_t steps = 0; at != nullptr && steps <= view.objects.size(); ++steps) {
    const ObjectView& object = view.Of(at);
    if (const Page* page = object.PageAt(index); page != nullptr) return page;
    if (object.HasSlot(index)) return nullptr;
    index += object.backing_offset;
    at = object.backing;
  }
  return nullptr;
}

// How often maps wired each page, by frame; a page that a wired entry lacks is reported.
std::vector<std::uint32_t> CountWirings(const MachineView& view, Findings* findings) {
  std::vector<std::uint32_t> wirings(view.pages.size());
  for (const SpaceView& space : view.spaces) {
    for (const MapEntry& entry : space.entries) {
      if (entry.wired_count == 0) continue;
      for (Address va = entry.start; va < entry.end; va += view.system.config().page_size) {
        const Page* page = entry.object == nullptr
                               ? nullptr
                               : view.Of(entry.object).PageAt(IndexInObject(view, entry, va));
        if (page != nullptr && page->fictitious()) continue;  // its wire count never changes
        if (page != nullptr)
          ++wirings[page->frame];
        else if (findings != nullptr)
          findings->Add(Describe(space, entry) + " is wired and lacks the page at " +
                        std::to_string(va));
      }
    }
  }
  return wirings;
}

// INV-29: wirings of page tables, of wired entries, and of senders that have the page on loan.
void WiringsAreCounted(const MachineView& view, Findings& findings) {
  std::vector<std::uint32_t> wirings = CountWirings(view, &findings);
  for (const SpaceView& space : view.spaces)
    for (const Frame table : space.tables) ++wirings[table];
  for (const Page& page : view.pages) {
    // What no map wired and is wired all the same is INV-31's.
    const std::uint32_t found = wirings[page.frame] + page.cow;
    if (found == 0 && page.identity != PageIdentity::kNoObject) continue;
    if (page.wire_count != found)
      findings.Add(Describe(page) + ": " + std::to_string(found) + " wirings, counted " +
                   std::to_string(page.wire_count));
  }
}

// INV-31
void NothingIsLeftWired(const MachineView& view, Findings& findings) {
  const std::vector<std::uint32_t> wirings = CountWirings(view, nullptr);
  for (const Page& page : view.pages)
    if ((page.identity == PageIdentity::kObject || page.identity == PageIdentity::kDetached) &&
        page.wire_count != 0 && wirings[page.frame] == 0 && page.cow == 0)
      findings.Add(Describe(page) + " is left wired by no entry");
}

// INV-41
void PvListsMatchPageTables(const MachineView& view, Findings& findings) {
  std::vector<MappingView> mapped;
  for (const SpaceView& space : view.spaces)
    std::copy_if(space.mappings.begin(), space.mappings.end(), std::back_inserter(mapped),
                 [](const MappingView& mapping) { return mapping.managed; });
  std::sort(mapped.begin(), mapped.end());
  std::vector<MappingView> only_one;
  std::set_difference(mapped.begin(), mapped.end(), view.pv_lists.begin(), view.pv_lists.end(),
                      std::back_inserter(only_one));
  for (const MappingView& mapping : only_one)
    findings.Add(Describe(mapping) + " is not on the PV list of its page");
  only_one.clear();
  std::set_difference(view.pv_lists.begin(), view.pv_lists.end(), mapped.begin(), mapped.end(),
                      std::back_inserter(only_one));
  for (const MappingView& mapping : only_one)
    findings.Add(Describe(mapping) + " is on a PV list, and not in the page table");
}

// INV-42: shootdowns were complete.
void CachedTranslationsAgree(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages)
    if (IsFree(page.queue) && page.pv_first != nullptr)
      findings.Add(Describe(page) + " is free and mapped");
  for (const TranslationView& cached : view.translations) {
    const SpaceView* space = SpaceOf(view, cached.pmap_id);
    const MappingView* mapping = space == nullptr ? nullptr : space->MappingAt(cached.va);
    const bool agrees = mapping != nullptr && mapping->valid && mapping->frame == cached.frame &&
                        (mapping->writable || !cached.writable);
    if (!agrees)
      findings.Add("cpu #" + std::to_string(cached.cpu) + " still translates " +
                   std::to_string(cached.va) + " of pmap #" + std::to_string(cached.pmap_id) +
                   " to frame " + std::to_string(cached.frame));
  }
}

// Whether some object that shadows `object` looks through to this page of it: one that covers a
// part of it says nothing about the rest.
bool IsShadowed(const MachineView& view, const ObjectView& object, Pindex pindex) {
  return std::any_of(object.shadows.begin(), object.shadows.end(), [&](const Object* shadow) {
    const ObjectView& above = view.Of(shadow);
    return pindex >= above.backing_offset && pindex - above.backing_offset < above.size;
  });
}

// Why the mapping may not be writable, or nullptr.
const char* ForbidsWriting(const MachineView& view, const MappingView& mapping,
                           const MapEntry* entry) {
  if (entry == nullptr) return "no entry is there";
  if (!Allows(entry->protection, Protection::kWrite)) return "its entry does not allow it";
  if (entry->needs_copy) return "its entry is to be copied first";
  if (entry->object == nullptr) return "its entry has no object";
  const ObjectView& object = view.Of(entry->object);
  const Page* page = object.PageAt(IndexInObject(view, *entry, mapping.va));
  if (page == nullptr || page->frame != mapping.frame) return "the page belongs to a backer";
  if (page->cow != 0) return "the page is on loan to a sender";
  // Private mappings of a file see what is stored to it, until they copy.
  if (object.anonymous() && IsShadowed(view, object, page->pindex))
    return "others shadow its object there";
  return nullptr;
}

// INV-43
void WritableMappingsMayBe(const MachineView& view, Findings& findings) {
  for (const SpaceView& space : view.spaces) {
    for (const MappingView& mapping : space.mappings) {
      if (mapping.writable_entry && mapping.managed &&
          !view.system.PageOfFrame(mapping.frame).writeable.Peek())
        findings.Add(Describe(mapping) + " may write: the page is not marked as writeable");
      if (!mapping.writable) continue;
      const char* reason = ForbidsWriting(view, mapping, space.EntryAt(mapping.va));
      if (reason != nullptr) findings.Add(Describe(mapping) + " may write: " + reason);
    }
  }
}

// INV-44
void PmapCountsAgree(const MachineView& view, Findings& findings) {
  for (const SpaceView& space : view.spaces) {
    const auto wired = static_cast<std::size_t>(
        std::count_if(space.mappings.begin(), space.mappings.end(),
                      [](const MappingView& mapping) { return mapping.wired; }));
    if (space.resident_count != space.mappings.size() || space.wired_count != wired)
      findings.Add("pmap #" + std::to_string(space.pmap) + ": " +
                   std::to_string(space.mappings.size()) + " mappings, " + std::to_string(wired) +
                   " wired; counted " + std::to_string(space.resident_count) + ", " +
                   std::to_string(space.wired_count));
  }
}

// INV-47, at rest: no CPU can see another page than the map and its objects show.
void MappingsShowTheirChain(const MachineView& view, Findings& findings) {
  for (const SpaceView& space : view.spaces) {
    for (const MappingView& mapping : space.mappings) {
      const MapEntry* entry = space.EntryAt(mapping.va);
      const Page* visible = entry == nullptr ? nullptr : VisiblePage(view, *entry, mapping.va);
      if (visible != nullptr && visible->frame == mapping.frame &&
          visible->unmanaged != mapping.managed)
        continue;
      findings.Add(Describe(mapping) + " is mapped; its objects show " +
                   (visible == nullptr ? "no resident page" : Describe(*visible)));
    }
  }
}

// INV-56
void EntriesAreInOrder(const MachineView& view, Findings& findings) {
  for (const SpaceView& space : view.spaces) {
    Address last = 0, sum = 0;
    for (const MapEntry& entry : space.entries) {
      if (entry.start < last || entry.end <= entry.start || entry.end > space.limit ||
          ((entry.start | entry.end) & view.system.PageMask()) != 0)
        findings.Add(Describe(space, entry) + " overlaps, is empty, unaligned or out of range");
      last = entry.end;
      sum += entry.end - entry.start;
    }
    if (sum != space.map_size)
      findings.Add("space #" + std::to_string(space.id) + " maps " + std::to_string(sum) +
                   " bytes, counted " + std::to_string(space.map_size));
  }
}

// INV-58, at rest
void NoEntryIsInTransition(const MachineView& view, Findings& findings) {
  for (const SpaceView& space : view.spaces)
    for (const MapEntry& entry : space.entries)
      if (entry.in_transition || entry.needs_wakeup)
        findings.Add(Describe(space, entry) + " is in transition, and nobody wires it");
}

// INV-55
void NothingIsTransferred(const MachineView& view, Findings& findings) {
  const PagerMap& map = view.system.pager_map();
  if (map.mapped() != 0)
    findings.Add(std::to_string(map.mapped()) + " pages stand in the pager map");
  if (map.wanted()) findings.Add("somebody waits for room in the pager map");
}

constexpr InvariantCheck kChecks[] = {
    {"INV-29", "wire counts = wired entries + page tables + loans", WiringsAreCounted},
    {"INV-31", "what no entry wires is not wired", NothingIsLeftWired},
    {"INV-41", "PV lists and page tables match one to one", PvListsMatchPageTables},
    {"INV-42", "no CPU caches a translation that was taken away", CachedTranslationsAgree},
    {"INV-43", "a mapping is writable only where map and objects allow it", WritableMappingsMayBe},
    {"INV-44", "a pmap's counts are those of its entries", PmapCountsAgree},
    {"INV-47", "a mapping shows the page that its chain of objects shows", MappingsShowTheirChain},
    {"INV-55", "nothing stands in the pager map, nobody waits for room", NothingIsTransferred},
    {"INV-56", "map entries are sorted, disjoint and aligned, and add up", EntriesAreInOrder},
    {"INV-58", "no map entry is in transition", NoEntryIsInTransition},
};

}  // namespace

std::span<const InvariantCheck> MapChecks() { return kChecks; }

}  // namespace vm
