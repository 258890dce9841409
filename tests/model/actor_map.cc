// Operations on the maps of spaces.
#include "tests/model/actor.h"

namespace vm {
namespace {

constexpr std::size_t kMaxMapped = 48;  // pages of a space
constexpr std::size_t kMaxSpaces = 4;   // of one actor
constexpr Protection kProtections[] = {Protection::kReadWrite, Protection::kReadWrite,
                                       Protection::kRead, Protection::kNone};

// Whether new memory of so many pages may not be charged to the space.
bool ExceedsLimit(const SpaceModel& space, std::uint32_t pages, Protection protection) {
  const Credential& credential = space.space->map().credential;
  return Allows(protection, Protection::kWrite) && credential.limit() != kNoChargeLimit &&
         credential.charged() + pages > credential.limit();
}

bool OfRevoked(SpaceModel& space, const SpaceModel::Range& range) {
  return space.Any(range, [](const ModelPage& page) {
    const FileLife* life = SpaceModel::FileOf(page);
    return life != nullptr && life->revoked();
  });
}

}  // namespace

void Actor::Mapped(SpaceModel& space, Address start, std::uint32_t count, ModelPage first) {
  for (std::uint32_t i = 0; i < count; ++i) {
    ModelPage page = first;
    page.index += i;
    page.home = page.inheritance;
    if (page.kind == Kind::kAnonymous || page.kind == Kind::kPrivateFile)
      page.memory = std::make_shared<PrivateMemory>();
    if (page.kind == Kind::kAnonymous) page.memory->own = std::make_shared<Contents>();
    space.pages.emplace(start + std::uint64_t{i} * kTestPageSize, std::move(page));
  }
}

void Actor::MapAnonymous(SpaceModel& space, const Operation& operation) {
  if (IsShared(space) || space.pages.size() >= kMaxMapped) return;
  const Range range = RangeOf(operation);
  const Protection protection = kProtections[operation.choice % 4];
  const Inheritance inheritance =
      operation.choice / 4 % 3 == 0 ? Inheritance::kShare : Inheritance::kCopy;
  const bool refused = ExceedsLimit(space, range.pages, protection);
  const Address must = space.LowestFree(range.start, range.pages);
  Address start = 0;
  const Attempt attempt = Begin();
  const Result result =
      space.space->MapAnonymous(range.start, range.bytes(), protection, inheritance, &start);
  if (!Judge(space, attempt, result, {refused ? Result::kOutOfMemory : Result::kOk}, "mapping") ||
      result != Result::kOk)
    return;
  if (start != must) FailModel("new memory is not at the lowest free address");
  Mapped(space, start, range.pages, {.protection = protection, .inheritance = inheritance});
}

void Actor::MapFile(SpaceModel& space, const Operation& operation) {
  if (IsShared(space) || space.pages.size() >= kMaxMapped) return;
  const ModelFile::Opened opened = world_.files[operation.choice % kFiles].Use();
  if (opened.vnode == nullptr) return;
  const Range range = RangeOf(operation);
  const bool is_private = operation.choice / 8 % 2 == 0;
  ModelPage first{.kind = is_private ? Kind::kPrivateFile : Kind::kFile,
                  .life = opened.life,
                  .index = operation.choice / 16 % (kMaxFilePages - 1),
                  .protection = kProtections[operation.choice / 2 % 4],
                  .inheritance = is_private ? Inheritance::kCopy : Inheritance::kShare};
  const std::uint32_t count =
      std::min(range.pages, kMaxFilePages - static_cast<std::uint32_t>(first.index));
  const bool refused = is_private && ExceedsLimit(space, count, first.protection);
  const bool was_revoked = opened.life->was_revoked();
  Address start = 0;
  const Attempt attempt = Begin();
  const Result result = space.space->MapFile(
      range.start, std::uint64_t{count} * kTestPageSize, *opened.vnode, first.index,
      first.protection, is_private ? Space::Sharing::kPrivate : Space::Sharing::kShared, &start);
  Results must{};
  if (!was_revoked) must.Add(refused ? Result::kOutOfMemory : Result::kOk);
  if (opened.life->revoked()) must.Add(Result::kBeyondEnd);
  if (Judge(space, attempt, result, must, "mapping a file") && result == Result::kOk)
    Mapped(space, start, count, first);
  world_.Release(opened);
}

void Actor::MapObject(SpaceModel& space, const Operation& operation) {
  if (IsShared(space) || space.pages.size() >= kMaxMapped) return;
  const Range range = RangeOf(operation);
  const bool device = operation.choice % 2 == 0;
  const std::uint32_t offset = operation.choice / 8 % kObjectPages;
  const std::uint32_t count = std::min(range.pages, kObjectPages - offset);
  const ModelPage first{.kind = device ? Kind::kDevice : Kind::kPhysical,
                        .index = offset,
                        .protection = kProtections[operation.choice / 2 % 4],
                        .inheritance = Inheritance::kShare};
  Address start = 0;
  const Attempt attempt = Begin();
  const Result result = space.space->MapObject(range.start, std::uint64_t{count} * kTestPageSize,
                                               device ? *world_.device : *world_.physical, offset,
                                               first.protection, &start);
  if (Judge(space, attempt, result, {Result::kOk}, "mapping an object"))
    Mapped(space, start, count, first);
}

void Actor::Unmap(SpaceModel& space, const Range& range) {
  if (IsShared(space)) return;
  if (space.space->Unmap(range.start, range.bytes()) != Result::kOk) FailModel("unmapping failed");
  space.pages.erase(space.begin(range), space.end(range));
}

void Actor::Protect(SpaceModel& space, const Range& range, std::uint32_t choice) {
  if (IsShared(space)) return;
  const Protection protection = kProtections[choice % 4];
  const Attempt attempt = Begin();
  const Result result = space.space->Protect(range.start, range.bytes(), protection);
  const Result must = space.Covers(range) ? Result::kOk : Result::kInvalidAddress;
  if (!Judge(space, attempt, result, {must}, "a protection") || result != Result::kOk) return;
  space.ForEach(range, [&](Address, ModelPage& page) { page.protection = protection; });
}

void Actor::Inherit(SpaceModel& space, const Range& range, std::uint32_t choice) {
  if (IsShared(space) || !space.Covers(range)) return;
  const Inheritance home = space.pages.at(range.start).home;
  if (space.Any(range, [&](const ModelPage& page) { return page.home != home; })) return;
  const Inheritance inheritance = choice % 2 == 0 ? Inheritance::kNone : home;
  if (space.space->SetInheritance(range.start, range.bytes(), inheritance) != Result::kOk)
    FailModel("an inheritance failed");
  space.ForEach(range, [&](Address, ModelPage& page) { page.inheritance = inheritance; });
}

void Actor::SettleCopies(SpaceModel& space, const Range& range, Address end, Time begin) {
  const Time now = world_.clock.Now();
  space.ForEach(range, [&](Address va, ModelPage& page) {
    if (va < end && page.wired == 0) space.CopyFromFile(page, begin, now);
  });
}

void Actor::GiveUp(SpaceModel& space, const Range& range) {
  std::vector<PrivateMemory*> unknown;
  space.ForEach(range, [&](Address, ModelPage& page) {
    if (page.kind == Kind::kPrivateFile && page.memory->own == nullptr)
      unknown.push_back(page.memory.get());
  });
  for (const std::unique_ptr<SpaceModel>& each : spaces_) {
    std::vector<Address> places;
    for (const auto& [va, page] : each->pages)
      if (std::ranges::find(unknown, page.memory.get()) != unknown.end()) places.push_back(va);
    for (const Address va : places) Unmap(*each, {.start = va, .pages = 1});
  }
}

void Actor::Wire(SpaceModel& space, const Range& range) {
  if (IsShared(space) && !space.Covers(range)) return;
  const Attempt attempt = Begin();
  const Result result = space.space->Wire(range.start, range.bytes());
  const Time now = world_.clock.Now();
  // Others may have wired what is shared.
  const auto first = [&](auto missing) {
    return std::find_if(space.begin(range), space.end(range), [&](const auto& each) {
      return each.second.wired == 0 && missing(each.second, attempt.begin, now);
    });
  };
  const auto may_miss = first(SpaceModel::MayLack);
  const auto misses = IsShared(space) ? space.end(range) : first(SpaceModel::Lacks);
  Results must{};
  if (!space.Covers(range)) {
    must = {Result::kInvalidAddress};
  } else if (space.Any(range,
                       [](auto& page) { return !Allows(page.protection, Protection::kRead); })) {
    must = {Result::kProtectionFailure};
  } else {
    if (misses == space.end(range)) must.Add(Result::kOk);
    if (may_miss != space.end(range)) must.Add(Result::kBeyondEnd);
  }
  if (OfRevoked(space, range)) {
    must.Add(Result::kIoError);
    must.Add(Result::kBeyondEnd);
  }
  if (!Judge(space, attempt, result, must, "wiring", ReadErrors(attempt)))
    return GiveUp(space, range);
  if (result == Result::kBeyondEnd || result == Result::kIoError) {
    // How far it came is known where it could not but end.
    const bool known = may_miss == misses && misses != space.end(range) && !OfRevoked(space, range);
    return known ? SettleCopies(space, range, misses->first, attempt.begin) : GiveUp(space, range);
  }
  if (result != Result::kOk) return;
  if (IsShared(space)) {
    shared_wirings_.emplace_back(&space, range);
    return;
  }
  SettleCopies(space, range, range.end(), attempt.begin);
  space.ForEach(range, [](Address, ModelPage& page) { ++page.wired; });
}

void Actor::Unwire(SpaceModel& space, const Range& range) {
  if (IsShared(space)) {
    if (shared_wirings_.empty()) return;
    const Range wired = shared_wirings_.back().second;
    shared_wirings_.pop_back();
    if (space.space->Unwire(wired.start, wired.bytes()) != Result::kOk)
      FailModel("what was wired cannot be unwired");
    return;
  }
  Result must = Result::kOk;
  if (!space.Covers(range))
    must = Result::kInvalidAddress;
  else if (space.Any(range, [](auto& page) { return page.wired == 0; }))
    must = Result::kInvalidArgument;
  const Attempt attempt = Begin();
  const Result result = space.space->Unwire(range.start, range.bytes());
  if (Judge(space, attempt, result, {must}, "unwiring") && result == Result::kOk)
    space.ForEach(range, [](Address, ModelPage& page) { --page.wired; });
}

void Actor::Advise(SpaceModel& space, const Range& range, std::uint32_t choice) {
  constexpr Advice kAdvice[] = {Advice::kWillNeed, Advice::kDontNeed, Advice::kFree};
  const Advice advice = kAdvice[choice % 3];
  const auto each_forgotten = [&](auto act) {
    if (advice != Advice::kFree) return;
    space.ForEach(range, [&](Address, ModelPage& page) {
      if (page.memory != nullptr && page.memory->own != nullptr) page.memory->own->ForEach(act);
    });
  };
  const Attempt attempt = Begin();
  each_forgotten([&](Register& word) { word.BeginForget(attempt.begin); });
  if (space.space->Advise(range.start, range.bytes(), advice) != Result::kOk)
    FailModel("advice failed");
  const Time now = world_.clock.Now();
  each_forgotten([&](Register& word) { word.EndForget(now); });
}

void Actor::Sync(SpaceModel& space, const Range& range, std::uint32_t choice) {
  const auto mode = choice % 2 == 0 ? SyncMode::kSynchronous : SyncMode::kAsynchronous;
  const auto invalidate =
      choice / 2 % 2 == 0 && !IsShared(space) ? Invalidate::kYes : Invalidate::kNo;
  Result must = Result::kOk;
  if (!space.Covers(range))
    must = Result::kInvalidAddress;
  else if (invalidate == Invalidate::kYes &&
           space.Any(range, [](auto& page) { return page.wired != 0; }))
    must = Result::kInvalidArgument;
  const Attempt attempt = Begin();
  const Result result = space.space->Sync(range.start, range.bytes(), mode, invalidate);
  Results errors = WriteErrors(attempt);
  // A copy has the file behind it still.
  if (space.Any(range, [](auto& page) { return page.life != nullptr && page.life->revoked(); })) {
    errors.Add(Result::kIoError);
    errors.Add(Result::kBeyondEnd);
  }
  (void)Judge(space, attempt, result, {must}, "a sync", errors);
}

void Actor::Query(SpaceModel& space, const Range& range) {
  std::vector<PageStatus> pages;
  const Attempt attempt = Begin();
  const Result result = space.space->Query(range.start, range.bytes(), &pages);
  const Result must = space.Covers(range) ? Result::kOk : Result::kInvalidAddress;
  if (!Judge(space, attempt, result, {must}, "a query") || result != Result::kOk) return;
  if (pages.size() != range.pages) FailModel("a query tells of another number of pages");
  auto page = space.begin(range);
  for (const PageStatus& status : pages) {
    const ModelPage& model = page++->second;
    const bool lacks = SpaceModel::Lacks(model, attempt.begin, world_.clock.Now());
    if (status.resident && status.paged_out) FailModel("a page is resident and paged out");
    // Others may read a page of a shared space in meanwhile.
    if (!IsShared(space) && status.mapped && !status.resident)
      FailModel("a page is mapped that is not resident");
    if (lacks && status.resident) FailModel("a page is resident beyond the end");
    const bool own = model.memory != nullptr && model.memory->own != nullptr;
    if (!IsShared(space) && own && model.wired != 0 && !status.resident)
      FailModel("a wired page is not resident");
  }
}

void Actor::Fork(std::uint32_t which) {
  if (spaces_.size() >= kMaxSpaces) return;
  SpaceModel& parent = AnySpace(which);
  const Attempt attempt = Begin();
  Space* child = parent.space->Fork();
  if (child == nullptr) {
    if (!MayLackMemory(parent, attempt)) FailModel("a fork failed");
    return;
  }
  auto model = std::make_unique<SpaceModel>(world_, child);
  model->pages = parent.Inherited(attempt.begin, world_.clock.Now());
  spaces_.push_back(std::move(model));
}

void Actor::Exit(std::uint32_t which) {
  if (spaces_.size() == 1) return;
  const auto space = spaces_.begin() + static_cast<std::ptrdiff_t>(which % spaces_.size());
  (*space)->space->Exit();
  spaces_.erase(space);
}

void Actor::NewSpace(std::uint32_t choice) {
  if (spaces_.size() >= kMaxSpaces) return;
  Credential* credential =
      choice % 3 == 0 ? nullptr : &world_.system.charges().NewCredential(8 + choice / 3 % 32);
  spaces_.push_back(std::make_unique<SpaceModel>(world_, world_.system.CreateSpace(credential)));
}

}  // namespace vm
