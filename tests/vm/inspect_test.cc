// What a debugger shows of a machine: objects, chains, pages, queues, and the check of all objects.
#include "vm/inspect.h"

#include <cstdio>

#include "tests/vm/mapped_object.h"
#include "vm/check.h"

namespace vm {
namespace {

using Lines = std::vector<std::string>;

std::string Hex(Address address) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

TEST(InspectTest, AnObjectShowsItsCountsAndItsPagesInRuns) {
  MappedObject test(5);
  // The frames follow one another, but for the order in which they are taken.
  const Frame first = test.page(0).frame;
  ASSERT_EQ(test.page(1).frame, first + 1);
  {
    ObjectGuard guard(test.object.lock);
    FreePage(test.system, test.object, test.page(3));
  }
  const std::string frames = std::to_string(first) + "-" + std::to_string(first + 2);
  EXPECT_EQ(Text(InspectObject(test.object)),
            "object #1: default, 5 pages, 4 resident, references 1, shadows 0, one mapping; "
            "resident 0-2 in frames " +
                frames + ", 4 in frame " + std::to_string(first + 4));
}

TEST(InspectTest, AnObjectShowsItsCopiesInSwap) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address start = machine.Map(space, 3);
  for (Address i = 0; i < 3; ++i) machine.Store(space, start + i * kTestPageSize, i);
  Object* const owner = machine.FirstPage(space, start)->object;
  Object& object = *owner;
  {
    ObjectGuard guard(object.lock);
    std::vector<Page*> pages;
    for (Pindex i = 0; i < 3; ++i) pages.push_back(LookupPage(object, i));
    ASSERT_EQ(machine.system.swap().PageOut(object, pages), 3u);
    Pmap::RemoveAll(machine.system, *pages[1]);
    FreePage(machine.system, object, *pages[1]);
  }
  const ObjectState state = InspectObject(object);
  EXPECT_EQ(state.type, "swap");
  EXPECT_EQ(state.pages.size(), 2u);
  ASSERT_EQ(state.slots.size(), 1u);
  EXPECT_EQ(state.slots.front().count, 3u);
  EXPECT_NE(Text(state).find("; in swap 0-2 in slots 0-2"), std::string::npos) << Text(state);
  space->Exit();
}

TEST(InspectTest, NoMoreRunsAreKeptThanAReportCanHold) {
  Machine machine(2048);
  Space* space = machine.system.CreateSpace();
  constexpr std::uint32_t kRuns = 1030;
  const Address start = machine.Map(space, 2 * kRuns);
  for (Address i = 0; i < kRuns; ++i) machine.Store(space, start + 2 * i * kTestPageSize, i);
  Object* const object = machine.FirstPage(space, start)->object;
  const ObjectState state = InspectObject(*object);
  EXPECT_EQ(state.resident, kRuns);
  EXPECT_EQ(state.pages.size(), ObjectState::kRunStates);
  EXPECT_EQ(state.pages_left_out, kRuns - ObjectState::kRunStates);
  EXPECT_NE(Text(state).find(", 1016 more runs and 6 more pages"), std::string::npos)
      << Text(state);
  space->Exit();
}

TEST(InspectTest, AChainIsShownFromTheFront) {
  Machine machine;
  Object* front = AllocateObject(machine.system, ObjectType::kDefault, 8);
  ReferenceObject(front);
  Object* const back = front;
  Pindex offset = 2;
  ShadowObject(machine.system, &front, &offset, 4);
  const std::string of_front =
      "object #2: default, 4 pages, 0 resident, references 1, shadows 0, one mapping, behind it "
      "#1 + 2";
  const std::string of_back = "object #1: default, 8 pages, 0 resident, references 2, shadows 1";
  const std::vector<ObjectState> chain = InspectChain(*front);
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(Text(chain[0]), of_front);
  EXPECT_EQ(Text(chain[1]), of_back);
  const std::vector<ObjectState> later = ChainOf(InspectMachine(machine.system), front->id);
  ASSERT_EQ(later.size(), 2u);
  EXPECT_EQ(Text(later[1]), of_back);
  DeallocateObject(machine.system, front);
  DeallocateObject(machine.system, back);
}

TEST(InspectTest, AChainThatIsACircleEnds) {
  MachineState machine;
  machine.objects.resize(2);
  machine.objects[0].id = 1;
  machine.objects[0].backing = 2;
  machine.objects[1].id = 2;
  machine.objects[1].backing = 1;
  EXPECT_EQ(ChainOf(machine, 1).size(), 2u);
  machine.spaces.resize(1);
  machine.spaces[0].entries.resize(1);
  machine.spaces[0].entries[0].object = 2;
  EXPECT_EQ(CheckObjects(machine), Lines());
}

TEST(InspectTest, ALeakedObjectIsShown) {
  Machine machine;
  Object* object = AllocateObject(machine.system, ObjectType::kDefault, 8);
  std::string texts;
  for (const locking::Finding& finding : CheckNoLeaks(machine.system))
    texts += finding.title + "\n";
  EXPECT_NE(texts.find("object #1: default, 8 pages, 0 resident, references 1"), std::string::npos)
      << texts;
  DeallocateObject(machine.system, object);
}

TEST(InspectTest, APageShowsWhoseItIsAndWhoMapsIt) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address start = machine.Map(space, 2);
  machine.Store(space, start + kTestPageSize, 7);
  const Page& page = *machine.FirstPage(space, start + kTestPageSize);
  const MachineState state = InspectMachine(machine.system);
  const PageState* found = state.FindPage(page.frame);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(Text(*found), "frame " + std::to_string(page.frame) +
                              ": object, on the queue active, object #1 at 1, valid 0x1, dirty "
                              "0x0, act count 5, referenced, writeable; mapped by space #1 at " +
                              Hex(start + kTestPageSize) + " writable modified");
  EXPECT_NE(Text(state.spaces.front()).find(" rw, object #1 + 0\n"), std::string::npos)
      << Text(state.spaces.front());
  space->Exit();
}

TEST(InspectTest, TheQueuesAreCountedByColour) {
  MappedObject test(5);
  Page& cached = test.page(3);
  {
    ObjectGuard guard(test.object.lock);
    PageRoleGuard role_guard(test.system.queues().PageLock(cached));
    test.system.queues().Cache(cached);
  }
  const MachineState state = InspectMachine(test.system);
  EXPECT_EQ(state.queues.active, 4u);
  EXPECT_EQ(state.queues.cache_by_color[ColorOf(cached.frame)], 1u);
  EXPECT_EQ(state.queues.cache(), 1u);
  EXPECT_EQ(state.queues.free(), 59u);
  EXPECT_EQ(state.queues.free_by_color.size(), kColors);
  EXPECT_EQ(state.pages.size(), 5u);
  const std::string text = QueuesText(state);
  EXPECT_NE(text.find("pages       64 of 512 bytes: 59 free, 0 of them zeroed, 1 cached, 0 "
                      "inactive, 4 active, 0 wired, 0 held\nthresholds  free_reserved "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\nfree        "), std::string::npos) << text;
  EXPECT_NE(text.find("\ncache       "), std::string::npos) << text;
}

TEST(InspectTest, TheCheckPassesASoundMachine) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address start = machine.Map(space, 4);
  machine.Store(space, start, 1);
  Space* child = space->Fork();
  ASSERT_NE(child, nullptr);
  machine.Store(child, start, 2);
  const MachineState state = InspectMachine(machine.system);
  EXPECT_GE(state.objects.size(), 2u);
  EXPECT_EQ(CheckObjects(state), Lines());
  space->Exit();
  child->Exit();
}

TEST(InspectTest, TheCheckFindsAnObjectInNoMap) {
  Machine machine;
  Object* object = AllocateObject(machine.system, ObjectType::kDefault, 8);
  EXPECT_EQ(CheckObjects(InspectMachine(machine.system)), Lines{"object #1 is in no map"});
  DeallocateObject(machine.system, object);
}

TEST(InspectTest, TheCheckFindsAnObjectWithoutAReference) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address start = machine.Map(space, 1);
  machine.Store(space, start, 1);
  Object* const owner = machine.FirstPage(space, start)->object;
  Object& object = *owner;
  const auto set_references = [&](std::uint32_t references) {
    ObjectGuard guard(object.lock);
    object.ref_count = references;
  };
  set_references(0);
  EXPECT_EQ(CheckObjects(InspectMachine(machine.system)), Lines{"object #1 has no reference"});
  set_references(1);
  space->Exit();
}

}  // namespace
}  // namespace vm
