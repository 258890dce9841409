#include "stress/world/operations.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "locking/evidence.h"
#include "locking/finding.h"
#include "stress/world/outcome.h"

namespace stress {

void ReportWrong(const WorkerContext& context, const char* id, const std::string& title,
                 std::string what) {
  locking::Finding finding;
  finding.id = id;
  finding.title = title;
  finding.signature = finding.id + ": " + title;
  finding.threads.push_back(locking::EvidenceOfCaller(std::move(what)));
  finding.log_tail = context.log.Tail();
  locking::ReportFinding(std::move(finding));
}

bool IsRefusal(const WorkerContext& context, vm::Result result) {
  return result == vm::Result::kShortage || result == vm::Result::kOutOfMemory ||
         result == vm::Result::kNoSpace ||
         (result == vm::Result::kIoError && context.world.store_may_fail());
}

namespace {

vm::Result ExpectedOf(PageState state, Access access) {
  if (!state.mapped()) return vm::Result::kInvalidAddress;
  const vm::Protection wanted =
      access == Access::kLoad ? vm::Protection::kRead : vm::Protection::kWrite;
  return vm::Allows(state.protection(), wanted) ? vm::Result::kOk : vm::Result::kProtectionFailure;
}

std::string PlaceOf(const SpaceState& state, const Mapping& mapping, std::uint32_t page) {
  return "space " + std::to_string(state.number) + ", page " + std::to_string(page) +
         " of the mapping at " + std::to_string(mapping.start());
}

}  // namespace

void CheckOutcome(const WorkerContext& context, const SpaceState& state, const Mapping& mapping,
                  std::uint32_t page, Access access, PageState before, vm::Result result) {
  if (IsRefusal(context, result)) return;
  const PageState after = mapping.StateOf(page);
  if (before != after || before.changing()) return;
  const vm::Result expected = ExpectedOf(before, access);
  if (result == expected) return;
  ReportWrong(context, "ORACLE-ACCESS",
              std::string("a ") + (access == Access::kLoad ? "load" : "store") + " gave " +
                  vm::ResultName(result) + " where the map says " + vm::ResultName(expected),
              PlaceOf(state, mapping, page));
}

namespace {

void CheckUnexpected(const WorkerContext& context, const char* operation, vm::Result result,
                     const SpaceState& state, const Mapping& mapping, std::uint32_t first) {
  if (result == vm::Result::kOk || IsRefusal(context, result)) return;
  ReportWrong(context, "ORACLE-ACCESS",
              std::string(operation) + " of a mapped range gave " + vm::ResultName(result),
              PlaceOf(state, mapping, first));
}

void LoadRecord(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t page,
                std::uint32_t slot) {
  Memory& memory = mapping.memory();
  const vm::Address va = mapping.AddressOf(page) + memory.OffsetInPage(slot);
  const PageState state_before = mapping.StateOf(page);
  const Memory::Snapshot snapshot = memory.BeginLoad(page, slot);
  std::uint64_t words[kRecordWords] = {};
  context.log.Begin("load", state.number, va, 0);
  const vm::Result result = state.space.LoadWords(context.cpu, va, words, kRecordWords);
  context.log.End(result);
  if (IsRefusal(context, result)) context.counters.refused.Add();
  CheckOutcome(context, state, mapping, page, Access::kLoad, state_before, result);
  if (result != vm::Result::kOk) return;
  const Verdict verdict = memory.EndLoad(page, slot, snapshot, Record::FromWords(words));
  context.counters.loads_checked.Add();
  if (verdict.fault != RecordFault::kNone)
    ReportWrong(context, RecordFaultId(verdict.fault), RecordFaultTitle(verdict.fault),
                PlaceOf(state, mapping, page) + ": " + verdict.explanation);
}

void StoreRecord(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t page,
                 std::uint32_t slot) {
  Memory& memory = mapping.memory();
  const vm::Address va = mapping.AddressOf(page) + memory.OffsetInPage(slot);
  const PageState state_before = mapping.StateOf(page);
  Record record;
  if (!memory.BeginStore(page, slot, &record)) return;
  const auto words = record.words();
  context.log.Begin("store", state.number, va, 0);
  const vm::Result result = state.space.StoreWords(context.cpu, va, words.data(), kRecordWords);
  context.log.End(result);
  const bool stored = result == vm::Result::kOk;
  memory.EndStore(page, slot,
                  stored ? Memory::StoreOutcome::kStored : Memory::StoreOutcome::kNotStored);
  if (stored) context.counters.stores.Add();
  if (IsRefusal(context, result)) context.counters.refused.Add();
  CheckOutcome(context, state, mapping, page, Access::kStore, state_before, result);
}

// Drops the wirings that ended with an unmapped range.
void ForgetMapping(SpaceState& state, const Mapping& mapping, World& world) {
  state.mappings.Remove(mapping);
  locking::MutexGuard guard(state.lock);
  std::erase_if(state.wired, [&](const WiredRange& range) {
    if (range.mapping.get() != &mapping) return false;
    world.wired_pages().FetchSub(range.count, std::memory_order_relaxed);
    return true;
  });
}

bool NothingMapped(const Mapping& mapping) {
  for (std::uint32_t page = 0; page < mapping.pages(); ++page)
    if (mapping.StateOf(page).mapped()) return false;
  return true;
}

}  // namespace

SpaceUse PickSpace(WorkerContext& context) {
  return context.world.PickSpace(context.number, context.random);
}

MappingUse PickMapping(WorkerContext& context, SpaceState& state) {
  return state.mappings.Pick(context.number, context.random);
}

void Touch(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t page,
           Access access) {
  const std::uint32_t slot = context.random.Below(kRecordsPerPage);
  if (access == Access::kLoad)
    LoadRecord(context, state, mapping, page, slot);
  else
    StoreRecord(context, state, mapping, page, slot);
}

MappingUse MapNew(WorkerContext& context, SpaceState& state, std::uint32_t pages,
                  vm::Protection protection, vm::Inheritance inheritance) {
  World& world = context.world;
  SharedClaim changes(state.changes);
  if (!changes.held() || !world.MayCommit(pages)) return nullptr;
  const std::optional<vm::Address> place = state.ranges->Take(pages);
  if (!place.has_value()) return nullptr;
  const std::uint32_t page_size = world.page_size();
  auto mapping = MakeShared<Mapping>(state.ranges, *place, page_size,
                                     MakeShared<Memory>(world.lineage(), pages, page_size),
                                     protection, inheritance);
  vm::Address start = 0;
  context.log.Begin("map", state.number, *place, pages);
  const vm::Result result = state.space.MapAnonymous(*place, vm::Address{pages} * page_size,
                                                     protection, inheritance, &start);
  context.log.End(result);
  if (result != vm::Result::kOk) {
    context.counters.refused.Add();
    CheckUnexpected(context, "map", result, state, *mapping, 0);
    return nullptr;
  }
  if (start != *place) {
    ReportWrong(context, "ORACLE-ACCESS", "a mapping was not placed at the lowest free address",
                "wanted " + std::to_string(*place) + ", got " + std::to_string(start));
    return nullptr;
  }
  return state.mappings.AddUsed(context.number, std::move(mapping));
}

void UnmapPages(WorkerContext& context, SpaceState& state, const MappingUse& mapping,
                std::uint32_t first, std::uint32_t count) {
  SharedClaim changes(state.changes);
  if (!changes.held() || !mapping->BeginChange(first, count)) return;
  const vm::Address bytes = vm::Address{count} * context.world.page_size();
  context.log.Begin("unmap", state.number, mapping->AddressOf(first), count);
  const vm::Result result = state.space.Unmap(mapping->AddressOf(first), bytes);
  context.log.End(result);
  if (result != vm::Result::kOk) {
    mapping->CancelChange(first, count);
    CheckUnexpected(context, "unmap", result, state, *mapping, first);
    return;
  }
  mapping->EndChange(first, count, std::nullopt);
  if (NothingMapped(*mapping)) ForgetMapping(state, *mapping, context.world);
}

void ProtectPages(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t first,
                  std::uint32_t count, vm::Protection protection) {
  SharedClaim changes(state.changes);
  if (!changes.held() || !mapping.BeginChange(first, count)) return;
  const vm::Address bytes = vm::Address{count} * context.world.page_size();
  context.log.Begin("protect", state.number, mapping.AddressOf(first), count);
  const vm::Result result = state.space.Protect(mapping.AddressOf(first), bytes, protection);
  context.log.End(result);
  if (result == vm::Result::kOk) {
    mapping.EndChange(first, count, protection);
    return;
  }
  mapping.CancelChange(first, count);
  CheckUnexpected(context, "protect", result, state, mapping, first);
}

void InheritMapping(WorkerContext& context, SpaceState& state, Mapping& mapping,
                    vm::Inheritance inheritance) {
  SharedClaim changes(state.changes);
  const std::uint32_t pages = mapping.pages();
  if (!changes.held()) return;
  // A copy of what others share would follow rules of its own: the oracle does not know them.
  if (mapping.memory().shared() && inheritance == vm::Inheritance::kCopy) return;
  if (!mapping.BeginChange(0, pages)) return;
  const vm::Address bytes = vm::Address{pages} * context.world.page_size();
  context.log.Begin("inherit", state.number, mapping.start(), pages);
  const vm::Result result = state.space.SetInheritance(mapping.start(), bytes, inheritance);
  context.log.End(result);
  if (result == vm::Result::kOk) mapping.set_inheritance(inheritance);
  mapping.CancelChange(0, pages);
  CheckUnexpected(context, "inherit", result, state, mapping, 0);
}

void WirePages(WorkerContext& context, SpaceState& state, const MappingUse& mapping,
               std::uint32_t first, std::uint32_t count) {
  World& world = context.world;
  std::vector<PageState> before;
  for (std::uint32_t page = first; page < first + count; ++page) {
    before.push_back(mapping->StateOf(page));
    if (ExpectedOf(before.back(), Access::kLoad) != vm::Result::kOk) return;
  }
  const vm::Address bytes = vm::Address{count} * world.page_size();
  context.log.Begin("wire", state.number, mapping->AddressOf(first), count);
  const vm::Result result = state.space.Wire(mapping->AddressOf(first), bytes);
  context.log.End(result);
  if (result == vm::Result::kOk) {
    world.wired_pages().FetchAdd(count, std::memory_order_relaxed);
    locking::MutexGuard guard(state.lock);
    state.wired.push_back({mapping.item(), first, count});
    return;
  }
  context.counters.refused.Add();
  for (std::uint32_t page = first; page < first + count; ++page)
    if (mapping->StateOf(page) != before[page - first] || before[page - first].changing()) return;
  CheckUnexpected(context, "wire", result, state, *mapping, first);
}

void UnwireSome(WorkerContext& context, SpaceState& state) {
  WiredRange range;
  {
    locking::MutexGuard guard(state.lock);
    if (state.wired.empty()) return;
    WiredRange& taken =
        state.wired[context.random.Below(static_cast<std::uint32_t>(state.wired.size()))];
    std::swap(taken, state.wired.back());
    range = std::move(state.wired.back());
    state.wired.pop_back();
  }
  context.world.wired_pages().FetchSub(range.count, std::memory_order_relaxed);
  const bool whole = range.mapping->AllMapped(range.first, range.count);
  const vm::Address bytes = vm::Address{range.count} * context.world.page_size();
  context.log.Begin("unwire", state.number, range.mapping->AddressOf(range.first), range.count);
  const vm::Result result = state.space.Unwire(range.mapping->AddressOf(range.first), bytes);
  context.log.End(result);
  // A part that was unmapped meanwhile took its wirings along.
  if (whole && range.mapping->AllMapped(range.first, range.count))
    CheckUnexpected(context, "unwire", result, state, *range.mapping, range.first);
}

void AdvisePages(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t first,
                 std::uint32_t count, vm::Advice advice) {
  Memory& memory = mapping.memory();
  const bool forget = advice == vm::Advice::kFree;
  for (std::uint32_t page = first; forget && page < first + count; ++page) memory.BeginForget(page);
  context.log.Begin("advise", state.number, mapping.AddressOf(first), count);
  const vm::Result result = state.space.Advise(
      mapping.AddressOf(first), vm::Address{count} * context.world.page_size(), advice);
  context.log.End(result);
  for (std::uint32_t page = first; forget && page < first + count; ++page) memory.EndForget(page);
  CheckUnexpected(context, "advice", result, state, mapping, first);
}

void SyncPages(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t first,
               std::uint32_t count, vm::SyncMode mode, vm::Invalidate invalidate) {
  const bool whole = mapping.AllMapped(first, count);
  context.log.Begin("sync", state.number, mapping.AddressOf(first), count);
  const vm::Result result = state.space.Sync(
      mapping.AddressOf(first), vm::Address{count} * context.world.page_size(), mode, invalidate);
  context.log.End(result);
  // What is wired is not invalidated; a part may have been unmapped meanwhile.
  if (result == vm::Result::kInvalidArgument && invalidate == vm::Invalidate::kYes) return;
  if (whole && mapping.AllMapped(first, count))
    CheckUnexpected(context, "sync", result, state, mapping, first);
}

void QueryPages(WorkerContext& context, SpaceState& state, Mapping& mapping, std::uint32_t first,
                std::uint32_t count) {
  const bool whole = mapping.AllMapped(first, count);
  std::vector<vm::PageStatus> pages;
  context.log.Begin("query", state.number, mapping.AddressOf(first), count);
  const vm::Result result = state.space.Query(
      mapping.AddressOf(first), vm::Address{count} * context.world.page_size(), &pages);
  context.log.End(result);
  // A part may have been unmapped meanwhile.
  if (whole && mapping.AllMapped(first, count))
    CheckUnexpected(context, "query", result, state, mapping, first);
}

SpaceUse ForkSpace(WorkerContext& context, SpaceState& state) {
  World& world = context.world;
  AloneClaim changes(state.changes);
  if (!changes.held()) return nullptr;
  const std::vector<Shared<Mapping>> mappings = state.mappings.All();
  std::uint64_t pages = 0;
  std::vector<std::vector<std::uint32_t>> at_start(mappings.size());
  for (std::size_t i = 0; i < mappings.size(); ++i)
    if (mappings[i]->inheritance() == vm::Inheritance::kCopy) pages += mappings[i]->pages();
  if (!world.MayCommit(pages)) return nullptr;
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    if (mappings[i]->inheritance() == vm::Inheritance::kShare) mappings[i]->memory().MarkShared();
    if (mappings[i]->inheritance() == vm::Inheritance::kCopy)
      at_start[i] = mappings[i]->memory().ForkStart();
  }
  context.log.Begin("fork", state.number, 0, 0);
  vm::Space* space = state.space.Fork();
  context.log.End(space != nullptr ? vm::Result::kOk : vm::Result::kOutOfMemory);
  if (space == nullptr) {
    context.counters.refused.Add();
    return nullptr;
  }
  Shared<SpaceState> child = world.NewState(*space);
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const Mapping& mapping = *mappings[i];
    if (mapping.inheritance() == vm::Inheritance::kNone) continue;
    child->ranges->Occupy(mapping.start(), mapping.pages());
    const bool shared = mapping.inheritance() == vm::Inheritance::kShare;
    child->mappings.Add(mapping.Fork(
        child->ranges, shared ? mapping.shared_memory() : mapping.memory().ForkEnd(at_start[i])));
  }
  return world.AddUsed(context.number, std::move(child));
}

void ExitSpace(WorkerContext& context, SpaceState& state) {
  context.log.Begin("exit", state.number, 0, 0);
  state.space.Exit();
  context.log.End(vm::Result::kOk);
  locking::MutexGuard guard(state.lock);
  for (const WiredRange& range : state.wired)
    context.world.wired_pages().FetchSub(range.count, std::memory_order_relaxed);
}

}  // namespace stress
