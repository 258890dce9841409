#include "stress/world/file_operations.h"

#include <string>
#include <utility>

#include "vm/vnode.h"

namespace stress {
namespace {

constexpr std::uint32_t kExtendPercent = 80;
constexpr std::uint32_t kZeroPercent = 25;
constexpr std::uint32_t kCutWordPercent = 40;
constexpr std::uint32_t kMayWaitPercent = 50;

std::string PlaceOf(const FileState& file, std::uint32_t page) {
  return "file " + std::to_string(file.number) + ", page " + std::to_string(page);
}

void CheckResult(WorkerContext& context, const char* operation, const FileState& file,
                 std::uint32_t page, vm::Result result) {
  if (result == vm::Result::kOk) return;
  context.counters.refused.Add();
  if (IsRefusal(context, result)) return;
  ReportWrong(context, "ORACLE-ACCESS",
              std::string(operation) + " of a file gave " + vm::ResultName(result),
              PlaceOf(file, page));
}

// Maps [offset, offset + pages) of the file at a place of the harness's choice. nullopt: refused.
std::optional<vm::Address> MapPart(WorkerContext& context, SpaceState& state, FileState& file,
                                   std::uint32_t offset, std::uint32_t pages,
                                   vm::Space::Sharing sharing) {
  SharedClaim open(file.open_use);
  if (!open.held()) return std::nullopt;
  const std::optional<vm::Address> place = state.ranges->Take(pages);
  if (!place.has_value()) return std::nullopt;
  vm::Address start = 0;
  context.log.Begin("map file", state.number, *place, pages);
  const vm::Result result =
      state.space.MapFile(*place, vm::Address{pages} * context.world.page_size(), file.vnode(),
                          offset, vm::Protection::kReadWrite, sharing, &start);
  context.log.End(result);
  if (result != vm::Result::kOk) {
    state.ranges->Return(*place, pages);
    CheckResult(context, "a mapping", file, offset, result);
    return std::nullopt;
  }
  return start;
}

}  // namespace

MappingUse MapKept(WorkerContext& context, SpaceState& state, FileState& file) {
  SharedClaim changes(state.changes);
  if (!changes.held()) return nullptr;
  const auto place =
      MapPart(context, state, file, 0, file.kept_pages(), vm::Space::Sharing::kShared);
  if (!place.has_value()) return nullptr;
  return state.mappings.AddUsed(
      context.number,
      MakeShared<Mapping>(state.ranges, *place, context.world.page_size(), file.memory(),
                          vm::Protection::kReadWrite, vm::Inheritance::kShare));
}

FileWindow MapTail(WorkerContext& context, SpaceState& state, FileState& file) {
  const auto place = MapPart(context, state, file, file.kept_pages(), file.tail_pages(),
                             vm::Space::Sharing::kShared);
  if (!place.has_value()) return {};
  if (context.random.Percent(kMayWaitPercent))
    state.space.SetFlushing(*place, vm::Address{file.tail_pages()} * context.world.page_size(),
                            vm::Space::Flushing::kMayWait);
  return {&file, *place};
}

FileWindow MapPrivately(WorkerContext& context, SpaceState& state, FileState& file) {
  const auto place =
      MapPart(context, state, file, 0, file.kept_pages(), vm::Space::Sharing::kPrivate);
  return place.has_value() ? FileWindow{&file, *place} : FileWindow{};
}

namespace {

void LoadTail(WorkerContext& context, SpaceState& state, FileState& file, vm::Address va,
              std::uint32_t page) {
  const FileState::TailView view = file.ViewTail(page);
  std::uint64_t word = 0;
  context.log.Begin("load tail", state.number, va, 0);
  const vm::Result result = state.space.Load(context.cpu, va, &word);
  context.log.End(result);
  if (result == vm::Result::kBeyondEnd) return;
  CheckResult(context, "a load", file, file.kept_pages() + page, result);
  if (result != vm::Result::kOk) return;
  context.counters.loads_checked.Add();
  if (!file.TailMayHold(page, view, word))
    ReportWrong(context, "INV-50", "a load returned what a truncation had taken",
                PlaceOf(file, file.kept_pages() + page) + ": found " + std::to_string(word) +
                    " after " + std::to_string(view.floor) + " truncations");
}

void StoreTail(WorkerContext& context, SpaceState& state, FileState& file, vm::Address va,
               std::uint32_t page) {
  // Zeroes may be found at any time: their stores race with truncations.
  const bool zero = context.random.Percent(kZeroPercent);
  std::optional<SharedClaim> claim;
  if (!zero && !claim.emplace(file.tail_use).held()) return;
  context.log.Begin("store tail", state.number, va, 0);
  const vm::Result result = state.space.Store(context.cpu, va, zero ? 0 : file.TailWord(page));
  context.log.End(result);
  if (result == vm::Result::kBeyondEnd) return;
  CheckResult(context, "a store", file, file.kept_pages() + page, result);
  if (result == vm::Result::kOk) context.counters.stores.Add();
}

}  // namespace

void TouchTail(WorkerContext& context, SpaceState& state, const FileWindow& window, Access access) {
  FileState& file = *window.file;
  const std::uint32_t page = context.random.Below(file.tail_pages());
  const vm::Address va = window.start + vm::Address{page} * context.world.page_size();
  if (access == Access::kLoad)
    LoadTail(context, state, file, va, page);
  else
    StoreTail(context, state, file, va, page);
}

void TouchPrivate(WorkerContext& context, SpaceState& state, const FileWindow& window,
                  std::vector<std::uint64_t>* stored) {
  FileState& file = *window.file;
  const std::uint32_t page = context.random.Below(file.kept_pages());
  const vm::Address va = window.start + vm::Address{page} * context.world.page_size();
  std::uint64_t& own = (*stored)[page];
  if (own == 0 || context.random.Percent(50)) {
    const std::uint64_t word = own + 1;
    context.log.Begin("store private", state.number, va, 0);
    const vm::Result result = state.space.Store(context.cpu, va, word);
    context.log.End(result);
    CheckResult(context, "a private store", file, page, result);
    if (result == vm::Result::kOk) own = word;
    return;
  }
  std::uint64_t word = 0;
  context.log.Begin("load private", state.number, va, 0);
  const vm::Result result = state.space.Load(context.cpu, va, &word);
  context.log.End(result);
  CheckResult(context, "a private load", file, page, result);
  if (result != vm::Result::kOk) return;
  context.counters.loads_checked.Add();
  if (word != own)
    ReportWrong(context, "INV-48", "a private copy of a file's page is not what was stored there",
                PlaceOf(file, page) + ": expected " + std::to_string(own) + ", found " +
                    std::to_string(word));
}

void TruncateFile(WorkerContext& context, FileState& file) {
  SharedClaim open(file.open_use);
  AloneClaim claim(file.tail_use);
  if (!open.held() || !claim.held()) return;
  vm::System& system = context.world.system();
  const std::uint64_t page_size = context.world.page_size();
  const std::uint64_t kept = file.kept_pages() * page_size;
  std::uint64_t cut =
      context.random.Below(static_cast<std::uint32_t>(file.tail_pages() * page_size));
  // Often in the midst of a word that was stored.
  if (context.random.Percent(kCutWordPercent)) cut = cut / page_size * page_size + cut % 8;
  file.BeginTruncation(cut);
  context.log.Begin("truncate", 0, kept + cut, 0);
  vm::Result result = vm::TruncateVnode(system, file.vnode(), kept + cut);
  context.log.End(result);
  CheckResult(context, "a truncation", file, file.kept_pages(), result);
  if (result != vm::Result::kOk) return;
  file.EndTruncation(cut);
  if (!context.random.Percent(kExtendPercent)) return;
  context.log.Begin("extend", 0, system.PagesToBytes(file.pages()), 0);
  result = vm::TruncateVnode(system, file.vnode(), system.PagesToBytes(file.pages()));
  context.log.End(result);
  CheckResult(context, "an extension", file, file.kept_pages(), result);
}

void SyncFile(WorkerContext& context, FileState& file) {
  SharedClaim open(file.open_use);
  if (!open.held()) return;
  Memory& memory = *file.memory();
  const std::uint32_t page = context.random.Below(file.kept_pages());
  const std::uint32_t slot = context.random.Below(kRecordsPerPage);
  const Memory::Snapshot snapshot = memory.BeginLoad(page, slot);
  context.log.Begin("sync", 0, 0, file.pages());
  const vm::Result result = vm::SyncVnode(context.world.system(), file.vnode());
  context.log.End(result);
  CheckResult(context, "a sync", file, page, result);
  if (result != vm::Result::kOk) return;
  Record record;
  {
    locking::ReadGuard guard(file.vnode().lock);
    record = file.RecordInFile(page, slot);
  }
  const Verdict verdict = memory.EndLoad(page, slot, snapshot, record);
  context.counters.loads_checked.Add();
  if (verdict.fault != RecordFault::kNone)
    ReportWrong(context, RecordFaultId(verdict.fault),
                "a file that was synced does not have what was stored to it",
                PlaceOf(file, page) + ": " + verdict.explanation);
}

void AdviseFile(WorkerContext& context, FileState& file) {
  SharedClaim open(file.open_use);
  if (!open.held()) return;
  const std::uint32_t first = context.random.Below(file.pages());
  const std::uint32_t last = first + 1 + context.random.Below(file.pages() - first);
  const vm::Advice advice =
      context.random.Percent(50) ? vm::Advice::kWillNeed : vm::Advice::kDontNeed;
  context.log.Begin("advise file", 0, first, last - first);
  const vm::Result result =
      vm::AdviseVnode(context.world.system(), file.vnode(), first, last, advice);
  context.log.End(result);
  CheckResult(context, "advice", file, first, result);
}

void FlushFile(WorkerContext& context, FileState& file) {
  SharedClaim open(file.open_use);
  if (!open.held()) return;
  context.log.Begin("flush", 0, 0, file.pages());
  const vm::Result result = vm::FlushVnode(context.world.system(), file.vnode());
  context.log.End(result);
  CheckResult(context, "a flush", file, 0, result);
}

namespace {

constexpr std::uint32_t kRevokedPages = 4;

// Where a word of each page is.
vm::Address WordOf(WorkerContext& context, vm::Address start, std::uint32_t page) {
  return start + vm::Address{page} * context.world.page_size();
}

void CheckRevoked(WorkerContext& context, SpaceState& state, vm::Address start,
                  vm::BackingFile& file, const std::vector<std::uint64_t>& stored) {
  for (std::uint32_t page = 0; page < stored.size(); ++page) {
    std::uint64_t in_memory = 0, in_file = 0;
    const vm::Result result =
        state.space.Load(context.cpu, WordOf(context, start, page), &in_memory);
    // What is not resident does not come any more.
    if (result == vm::Result::kOk && in_memory != stored[page])
      ReportWrong(context, "INV-49", "a page of a file that was taken away has other contents",
                  "page " + std::to_string(page) + ": expected " + std::to_string(stored[page]) +
                      ", found " + std::to_string(in_memory));
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span(&in_file, 1));
    file.Read(WordOf(context, 0, page), {&bytes, 1});
    if (in_file != stored[page])
      ReportWrong(context, "INV-54", "a file that was taken away does not have what was stored",
                  "page " + std::to_string(page) + ": expected " + std::to_string(stored[page]) +
                      ", found " + std::to_string(in_file));
  }
}

void StoreAndRevoke(WorkerContext& context, SpaceState& state, vm::BackingFile& file,
                    vm::Vnode& vnode, vm::Address start) {
  std::vector<std::uint64_t> stored(kRevokedPages, 0);
  for (std::uint32_t page = 0; page < kRevokedPages; ++page) {
    const std::uint64_t word = context.random.Next();
    const vm::Result result = state.space.Store(context.cpu, WordOf(context, start, page), word);
    if (result == vm::Result::kOk) stored[page] = word;
  }
  context.log.Begin("revoke", 0, 0, kRevokedPages);
  vm::RevokeVnode(context.world.system(), vnode);
  context.log.End(vm::Result::kOk);
  CheckRevoked(context, state, start, file, stored);
}

}  // namespace

void RevokeOwnFile(WorkerContext& context, SpaceState& state) {
  vm::System& system = context.world.system();
  const vm::Address bytes = vm::Address{kRevokedPages} * context.world.page_size();
  const std::unique_ptr<vm::BackingFile> file = context.world.NewBackingFile(kRevokedPages);
  const std::optional<vm::Address> place = state.ranges->Take(kRevokedPages);
  // What could not be written would be nowhere.
  if (file == nullptr || !place.has_value() || context.world.store_may_fail()) {
    if (place.has_value()) state.ranges->Return(*place, kRevokedPages);
    return;
  }
  vm::Vnode* vnode = vm::OpenVnode(system, *file);
  vm::Address start = 0;
  const vm::Result result = state.space.MapFile(
      *place, bytes, *vnode, 0, vm::Protection::kReadWrite, vm::Space::Sharing::kShared, &start);
  if (result == vm::Result::kOk) {
    StoreAndRevoke(context, state, *file, *vnode, start);
    state.space.Unmap(start, bytes);
  }
  state.ranges->Return(*place, kRevokedPages);
  vm::ReleaseVnode(system, vnode);
}

void UnmapWindow(WorkerContext& context, SpaceState& state, FileWindow* window,
                 std::uint32_t pages) {
  if (window->file == nullptr) return;
  context.log.Begin("unmap file", state.number, window->start, pages);
  const vm::Result result =
      state.space.Unmap(window->start, vm::Address{pages} * context.world.page_size());
  context.log.End(result);
  CheckResult(context, "an unmapping", *window->file, 0, result);
  state.ranges->Return(window->start, pages);
  *window = {};
}

void ReopenFile(WorkerContext& context, FileState& file) {
  // A close that loses pages would leave contents that nobody knows.
  if (context.world.store_may_fail()) return;
  AloneClaim open(file.open_use);
  if (!open.held()) return;
  context.log.Begin("reopen", 0, 0, file.pages());
  const vm::Result result = file.Reopen();
  context.log.End(result);
  CheckResult(context, "a close", file, 0, result);
}

}  // namespace stress
