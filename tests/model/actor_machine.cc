// Operations on the machine below the spaces: its frames, files and daemons.
#include <algorithm>

#include "tests/model/actor.h"
#include "vm/chain_cursor.h"
#include "vm/contiguous.h"
#include "vm/object_ranges.h"
#include "vm/page_release.h"
#include "vm/pager/pager.h"
#include "vm/reclaim.h"

namespace vm {
namespace {

constexpr std::size_t kMaxRuns = 2;
constexpr std::uint32_t kPasses = 6;
constexpr std::byte kRunPattern{0x5A};

// Calls act(object, index) with the first object at `va` locked, if there is one.
template <typename Act>
void WithObject(SpaceModel& space, System& system, Address va, Act act) LOCKING_NO_ANALYSIS {
  Map& map = space.space->map();
  locking::ReadGuard map_guard(map.lock);
  const MapEntry* entry = map.Lookup(va);
  if (entry == nullptr || entry->object == nullptr) return;
  ObjectGuard guard(entry->object->lock);
  act(*entry->object, entry->offset + system.BytesToPages(va - entry->start));
}

}  // namespace

void Actor::Scan(std::uint32_t pass) { world_.system.daemon().Scan(pass % kPasses); }

void Actor::Relieve() {
  if (world_.has_daemon) return;
  for (const std::uint32_t pass : {0u, kForcePass})
    if (world_.system.free_queue().PagingNeeded()) Scan(pass);
}

// Writes a page of the chain out by hand, and gives it back.
void Actor::PageOut(SpaceModel& space, Address va, std::uint32_t choice) LOCKING_NO_ANALYSIS {
  System& system = world_.system;
  Object* object = nullptr;
  Pindex index = 0;
  WithObject(space, system, va, [&](Object& first, Pindex at) LOCKING_NO_ANALYSIS {
    ChainCursor cursor(first, at);
    for (std::uint32_t depth = choice % 3; depth > 0 && cursor.Next();) --depth;
    if (!cursor.object().anonymous() || cursor.object().dead) return;
    object = &cursor.object();
    index = cursor.index();
    PagingBegin(*object);  // so that it stays
  });
  if (object == nullptr) return;
  ObjectGuard guard(object->lock);
  Page* page = LookupPage(*object, index);
  if (page != nullptr && !page->busied() && page->valid == system.AllBlocks() &&
      page->queue != PageQueue::kCache) {
    Page* const pages[] = {page};
    (void)PagerForWriting(system, *object).PageOut(*object, pages);
    page = LookupPage(*object, index);
  }
  if (page != nullptr && !page->busied() && choice / 4 % 2 == 0 &&
      page->queue != PageQueue::kCache) {
    {
      PageRoleGuard page_guard(system.queues().PageLock(*page));
      system.queues().Deactivate(*page);
    }
    (void)ReclaimPage(system, *object, *page);
  }
  PagingEnd(system, *object);
}

void Actor::Cache(SpaceModel& space, const Range& range) {
  space.ForEach(range, [&](Address va, ModelPage&) {
    WithObject(space, world_.system, va, [&](Object& object, Pindex index) LOCKING_NO_ANALYSIS {
      Page* page = LookupPage(object, index);
      if (page != nullptr) (void)TryToCachePage(world_.system, object, *page);
    });
  });
}

void Actor::Populate(SpaceModel& space, const Range& range) LOCKING_NO_ANALYSIS {
  System& system = world_.system;
  Object* object = nullptr;
  Pindex first = 0, last = 0;
  WithObject(space, system, range.start, [&](Object& found, Pindex index) LOCKING_NO_ANALYSIS {
    const bool possible = found.type == ObjectType::kPhys || found.anonymous();
    if (!possible || found.backing != nullptr || index >= found.size) return;
    ReferenceObjectLocked(found);
    object = &found;
    first = index;
    last = std::min<Pindex>(index + range.pages, found.size);
  });
  if (object == nullptr) return;
  const Attempt attempt = Begin();
  {
    ObjectGuard guard(object->lock);
    const bool populated = PopulateObject(system, *object, first, last);
    if (!populated && !ReadErrors(attempt).Has(Result::kIoError) && !MayLackMemory(space, attempt))
      FailModel("populating an object failed");
  }
  DeallocateObject(system, object);
}

void Actor::TakeRun(std::uint32_t choice) {
  if (runs_.size() >= kMaxRuns) return;
  std::span<Page> run;
  const ContiguousRequest request{.count = 1 + choice % 3, .alignment = 1 + choice / 4 % 2};
  const Result result = AllocateContiguous(world_.system, request, &run);
  if (result == Result::kNoSpace) return;
  if (result != Result::kOk || run.size() != request.count ||
      run.front().frame % request.alignment != 0)
    FailModel("a run is not what was asked for");
  for (const Page& page : run) std::ranges::fill(world_.system.FrameBytes(page), kRunPattern);
  runs_.push_back(run);
}

void Actor::GiveRun(std::uint32_t which) {
  if (runs_.empty()) return;
  const auto run = runs_.begin() + static_cast<std::ptrdiff_t>(which % runs_.size());
  for (const Page& page : *run)
    if (!std::ranges::all_of(world_.system.FrameBytes(page),
                             [](std::byte byte) { return byte == kRunPattern; }))
      FailModel("somebody wrote to a run that is not theirs");
  FreeContiguous(world_.system, *run);
  runs_.erase(run);
}

void Actor::Truncate(const Operation& operation) {
  constexpr std::uint32_t kUnit = 8;
  constexpr std::uint32_t kSizes = kMaxFilePages * kTestPageSize / kUnit + 1;
  world_.Truncate(world_.files[operation.at % kFiles],
                  std::uint64_t{operation.choice % kSizes} * kUnit);
}

}  // namespace vm
