#include "stress/world/world.h"

#include <string>
#include <utility>

#include "locking/evidence.h"
#include "locking/finding.h"

namespace stress {
namespace {

using locking::LockClass;
using locking::LockKind;

const LockClass kWorldLock("stress world", LockKind::kMutex);
const LockClass kSpaceStateLock("stress space", LockKind::kMutex);
const LockClass kSpacesLock("stress spaces", LockKind::kMutex);
const LockClass kOwnSpacesLock("stress own spaces", LockKind::kMutex);
const LockClass kMappingsLock("stress mappings", LockKind::kMutex);
const LockClass kOwnMappingsLock("stress own mappings", LockKind::kMutex);

void ReportFile(const char* id, std::string title, const FileState& file) {
  locking::Finding finding;
  finding.id = id;
  finding.title = std::move(title);
  finding.signature = finding.id + ": at the close of a file";
  finding.threads.push_back(locking::EvidenceOfCaller("file " + std::to_string(file.number)));
  locking::ReportFinding(std::move(finding));
}

}  // namespace

SpaceState::SpaceState(vm::Space& vm_space, Shared<AddressRanges> address_ranges,
                       std::uint32_t workers)
    : space(vm_space),
      number(vm_space.id()),
      ranges(std::move(address_ranges)),
      mappings({kMappingsLock, kOwnMappingsLock, workers, number}),
      lock(kSpaceStateLock, number) {}

World::World(vm::System& system, const WorldConfig& config)
    : system_(system),
      config_(config),
      lineage_(config.salt),
      devices_(system, lineage_),
      spaces_({kSpacesLock, kOwnSpacesLock, config.workers}),
      lock_(kWorldLock) {
  for (std::uint32_t i = 0; i < config.min_spaces; ++i)
    if (auto state = CreateSpace(); state != nullptr) spaces_.Add(std::move(state));
}

Shared<SpaceState> World::NewState(vm::Space& space) const {
  auto ranges = MakeShared<AddressRanges>(system_.config().page_size, space.map().limit);
  return MakeShared<SpaceState>(space, std::move(ranges), config_.workers);
}

Shared<SpaceState> World::CreateSpace() {
  vm::Space* space = system_.CreateSpace();
  if (space == nullptr) return nullptr;
  return NewState(*space);
}

SpaceUse World::CreatePrivate() {
  Shared<SpaceState> state = CreateSpace();
  if (state == nullptr) return nullptr;
  locking::MutexGuard guard(lock_);
  private_.push_back(state);
  return SpaceUse(std::move(state));
}

void World::ExitAll() {
  for (const auto& state : spaces_.All()) state->space.Exit();
  std::vector<Shared<SpaceState>> leaving;
  {
    locking::MutexGuard guard(lock_);
    leaving = std::move(private_);
  }
  for (const auto& state : leaving) state->space.Exit();
  std::vector<std::unique_ptr<FileState>> files;
  {
    locking::MutexGuard guard(lock_);
    files = std::move(files_);
  }
  for (const auto& file : files) CloseFile(*file);
}

std::uint32_t World::file_count() {
  locking::MutexGuard guard(lock_);
  return static_cast<std::uint32_t>(files_.size());
}

void World::MakeFile(std::uint32_t pages) {
  auto empty = NewBackingFile(pages);
  if (empty == nullptr) return;
  auto file = std::make_unique<FileState>(system_, lineage_, file_count() + 1, std::move(empty),
                                          config_.file_faults);
  locking::MutexGuard guard(lock_);
  files_.push_back(std::move(file));
}

FileState* World::PickFile(locking::Random& random, std::uint32_t files, std::uint32_t pages) {
  if (file_count() < files) {
    AloneClaim making(making_file_);
    if (making.held() && file_count() < files) MakeFile(pages);
  }
  locking::MutexGuard guard(lock_);
  if (files_.empty()) return nullptr;
  return files_[random.Below(static_cast<std::uint32_t>(files_.size()))].get();
}

void World::CloseFile(FileState& file) const {
  const vm::Result result = file.Close();
  if (result != vm::Result::kOk) {
    if (!config_.store_may_fail)
      ReportFile("INV-54", "a close of a file gave " + std::string(vm::ResultName(result)), file);
    return;
  }
  const Memory& memory = *file.memory();
  for (std::uint32_t page = 0; page < file.kept_pages(); ++page) {
    for (std::uint32_t slot = 0; slot < kRecordsPerPage; ++slot) {
      const Verdict verdict =
          memory.EndLoad(page, slot, memory.BeginLoad(page, slot), file.RecordInFile(page, slot));
      if (verdict.fault == RecordFault::kNone) continue;
      ReportFile(
          RecordFaultId(verdict.fault),
          "a file that was closed does not have what was stored to it: " + verdict.explanation,
          file);
      return;
    }
  }
}

}  // namespace stress
