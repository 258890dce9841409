#include "tests/model/actor.h"

namespace vm {
namespace {

constexpr std::uint32_t kMaxRangePages = 8;

}  // namespace

Actor::Actor(ModelWorld& world, SpaceModel* shared) : world_(world), shared_(shared) {
  spaces_.push_back(std::make_unique<SpaceModel>(world, world.system.CreateSpace()));
}

SpaceModel& Actor::AnySpace(std::uint32_t which) {
  const std::size_t count = spaces_.size() + (shared_ != nullptr ? 2 : 0);
  const std::size_t chosen = which % count;
  return chosen < spaces_.size() ? *spaces_[chosen] : *shared_;
}

Actor::Range Actor::RangeOf(const Operation& operation) {
  const std::uint32_t first = 1 + operation.at % kArenaPages;
  return {.start = std::uint64_t{first} * kTestPageSize,
          .pages = 1 + operation.count % kMaxRangePages};
}

Actor::Range Actor::MappedRangeOf(const SpaceModel& space, const Operation& operation) {
  Range range = RangeOf(operation);
  if (operation.choice % 8 == 0 || space.pages.empty()) return range;
  const auto nth = static_cast<std::ptrdiff_t>(operation.at % space.pages.size());
  range.start = std::next(space.pages.begin(), nth)->first;
  return range;
}

Actor::Attempt Actor::Begin() {
  return {.begin = world_.clock.Now(),
          .page_waits = world_.system.counters().Get(vm::Event::kPageWait)};
}

void Actor::CheckBounds() {
  if (world_.system.swap().used() > world_.system.config().swap_slots)
    FailModel("more swap is used than there is");
  for (const std::unique_ptr<SpaceModel>& space : spaces_) {
    const Credential& credential = space->space->map().credential;
    if (credential.charged() > credential.limit())
      FailModel("a space is charged for more than it may be");
    if (space->space->pmap().resident_count() > space->pages.size())
      FailModel("a space has more pages mapped in than it maps");
  }
}

bool Actor::MayLackMemory(const SpaceModel& space, const Attempt& attempt) const {
  return world_.system.counters().Get(Event::kPageWait) != attempt.page_waits ||
         space.space->map().credential.limit() != kNoChargeLimit;
}

Results Actor::ReadErrors(const Attempt& attempt) const {
  Results errors{};
  for (const StoreFault fault : {StoreFault::kSwapRead, StoreFault::kFileRead})
    if (world_.faults.OnAfter(fault, attempt.begin)) errors.Add(Result::kIoError);
  return errors;
}

Results Actor::WriteErrors(const Attempt& attempt) const {
  Results errors{};
  for (const StoreFault fault : {StoreFault::kFileWrite, StoreFault::kShortWrite})
    if (world_.faults.OnAfter(fault, attempt.begin)) errors.Add(Result::kIoError);
  if (world_.faults.OnAfter(StoreFault::kFileFull, attempt.begin)) errors.Add(Result::kNoSpace);
  return errors;
}

bool Actor::Judge(const SpaceModel& space, const Attempt& attempt, Result result, Results must,
                  const char* what, Results errors) const {
  if (must.Has(result)) return true;
  if (result == Result::kOutOfMemory && MayLackMemory(space, attempt)) return false;
  if (errors.Has(result)) return false;
  RequireResult(result, must, what);
  return false;
}

Results Actor::MustSay(const ModelPage* page, Protection access, const Attempt& attempt) const {
  if (page == nullptr) return {Result::kInvalidAddress};
  if (!Allows(page->protection, access)) return {Result::kProtectionFailure};
  const Time now = world_.clock.Now();
  Results may{};
  if (!SpaceModel::Lacks(*page, attempt.begin, now)) may.Add(Result::kOk);
  if (SpaceModel::MayLack(*page, attempt.begin, now)) may.Add(Result::kBeyondEnd);
  const FileLife* life = SpaceModel::FileOf(*page);
  if (life != nullptr && life->revoked()) {
    may.Add(Result::kIoError);
    may.Add(Result::kBeyondEnd);
  }
  return may;
}

void Actor::Apply(const Operation& operation) {
  Relieve();
  using enum OperationKind;
  SpaceModel& space = AnySpace(operation.space);
  const Range range = MappedRangeOf(space, operation);
  switch (operation.kind) {
    case kLoad:
      return Load(space, range.start, operation.choice % kWordsPerPage);
    case kStore:
      return Store(space, range.start, operation.choice % kWordsPerPage);
    case kMapAnonymous:
      return MapAnonymous(space, operation);
    case kMapFile:
      return MapFile(space, operation);
    case kMapObject:
      return MapObject(space, operation);
    case kUnmap:
      return Unmap(space, range);
    case kProtect:
      return Protect(space, range, operation.choice);
    case kInherit:
      return Inherit(space, range, operation.choice);
    case kWire:
      return Wire(space, range);
    case kUnwire:
      return Unwire(space, range);
    case kAdvise:
      return Advise(space, range, operation.choice);
    case kSync:
      return Sync(space, range, operation.choice);
    case kQuery:
      return Query(space, range);
    case kFork:
      return Fork(operation.space);
    case kExit:
      return Exit(operation.space);
    case kNewSpace:
      return NewSpace(operation.choice);
    case kLend:
      return Lend(space, range.start);
    case kReturn:
      return Return(operation.at);
    case kTruncate:
      return Truncate(operation);
    case kSyncFile:
      return world_.Sync(world_.files[operation.at % kFiles]);
    case kReopen:
      return world_.Reopen(world_.files[operation.at % kFiles]);
    case kRevoke:
      return world_.Revoke(world_.files[operation.at % kFiles]);
    case kFaults:
      return world_.SetFaults(operation.choice % 2 == 0 ? 0 : operation.at);
    case kScan:
      return Scan(operation.choice);
    case kPageOut:
      return PageOut(space, range.start, operation.choice);
    case kCache:
      return Cache(space, range);
    case kPopulate:
      return Populate(space, range);
    case kTakeRun:
      return TakeRun(operation.choice);
    case kGiveRun:
      return GiveRun(operation.at);
    case kCount:
      break;
  }
}

void Actor::CheckAll() {
  const ModelWorld::NoFaults no_faults(world_);
  for (const std::unique_ptr<SpaceModel>& space : spaces_)
    for (const auto& [va, page] : space->pages)
      for (std::uint32_t word = 0; word < kWordsPerPage; ++word) Load(*space, va, word);
}

void Actor::CheckShared() {
  const ModelWorld::NoFaults no_faults(world_);
  for (const auto& [va, page] : shared_->pages)
    for (std::uint32_t word = 0; word < kWordsPerPage; ++word) Load(*shared_, va, word);
}

void Actor::Finish() {
  CheckAll();
  while (!loans_.empty()) Return(0);
  while (!runs_.empty()) GiveRun(0);
  for (const auto& [space, range] : shared_wirings_)
    if (space->space->Unwire(range.start, range.bytes()) != Result::kOk)
      FailModel("what was wired cannot be unwired");
  for (const std::unique_ptr<SpaceModel>& space : spaces_) space->space->Exit();
  spaces_.clear();
}

}  // namespace vm
