#include "vm/inspect.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "vm/chain_cursor.h"
#include "vm/check_view.h"

namespace vm {
namespace {

const char* TypeName(ObjectType type) {
  switch (type) {
    case ObjectType::kDefault:
      return "default";
    case ObjectType::kSwap:
      return "swap";
    case ObjectType::kVnode:
      return "vnode";
    case ObjectType::kDevice:
      return "device";
    case ObjectType::kPhys:
      return "phys";
    case ObjectType::kDead:
      break;
  }
  return "dead";
}

const char* QueueName(PageQueue queue) {
  switch (queue) {
    case PageQueue::kActive:
      return "active";
    case PageQueue::kInactive:
      return "inactive";
    case PageQueue::kCache:
      return "cache";
    case PageQueue::kFree:
    case PageQueue::kFreeBatch:
    case PageQueue::kReserved:
      return "free";
    case PageQueue::kHold:
      return "hold";
    case PageQueue::kNone:
      break;
  }
  return "none";
}

const char* ProtectionName(Protection protection) {
  switch (protection) {
    case Protection::kReadWrite:
      return "rw";
    case Protection::kRead:
      return "r";
    case Protection::kWrite:
      return "w";
    case Protection::kNone:
      break;
  }
  return "none";
}

void AddToRuns(Pindex pindex, std::uint64_t place, std::vector<RunState>* runs, Pindex* left_out) {
  if (!runs->empty()) {
    RunState& last = runs->back();
    if (pindex == last.first + last.count && place == last.place + last.count) {
      ++last.count;
      return;
    }
  }
  if (runs->size() < ObjectState::kRunStates)
    runs->push_back({pindex, 1, place});
  else
    ++*left_out;
}

// Names of those that are set.
std::vector<std::string> Flags(std::initializer_list<std::pair<bool, const char*>> flags) {
  std::vector<std::string> names;
  for (const auto& [set, name] : flags)
    if (set) names.emplace_back(name);
  return names;
}

ObjectState StateOf(const ObjectView& view) {
  ObjectState state;
  state.id = view.id;
  state.type = TypeName(view.type);
  state.size = view.size;
  state.resident = view.resident_page_count;
  state.references = view.ref_count;
  state.shadows = view.shadow_count;
  state.paging_in_progress = view.paging_in_progress;
  state.charged = view.credential != nullptr;
  state.charge = view.charge;
  state.flags = Flags({{view.dead, "dead"},
                       {view.paging_wanted, "paging wanted"},
                       {view.one_mapping, "one mapping"},
                       {view.might_be_dirty, "might be dirty"}});
  if (view.backing != nullptr) {
    state.backing = view.backing->id;
    state.backing_offset = view.backing_offset;
  }
  for (const auto& [pindex, page] : view.pages)
    AddToRuns(pindex, page->frame, &state.pages, &state.pages_left_out);
  for (const auto& [pindex, slot] : view.slots)
    AddToRuns(pindex, slot, &state.slots, &state.slots_left_out);
  return state;
}

ReservationState StateOf(const RunView& run) {
  const auto before = static_cast<std::uint32_t>(std::max<std::int64_t>(0, -run.first));
  return {.object = run.object->id,
          .first = static_cast<Pindex>(run.first + before),
          .count = run.pages - before,
          .place = run.frame + before,
          .used = run.pages - run.available};
}

void AddReservation(const RunView& run, std::vector<ReservationState>* reservations,
                    std::uint32_t* left_out) {
  if (reservations->size() < ObjectState::kRunStates)
    reservations->push_back(StateOf(run));
  else
    ++*left_out;
}

PageState StateOf(const Page& page, PageQueue list) {
  PageState state;
  state.frame = page.frame;
  state.identity = PageIdentityName(page.identity);
  state.queue = QueueName(list);
  if (const Object* object = page.object; object != nullptr) {
    state.object = object->id;
    state.pindex = page.pindex;
  }
  state.valid = page.valid;
  state.dirty = page.dirty.Peek();
  state.busy = page.exclusively_busy() ? "exclusive" : page.shared_busy != 0 ? "shared" : "no";
  state.wirings = page.wire_count;
  state.holds = page.hold_count;
  state.loans = page.cow;
  state.act_count = page.act_count;
  state.flags = Flags({{page.wanted, "wanted"},
                       {page.zeroed, "zeroed"},
                       {page.unmanaged, "unmanaged"},
                       {page.nosync, "nosync"},
                       {page.winatcfls, "passed over"},
                       {page.referenced.Peek(), "referenced"},
                       {page.writeable.Peek(), "writeable"}});
  return state;
}

SpaceState StateOf(const SpaceView& view) {
  SpaceState state{view.id, view.resident_count, view.wired_count, {}};
  for (const MapEntry& entry : view.entries)
    state.entries.push_back({.start = entry.start,
                             .end = entry.end,
                             .object = entry.object == nullptr ? 0 : entry.object->id,
                             .offset = entry.offset,
                             .protection = ProtectionName(entry.protection),
                             .wirings = entry.wired_count,
                             .needs_copy = entry.needs_copy});
  return state;
}

QueuesState QueuesOf(const MachineView& view) {
  QueuesState state;
  state.free_by_color.resize(kColors);
  state.cache_by_color.resize(kColors);
  for (const Page& page : view.pages) {
    const PageQueue list = view.list_of[page.frame];
    if (list == PageQueue::kFree) ++state.free_by_color[ColorOf(page.frame)];
    if (list == PageQueue::kCache) ++state.cache_by_color[ColorOf(page.frame)];
  }
  const FreeQueue& free_queue = view.system.free_queue();
  state.zeroed = free_queue.zeroed_count();
  state.kept = free_queue.kept_count();
  state.held = free_queue.held_count();
  state.thresholds = free_queue.thresholds();
  const PageQueues& queues = view.system.queues();
  state.inactive = queues.inactive_count();
  state.active = queues.active_count();
  state.wired = queues.wired_count();
  return state;
}

using MappingsByFrame = std::map<Frame, std::vector<MappingState>>;

MappingsByFrame MappingsOf(const MachineView& view) {
  MappingsByFrame mappings;
  for (const SpaceView& space : view.spaces)
    for (const MappingView& mapping : space.mappings)
      mappings[mapping.frame].push_back(
          {space.id, mapping.va, mapping.writable, mapping.modified, mapping.wired});
  return mappings;
}

// The objects are there already.
void AddReservations(const MachineView& view, MachineState* state) {
  for (const RunView& run : view.runs) {
    if (run.object == nullptr) continue;
    const auto owner =
        std::ranges::lower_bound(state->objects, run.object->id, {}, &ObjectState::id);
    if (owner != state->objects.end() && owner->id == run.object->id)
      AddReservation(run, &owner->reservations, &owner->reservations_left_out);
  }
  for (const std::size_t number : view.partial)
    AddReservation(view.runs[number], &state->partial, &state->partial_left_out);
}

bool InUse(const Page& page, PageQueue list) {
  return !IsFree(list) && page.identity != PageIdentity::kAbsent;
}

}  // namespace

std::uint32_t QueuesState::free() const {
  return std::accumulate(free_by_color.begin(), free_by_color.end(), kept);
}

std::uint32_t QueuesState::cache() const {
  return std::accumulate(cache_by_color.begin(), cache_by_color.end(), 0u);
}

const ObjectState* MachineState::FindObject(std::uint32_t id) const {
  const auto found = std::find_if(objects.begin(), objects.end(),
                                  [&](const ObjectState& object) { return object.id == id; });
  return found == objects.end() ? nullptr : &*found;
}

const PageState* MachineState::FindPage(Frame frame) const {
  const auto found = std::find_if(pages.begin(), pages.end(),
                                  [&](const PageState& page) { return page.frame == frame; });
  return found == pages.end() ? nullptr : &*found;
}

ObjectState InspectObject(Object& object) {
  ObjectGuard guard(object.lock);
  return StateOf(ViewObject(object));
}

std::vector<ObjectState> InspectChain(Object& front) LOCKING_NO_ANALYSIS {
  std::vector<ObjectState> chain;
  ObjectGuard guard(front.lock);
  ChainCursor cursor(front, 0);
  do {
    chain.push_back(StateOf(ViewObject(cursor.object())));
  } while (cursor.Next());
  return chain;
}

std::vector<ObjectState> ChainOf(const MachineState& machine, std::uint32_t front) {
  std::vector<ObjectState> chain;
  std::set<std::uint32_t> seen;  // a broken chain may be a circle
  for (const ObjectState* object = machine.FindObject(front);
       object != nullptr && seen.insert(object->id).second;
       object = machine.FindObject(object->backing))
    chain.push_back(*object);
  return chain;
}

MachineState InspectMachine(System& system) {
  const MachineView view = ViewMachine(system);
  MachineState state;
  state.pages_in_all = system.config().pages;
  state.frames = static_cast<std::uint32_t>(view.pages.size());
  state.page_size = system.config().page_size;
  state.queues = QueuesOf(view);
  for (const ObjectView& object : view.objects)
    if (object.type != ObjectType::kDead || object.ref_count != 0 || !object.pages.empty())
      state.objects.push_back(StateOf(object));
  AddReservations(view, &state);
  for (const SpaceView& space : view.spaces) state.spaces.push_back(StateOf(space));
  MappingsByFrame mappings = MappingsOf(view);
  for (const Page& page : view.pages) {
    const PageQueue list = view.list_of[page.frame];
    if (!InUse(page, list)) continue;
    if (state.pages.size() == MachineState::kPageStates) {
      ++state.pages_left_out;
      continue;
    }
    state.pages.push_back(StateOf(page, list));
    state.pages.back().mappings = std::move(mappings[page.frame]);
  }
  return state;
}

std::vector<std::string> CheckObjects(const MachineState& machine) {
  std::set<std::uint32_t> in_maps;
  for (const SpaceState& space : machine.spaces)
    for (const EntryState& entry : space.entries)
      for (const ObjectState* object = machine.FindObject(entry.object);
           object != nullptr && in_maps.insert(object->id).second;
           object = machine.FindObject(object->backing)) {
      }
  std::vector<std::string> lines;
  for (const ObjectState& object : machine.objects) {
    if (!object.internal()) continue;
    if (object.references == 0)
      lines.push_back("object #" + std::to_string(object.id) + " has no reference");
    if (!in_maps.contains(object.id))
      lines.push_back("object #" + std::to_string(object.id) + " is in no map");
  }
  return lines;
}

}  // namespace vm
