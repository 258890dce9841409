// Random operations by several threads at once, under controlled schedules, against the model: each
// has spaces of its own, and all use one space, whose loads must give what some order of the stores
// explains. Files are cut, taken away and opened again beside that, and the stores fail.
//
// MODEL_EXECUTIONS in the environment says how many executions, MODEL_FIRST_SEED their seed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "locking/explore/check.h"
#include "locking/thread.h"
#include "locking/witness/scoped_witness.h"
#include "tests/model/actor.h"
#include "tests/model/sequence.h"

namespace vm {
namespace {

constexpr std::uint32_t kThreads = 3;
constexpr std::uint32_t kLength = 40;  // operations of each

std::vector<Operation> OperationsOf(std::uint64_t seed, std::uint32_t thread) {
  std::vector<Operation> operations =
      RandomOperations(locking::Random(seed + thread), SideBySide(), kLength);
  // So that the others find something.
  constexpr Operation kMap = {
      .kind = OperationKind::kMapAnonymous, .space = 0, .at = 0, .count = 7, .choice = 4};
  operations.insert(operations.begin(), kMap);
  return operations;
}

// A space of everybody's: memory that forks copy, memory that they share, and a file.
class SharedSpace {
 public:
  explicit SharedSpace(ModelWorld& world)
      : world_(world), model_(world, world.system.CreateSpace()) {
    MapMemory(4, Inheritance::kCopy);
    MapMemory(3, Inheritance::kShare);
    MapFile(4);
  }
  SpaceModel& model() { return model_; }

 private:
  void Add(Address start, std::uint32_t pages, const ModelPage& first) {
    for (std::uint32_t i = 0; i < pages; ++i) {
      ModelPage page = first;
      page.index += i;
      page.home = page.inheritance;
      if (page.kind == Kind::kAnonymous)
        page.memory = std::make_shared<PrivateMemory>(PrivateMemory{std::make_shared<Contents>()});
      model_.pages.emplace(start + std::uint64_t{i} * kTestPageSize, page);
    }
  }
  void MapMemory(std::uint32_t pages, Inheritance inheritance) {
    Address start = 0;
    if (model_.space->MapAnonymous(0, std::uint64_t{pages} * kTestPageSize, Protection::kReadWrite,
                                   inheritance, &start) != Result::kOk)
      FailModel("memory cannot be mapped");
    Add(start, pages, {.inheritance = inheritance});
  }
  void MapFile(std::uint32_t pages) {
    const ModelFile::Opened file = world_.files[0].opened();
    Address start = 0;
    if (model_.space->MapFile(0, std::uint64_t{pages} * kTestPageSize, *file.vnode, 0,
                              Protection::kReadWrite, Space::Sharing::kShared,
                              &start) != Result::kOk)
      FailModel("a file cannot be mapped");
    Add(start, pages, {.kind = Kind::kFile, .life = file.life, .inheritance = Inheritance::kShare});
  }

  ModelWorld& world_;
  SpaceModel model_;
};

using EventSums = std::array<std::uint64_t, static_cast<std::size_t>(Event::kCount)>;

void RunThreads(std::uint64_t seed, const WorldOptions& options, EventSums& sums) {
  locking::ScopedWitness witnessed;
  ModelWorld world(options);
  SharedSpace shared(world);
  {
    std::vector<std::unique_ptr<Actor>> actors;
    for (std::uint32_t i = 0; i < kThreads; ++i)
      actors.push_back(std::make_unique<Actor>(world, &shared.model()));
    std::vector<locking::Thread> threads;
    for (std::uint32_t i = 0; i < kThreads; ++i)
      threads.emplace_back("actor " + std::to_string(i), [&, i] {
        for (const Operation& operation : OperationsOf(seed, i)) actors[i]->Apply(operation);
        actors[i]->Finish();
      });
    for (locking::Thread& thread : threads) thread.Join();
  }
  // Everybody is done: there is one answer, or what the stores left open.
  Actor reader(world, &shared.model());
  reader.CheckShared();
  reader.Finish();
  shared.model().space->Exit();
  world.Finish();
  for (std::size_t i = 0; i < sums.size(); ++i)
    sums[i] += world.system.counters().Get(static_cast<Event>(i));
}

struct Case {
  const char* name;
  WorldOptions options;
  std::vector<Event> events;  // that it is there for: they happen in some schedule
};

class Threads : public testing::TestWithParam<Case> {};

TEST_P(Threads, NoScheduleGivesWhatTheModelForbids) {
  EventSums sums{};
  const locking::explore::Result result = locking::explore::Check(
      [&] { RunThreads(locking::explore::Seed(), GetParam().options, sums); },
      {.seed = NumberFromEnvironment("MODEL_FIRST_SEED", 1),
       .executions = NumberFromEnvironment("MODEL_EXECUTIONS", 40),
       .max_steps = 1'000'000});
  ASSERT_EQ(result.error, "");
  for (const Event event : GetParam().events)
    EXPECT_GT(sums[static_cast<std::size_t>(event)], 0u) << EventName(event);
  for (const locking::explore::Failure& failure : result.failures) {
    ADD_FAILURE() << "execution " << failure.execution << "\n"
                  << locking::FormatFinding(failure.finding);
    for (std::uint32_t i = 0; i < kThreads; ++i)
      std::printf("actor %u:\n%s", i, Format(OperationsOf(failure.seed, i)).c_str());
  }
}

constexpr WorldOptions kShort = {
    .pages = 28, .swap_slots = 256, .daemon = true, .slow_store = true};
constexpr WorldOptions kPlenty = {.pages = 160, .swap_slots = 128, .daemon = true};
constexpr WorldOptions kReserving = {
    .pages = 64, .swap_slots = 128, .daemon = true, .reservation_pages = 4};

INSTANTIATE_TEST_SUITE_P(
    Machines, Threads,
    testing::Values(Case{.name = "WithPlentyOfMemory",
                         .options = kPlenty,
                         .events = {Event::kCowCopy, Event::kCollapse, Event::kLoanCopy,
                                    Event::kContiguousRun}},
                    Case{.name = "ShortOfMemory",
                         .options = kShort,
                         .events = {Event::kPageOut, Event::kPageIn, Event::kPageOutError,
                                    Event::kPageInError, Event::kPageWait, Event::kBusyWait}},
                    Case{.name = "WithReservations",
                         .options = kReserving,
                         .events = {Event::kReservation, Event::kReservationFull,
                                    Event::kReservationBroken, Event::kReservationRenamed}}),
    [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace vm
