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

Actor::Attempt Actor::Begin(SpaceModel& space, const Range& range) {
  Attempt attempt = Begin();
  attempt.of_revoked = space.Any(range, [&](const ModelPage& page) {
    const ModelFile* file = space.FileOf(page);
    return file != nullptr && file->revoked;
  });
  return attempt;
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

bool Actor::Judge(const SpaceModel& space, const Attempt& attempt, Result result, Result must,
                  const char* what) const {
  if (result == must) return true;
  if (result == Result::kOutOfMemory && MayLackMemory(space, attempt)) return false;
  if ((result == Result::kIoError || result == Result::kBeyondEnd) && attempt.of_revoked)
    return false;
  if ((result == Result::kIoError || result == Result::kNoSpace) && world_.StoresFail())
    return false;
  FailModel(std::string(what) + " says " + ResultName(result) + ", and must say " +
            ResultName(must));
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
      return SyncFile(operation.at);
    case kReopen:
      return Reopen(operation.at % kFiles);
    case kRevoke:
      return Revoke(operation.at % kFiles);
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
  for (const std::unique_ptr<SpaceModel>& space : spaces_)
    for (const auto& [va, page] : space->pages)
      for (std::uint32_t word = 0; word < kWordsPerPage; ++word) Load(*space, va, word);
}

void Actor::CheckShared() {
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
