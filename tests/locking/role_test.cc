// Roles: locks of their own, or one mutex that plays them all.
#include "locking/role.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "locking/sleep_queue.h"
#include "locking/statistics.h"
#include "locking/thread.h"

namespace locking {
namespace {

const LockClass kGiantClass("test giant", LockKind::kMutex);
const LockClass kObjectClass("test object role", LockKind::kMutex);
const LockClass kPmapClass("test pmap role", LockKind::kMutex);
const LockClass kQueuesClass("test queues role", LockKind::kMutex);
const LockClass kEventClass("test role event", LockKind::kResource);

enum class PlayedBy { kItself, kGiant };

// Three roles, played by locks of their own or by one.
struct Roles {
  explicit Roles(PlayedBy by) {
    Giant* one = by == PlayedBy::kGiant ? &giant : nullptr;
    object.emplace(kObjectClass, 1, one);
    other.emplace(kObjectClass, 2, one);
    pmap.emplace(kPmapClass, 1, one);
    queues.emplace(kQueuesClass, 0, one);
  }
  Giant giant{kGiantClass};
  std::optional<RwRole> object, other;
  std::optional<Role<Mutex>> pmap;
  std::optional<Role<RecursiveMutex>> queues;
};

class EachRole : public testing::TestWithParam<PlayedBy> {
 protected:
  Roles roles_{GetParam()};
};
std::string NameOf(const testing::TestParamInfo<PlayedBy>& info) {
  return info.param == PlayedBy::kGiant ? "giant" : "itself";
}
constexpr PlayedBy kEach[] = {PlayedBy::kItself, PlayedBy::kGiant};
INSTANTIATE_TEST_SUITE_P(PlayedBy, EachRole, testing::ValuesIn(kEach), NameOf);
using EachRoleDeathTest = EachRole;
INSTANTIATE_TEST_SUITE_P(PlayedBy, EachRoleDeathTest, testing::ValuesIn(kEach), NameOf);

TEST_P(EachRole, IsHeldFromItsLockToItsUnlock) LOCKING_NO_ANALYSIS {
  roles_.object->Lock();
  EXPECT_TRUE(roles_.object->HeldByCaller());
  EXPECT_FALSE(roles_.other->HeldByCaller());
  EXPECT_FALSE(roles_.pmap->HeldByCaller());
  roles_.pmap->Lock();
  roles_.object->Unlock();
  EXPECT_FALSE(roles_.object->HeldByCaller());
  EXPECT_TRUE(roles_.pmap->HeldByCaller());
  roles_.pmap->AssertHeld();
  roles_.object->AssertNotHeld();
  roles_.pmap->Unlock();
  EXPECT_FALSE(roles_.pmap->HeldByCaller());
}

TEST_P(EachRole, ARecursiveOneIsCounted) LOCKING_NO_ANALYSIS {
  roles_.queues->Lock();
  EXPECT_TRUE(roles_.queues->TryLock());
  roles_.queues->Lock();
  roles_.queues->Unlock();
  roles_.queues->Unlock();
  EXPECT_TRUE(roles_.queues->HeldByCaller());
  roles_.queues->Unlock();
  EXPECT_FALSE(roles_.queues->HeldByCaller());
}

TEST_P(EachRole, ATryOfWhatTheCallerHoldsFails) LOCKING_NO_ANALYSIS {
  roles_.object->Lock();
  EXPECT_FALSE(roles_.object->TryLock());
  EXPECT_TRUE(roles_.other->TryLock());
  roles_.other->Unlock();
  roles_.object->Unlock();
}

TEST_P(EachRole, ExcludesOthers) {
  int counter = 0;
  std::vector<Thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back("counter", [&] {
      for (int i = 0; i < 5000; ++i) {
        Guard guard(*roles_.object);
        Guard inner(*roles_.queues);
        ++counter;
      }
    });
  }
  for (Thread& thread : threads) thread.Join();
  EXPECT_EQ(counter, 20'000);
}

TEST_P(EachRole, ASleepGivesItUp) {
  SleepQueue sleep_queue;
  bool ready = false;
  Thread sleeper("sleeper", [&]() LOCKING_NO_ANALYSIS {
    roles_.object->Lock();
    while (!ready)
      sleep_queue
          .SleepKeep(&ready, *roles_.object, {.resource_class = &kEventClass, .message = "ready"})
          .AndRetry();
    EXPECT_TRUE(roles_.object->HeldByCaller());
    EXPECT_FALSE(roles_.object->TryLock());
    roles_.object->Unlock();
  });
  {
    Guard guard(*roles_.object);
    ready = true;
  }
  sleep_queue.WakeAll(&ready);
  sleeper.Join();
}

TEST_P(EachRoleDeathTest, MisuseIsLk01) LOCKING_NO_ANALYSIS {
  roles_.pmap->Lock();
  EXPECT_DEATH(roles_.pmap->Lock(), "LK01.*test pmap role #1.*taken again");
  EXPECT_DEATH(roles_.object->Unlock(), "LK01.*test object role #1.*unlocked");
  EXPECT_DEATH(roles_.object->AssertHeld(), "LK01.*test object role #1.*asserted");
  EXPECT_DEATH(roles_.pmap->AssertNotHeld(), "LK01.*test pmap role #1");
  roles_.pmap->Unlock();
}

TEST(GiantDeathTest, ASleepWithAnotherRoleHeldIsLk11) LOCKING_NO_ANALYSIS {
  Roles roles(PlayedBy::kGiant);
  SleepQueue sleep_queue;
  roles.pmap->Lock();
  roles.object->Lock();
  EXPECT_DEATH(
      sleep_queue
          .SleepDrop(&roles, *roles.object, {.resource_class = &kEventClass, .message = "never"})
          .AndRetry(),
      "LK11.*test object role as interlock holds 1 more");
  roles.object->Unlock();
  roles.pmap->Unlock();
}

TEST(Giant, RolesExcludeOneAnother) LOCKING_NO_ANALYSIS {
  Roles roles(PlayedBy::kGiant);
  roles.object->LockShared();
  bool taken = true;
  Thread("trier", [&]() LOCKING_NO_ANALYSIS { taken = roles.pmap->TryLock(); }).Join();
  EXPECT_FALSE(taken);
  roles.object->UnlockShared();
  Thread("trier", [&]() LOCKING_NO_ANALYSIS {
    taken = roles.pmap->TryLock();
    if (taken) roles.pmap->Unlock();
  }).Join();
  EXPECT_TRUE(taken);
}

}  // namespace
}  // namespace locking
