// Objects as text.
#include "vm/inspect.h"

#include "tests/vm/mapped_object.h"
#include "vm/check.h"

namespace vm {
namespace {

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
  EXPECT_EQ(
      InspectObject(test.object),
      "object #1: default, 5 pages, 4 resident, references 1, shadows 0; resident 0-2 in frames " +
          frames + ", 4 in frame " + std::to_string(first + 4));
}

TEST(InspectTest, AChainIsShownFromTheFront) {
  Machine machine;
  Object* front = AllocateObject(machine.system, ObjectType::kDefault, 8);
  ReferenceObject(front);
  Object* const back = front;
  Pindex offset = 2;
  ShadowObject(machine.system, &front, &offset, 4);
  EXPECT_EQ(InspectChain(*front),
            "object #2: default, 4 pages, 0 resident, references 1, shadows 0, behind it #1 + 2\n"
            "object #1: default, 8 pages, 0 resident, references 2, shadows 1\n");
  DeallocateObject(machine.system, front);
  DeallocateObject(machine.system, back);
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

}  // namespace
}  // namespace vm
