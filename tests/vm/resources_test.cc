// What the VM says of things that are waited for and are no locks: who holds them, who has promised
// to end the waits.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "locking/resource.h"
#include "locking/thread.h"
#include "locking/witness/scoped_witness.h"
#include "tests/vm/machine.h"
#include "vm/lock_classes.h"
#include "vm/page_alloc.h"
#include "vm/page_busy.h"
#include "vm/pager/swap.h"

namespace vm {
namespace {

// "page busy #3, paging in progress #1": what a thread holds, or has promised, that is no lock.
std::string ResourcesOf(const locking::ThreadState& thread) {
  std::string text;
  for (std::uint32_t i = 0; i < thread.held.size(); ++i) {
    const locking::HeldLock& held = thread.held.at(i);
    const locking::LockClass* held_class = held.lock_class.load();
    if (held_class->kind() != locking::LockKind::kResource) continue;
    text +=
        (text.empty() ? "" : ", ") + held_class->name() + " #" + std::to_string(held.instance());
  }
  return text;
}
std::string Resources() { return ResourcesOf(locking::Self()); }

class ResourcesTest : public ::testing::Test {
 protected:
  ResourcesTest() {
    machine_.Store(space_, start_, 1);
    machine_.Store(space_, start_ + kTestPageSize, 2);
    first_ = machine_.FirstPage(space_, start_);
    second_ = machine_.FirstPage(space_, start_ + kTestPageSize);
    object_ = first_->object;
    busy_ = "page busy #" + std::to_string(first_->frame);
  }
  ~ResourcesTest() override { space_->Exit(); }

  locking::ScopedWitness witness_;
  Machine machine_;
  Space* space_ = machine_.system.CreateSpace();
  Address start_ = machine_.Map(space_, 4);
  Page* first_;
  Page* second_;
  Object* object_;
  std::string busy_;
};

TEST_F(ResourcesTest, ABusyPageHasItsHolder) {
  ObjectGuard guard(object_->lock);
  BusyPage(*object_, *first_);
  EXPECT_EQ(Resources(), busy_);
  UnbusyPage(machine_.system, *object_, *first_);
  EXPECT_EQ(Resources(), "");
  ShareBusyPage(*object_, *first_);
  ShareBusyPage(*object_, *first_);
  EXPECT_EQ(Resources(), busy_ + ", " + busy_);
  UnshareBusyPage(machine_.system, *object_, *first_);
  EXPECT_EQ(Resources(), busy_);
  UnshareBusyPage(machine_.system, *object_, *first_);
  EXPECT_EQ(Resources(), "");
}

TEST_F(ResourcesTest, ABusyPageThatIsFreedHasNone) {
  ObjectGuard guard(object_->lock);
  Pmap::RemoveAll(machine_.system, *first_);
  BusyPage(*object_, *first_);
  FreePage(machine_.system, *object_, *first_);
  EXPECT_EQ(Resources(), "");
}

TEST_F(ResourcesTest, AWriteIsHeldByWhoeverGoesOnWithIt) {
  const std::string second_busy = "page busy #" + std::to_string(second_->frame);
  const std::string paging = "paging in progress #" + std::to_string(object_->id);
  SwapPager& swap = machine_.system.swap();
  WriteOut write;
  {
    ObjectGuard guard(object_->lock);
    Page* const pages[] = {first_, second_};
    swap.BeginPageOut(*object_, pages, &write);
  }
  EXPECT_EQ(Resources(), busy_ + ", " + second_busy + ", " + paging);
  SwapPager::GiveAway(*object_, write);
  EXPECT_EQ(Resources(), "");
  locking::Thread("laundry", [&] {
    SwapPager::TakeOver(*object_, write);
    // In the order in which they were given away, the newest first.
    EXPECT_EQ(Resources(), second_busy + ", " + busy_ + ", " + paging);
    swap.Write(write);
    ObjectGuard guard(object_->lock);
    EXPECT_EQ(swap.EndPageOut(*object_, write), 2u);
    EXPECT_EQ(Resources(), "");
  }).Join();
}

// Of all threads of that name.
std::vector<std::string> Promises(const std::string& name) {
  std::vector<std::string> promises;
  locking::InspectNativeThreads([&](std::span<locking::ThreadState* const> threads) {
    for (const locking::ThreadState* thread : threads)
      if (thread->name == name) promises.push_back(ResourcesOf(*thread));
  });
  return promises;
}

TEST_F(ResourcesTest, TheDaemonsHavePromisedWhatOthersWaitFor) {
  machine_.system.Start();
  const std::vector<std::string> daemon = {"free pages #0"};
  const std::vector<std::string> laundry(kLaundryThreads, "laundry done #0");
  while (Promises("page daemon") != daemon || Promises("laundry") != laundry) locking::Yield();
  machine_.system.Stop();
}

}  // namespace
}  // namespace vm
