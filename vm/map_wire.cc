// Wiring and unwiring of ranges: see space.h.
//
// Pages are wired one by one with no map lock held, so the entries are marked in transition: nobody
// else clips, removes or wires them meanwhile (INV-58), and the marks are cleared by the thread
// that set them.
#include <algorithm>
#include <utility>

#include "locking/thread_state.h"
#include "vm/fault.h"
#include "vm/lock_classes.h"
#include "vm/map_ranges.h"
#include "vm/page_alloc.h"
#include "vm/require.h"
#include "vm/system.h"

namespace vm {

void WaitForTransitions(System& system, Map& map, Address start, Address end) {
  for (auto entry = map.FirstEndingAfter(start);
       entry != map.entries.end() && entry->second.start < end;) {
    if (!entry->second.in_transition) {
      ++entry;
      continue;
    }
    entry->second.needs_wakeup = true;
    system.sleep_queue()
        .SleepKeep(&map.entries, map.lock,
                   {.resource_class = &kMapEntryInTransition,
                    .instance = map.lock.instance(),
                    .message = "vmmapw"})
        .AndRetry();
    entry = map.FirstEndingAfter(start);
  }
}

void UnwirePages(System& system, Pmap& pmap, const MapEntry& entry, Address start, Address end) {
  const Address page_size = system.config().page_size;
  for (Address va = start; va < end; va += page_size) {
    ObjectGuard guard(entry.object->lock);
    const Pindex pindex = entry.offset + system.BytesToPages(va - entry.start);
    Page* page = LookupPage(*entry.object, pindex);
    Require(page != nullptr, "INV-31", "a wired page left its object");
    pmap.SetWired(va, false);
    PageRoleGuard page_guard(system.queues().PageLock(*page));
    system.queues().Unwire(*page, PageQueues::Then::kActivate);
  }
}

namespace {

bool RangeAllows(Map& map, Address start, Address end, Protection protection)
    LOCKING_REQUIRES(map.lock) {
  for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
       ++it)
    if (!Allows(it->second.protection, protection)) return false;
  return true;
}

// Marks the entries of the range and counts the wiring. Every page of the new ones is to be wired.
void BeginWiring(Map& map, Address start, Address end, std::vector<MapRange>* unwired)
    LOCKING_REQUIRES(map.lock) {
  for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
       ++it) {
    MapEntry& entry = it->second;
    entry.in_transition = true;
    entry.transition_thread = locking::Self().id;
    if (entry.wired_count++ == 0) unwired->push_back({entry.start, entry.end});
  }
  locking::HoldResource(&map.entries, kMapEntryInTransition, map.lock.instance(),
                        locking::LockMode::kShared);
}

void EndWiring(System& system, Map& map, Address start, Address end) LOCKING_REQUIRES(map.lock) {
  bool wake = false;
  locking::DropResource(&map.entries);
  for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
       ++it) {
    MapEntry& entry = it->second;
    Require(entry.in_transition && entry.transition_thread == locking::Self().id, "INV-58",
            "a transition is ended by another thread than began it");
    entry.in_transition = false;
    wake |= std::exchange(entry.needs_wakeup, false);
  }
  if (wake) system.sleep_queue().WakeAll(&map.entries);
}

// Takes the wiring back after a failure at `failed`, an address of one of `ranges`.
void UndoWiring(System& system, Map& map, Pmap& pmap, const std::vector<MapRange>& ranges,
                Address start, Address end, Address failed) LOCKING_REQUIRES(map.lock) {
  for (const MapRange& range : ranges) {
    const Address wired_end = std::min(range.end, failed);
    if (range.start < wired_end)
      UnwirePages(system, pmap, *map.Lookup(range.start), range.start, wired_end);
  }
  for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
       ++it)
    --it->second.wired_count;
}

}  // namespace

Result WireRange(System& system, Map& map, Pmap& pmap, Address start, Address end) {
  std::vector<MapRange> ranges;
  {
    locking::WriteGuard guard(map.lock);
    WaitForTransitions(system, map, start, end);
    if (!map.CoversRange(start, end)) return Result::kInvalidAddress;
    if (!RangeAllows(map, start, end, Protection::kRead)) return Result::kProtectionFailure;
    map.ClipAt(start, system.config().page_size);
    map.ClipAt(end, system.config().page_size);
    BeginWiring(map, start, end, &ranges);
  }
  Result result = Result::kOk;
  Address va = start;
  for (const MapRange& range : ranges) {
    for (va = range.start; va < range.end && result == Result::kOk; va += system.config().page_size)
      result = ResolveFault(system, map, pmap, va, Protection::kRead, FaultKind::kWire);
    if (result != Result::kOk) break;
  }
  locking::WriteGuard guard(map.lock);
  // The loop has stepped past the page that failed.
  if (result != Result::kOk)
    UndoWiring(system, map, pmap, ranges, start, end, va - system.config().page_size);
  EndWiring(system, map, start, end);
  return result;
}

Result UnwireRange(System& system, Map& map, Pmap& pmap, Address start, Address end) {
  locking::WriteGuard guard(map.lock);
  WaitForTransitions(system, map, start, end);
  if (!map.CoversRange(start, end)) return Result::kInvalidAddress;
  for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
       ++it)
    if (it->second.wired_count == 0) return Result::kInvalidArgument;
  map.ClipAt(start, system.config().page_size);
  map.ClipAt(end, system.config().page_size);
  for (auto it = map.FirstEndingAfter(start); it != map.entries.end() && it->second.start < end;
       ++it) {
    MapEntry& entry = it->second;
    if (--entry.wired_count == 0) UnwirePages(system, pmap, entry, entry.start, entry.end);
  }
  return Result::kOk;
}

}  // namespace vm
