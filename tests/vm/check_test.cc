// Each sweep sees its invariant broken, and no other sweep does; a sound machine passes them all.
#include "vm/check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "tests/vm/machine.h"
#include "vm/page_alloc.h"
#include "vm/pmap_checker.h"

namespace vm {
namespace {

std::string Texts(const std::vector<locking::Finding>& findings) {
  std::string texts;
  for (const locking::Finding& finding : findings) texts += locking::FormatFinding(finding);
  return texts;
}

// A machine with something of everything: written, read and wired pages, a fork with copies.
class Sweep : public testing::Test {
 protected:
  Sweep() {
    parent = machine.system.CreateSpace();
    va = machine.Map(parent, kPages);
    for (Address i = 0; i < kPages - 1; ++i) machine.Store(parent, va + i * kTestPageSize, i + 1);
    wired_va = machine.Map(parent, 2);
    EXPECT_EQ(parent->Wire(wired_va, 2 * kTestPageSize), Result::kOk);
    child = parent->Fork();
    machine.Store(child, va, 100, 1);                   // a copy in the child
    machine.Store(parent, va + kTestPageSize, 101, 2);  // and one in the parent
    machine.Load(child, va + 2 * kTestPageSize, 3);     // one still shared
    machine.Store(child, wired_va, 102, 1);
    EXPECT_EQ(Texts(CheckSystem(machine.system)), "");
  }

  // The ids of what the sweeps find now.
  std::set<std::string> Ids() {
    std::set<std::string> ids;
    for (const locking::Finding& finding : CheckSystem(machine.system)) ids.insert(finding.id);
    return ids;
  }
  static std::set<std::string> Only(const char* id) { return {id}; }

  // The child's copy, mapped writable by the child alone.
  Page& Copy() { return *machine.FirstPage(child, va); }
  Object& ChildObject() { return *child->map().Lookup(va)->object; }
  Page& FreePage() {
    for (Page& page : machine.system.pages())
      if (page.queue == PageQueue::kFree) return page;
    std::abort();
  }
  PageQueues& queues() { return machine.system.queues(); }
  // The page-table entry of `at`.
  static void ChangeEntry(Space* space, Address at, std::uint64_t set, std::uint64_t clear = 0) {
    PmapChecker::ForEachEntry(space->pmap(), [&](Address entry_va, PmapChecker::Entry& entry) {
      if (entry_va == at) entry.Store((entry.Load() | set) & ~clear);
    });
  }

  // A machine with a planted fault cannot be taken down: it is kept to the end of the process.
  static Machine& NewMachine() {
    static auto& machines = *new std::vector<Machine*>;
    return *machines.emplace_back(new Machine);
  }

  static constexpr Address kPages = 6;
  Machine& machine = NewMachine();
  Space* parent;
  Space* child;
  Address va;
  Address wired_va;
};

TEST_F(Sweep, SoundMachinePassesAndLeaksNothing) {
  machine.system.daemon().Scan(0);
  EXPECT_EQ(Texts(CheckSystem(machine.system)), "");
  EXPECT_NE(CheckNoLeaks(machine.system).size(), 0u);
  child->Exit();
  EXPECT_EQ(Texts(CheckSystem(machine.system)), "");
  parent->Exit();
  EXPECT_EQ(Texts(CheckSystem(machine.system)), "");
  EXPECT_EQ(Texts(CheckNoLeaks(machine.system)), "");
}

TEST_F(Sweep, ListsWhatItChecks) {
  const std::vector<CheckedInvariant> checked = CheckedInvariants();
  EXPECT_EQ(checked.size(), 35u);
  for (std::size_t i = 1; i < checked.size(); ++i)
    EXPECT_LT(std::string(checked[i - 1].id), checked[i].id);
}

TEST_F(Sweep, FindingsOfOneInvariantAreBounded) {
  for (Page& page : machine.system.pages()) page.wanted = true;
  const auto findings = CheckSystem(machine.system);
  EXPECT_EQ(findings.size(), 8u);
  EXPECT_NE(findings.back().title.find("more"), std::string::npos);
}

// ---- Pages ----

TEST_F(Sweep, Inv01DirtyFreePage) {
  FreePage().dirty.Store(1);
  EXPECT_EQ(Ids(), Only("INV-01"));
}

TEST_F(Sweep, Inv02OwnedPageCalledUnowned) {
  Copy().identity = PageIdentity::kNoObject;
  EXPECT_EQ(Ids(), Only("INV-02"));
}

TEST_F(Sweep, Inv02FreePageCalledDetached) {
  FreePage().identity = PageIdentity::kDetached;
  EXPECT_EQ(Ids(), Only("INV-02"));
}

TEST_F(Sweep, Inv08ZeroedPageIsNotZero) {
  Page& page = *machine.system.free_queue().TryTake(AllocClass::kInterrupt, false).page;
  ZeroPage(machine.system, page);
  page.zeroed = true;
  machine.system.free_queue().Put(page);
  EXPECT_EQ(Texts(CheckSystem(machine.system)), "");
  machine.system.FrameBytes(page)[17] = std::byte{1};
  EXPECT_EQ(Ids(), Only("INV-08"));
}

TEST_F(Sweep, Inv14PageLeftWanted) {
  Copy().wanted = true;
  EXPECT_EQ(Ids(), Only("INV-14"));
}

TEST_F(Sweep, Inv17PageLeftBusy) {
  Copy().busy_owner = 1;
  EXPECT_EQ(Ids(), Only("INV-17"));
}

TEST_F(Sweep, Inv17PageLeftSharedBusy) {
  Copy().shared_busy = 1;
  EXPECT_EQ(Ids(), Only("INV-17"));
}

TEST_F(Sweep, Inv19PageOnAnotherListThanItSays) {
  ASSERT_EQ(Copy().queue, PageQueue::kActive);
  Copy().queue = PageQueue::kInactive;
  EXPECT_EQ(Ids(), Only("INV-19"));
}

TEST_F(Sweep, Inv19ListDisagreesWithItsCounter) {
  PageRoleGuard guard(queues().lock);
  Page& page = queues().active().front();
  queues().active().pop_front();
  queues().inactive().push_back(page);
  page.queue = PageQueue::kInactive;
  EXPECT_EQ(Ids(), Only("INV-19"));
}

TEST_F(Sweep, Inv20PageTakenAndForgotten) {
  ASSERT_NE(machine.system.free_queue().TryTake(AllocClass::kInterrupt, false).page, nullptr);
  EXPECT_EQ(Ids(), Only("INV-20"));
}

TEST_F(Sweep, Inv21OwnedPageOnNoQueue) {
  PageRoleGuard guard(queues().PageLock(Copy()));
  queues().Dequeue(Copy());
  EXPECT_EQ(Ids(), Only("INV-21"));
}

TEST_F(Sweep, Inv22WiredPageOnAQueue) {
  Page& page = *machine.FirstPage(parent, wired_va);
  PageRoleGuard guard(queues().PageLock(page));
  page.wire_count = 0;
  queues().Activate(page);
  page.wire_count = 1;
  EXPECT_EQ(Ids(), Only("INV-22"));
}

TEST_F(Sweep, Inv22UnmanagedPageOnAQueue) {
  Copy().unmanaged = true;
  const std::set<std::string> ids = Ids();
  EXPECT_TRUE(ids.contains("INV-22"));
  Copy().unmanaged = false;
  EXPECT_EQ(Texts(CheckSystem(machine.system)), "");
}

TEST_F(Sweep, Inv23CachedPageIsDirty) {
  Page& page = Copy();
  {
    ObjectGuard object_guard(ChildObject().lock);
    Pmap::RemoveAll(machine.system, page);
    page.dirty.Store(0);
    PageRoleGuard guard(queues().PageLock(page));
    queues().Cache(page);
  }
  EXPECT_EQ(Texts(CheckSystem(machine.system)), "");
  page.dirty.Store(1);
  EXPECT_EQ(Ids(), Only("INV-23"));
}

TEST_F(Sweep, Inv28WiredCounterIsOff) {
  Page& page = FreePage();
  queues().WireNew(page);
  --page.wire_count;
  EXPECT_EQ(Ids(), Only("INV-28"));
}

TEST_F(Sweep, Inv52DirtyBlocksThatAreNotValid) {
  Page& page = Copy();
  {
    ObjectGuard object_guard(ChildObject().lock);
    Pmap::RemoveAll(machine.system, page);
  }
  page.dirty.Store(1);
  page.valid = 0;
  EXPECT_EQ(Ids(), Only("INV-52"));
}

TEST_F(Sweep, Inv52MappedPageIsNotValid) {
  Copy().dirty.Store(0);
  Copy().valid = 0;
  EXPECT_EQ(Ids(), Only("INV-52"));
}

// ---- Objects ----

TEST_F(Sweep, Inv03PageIsNotWhereItSays) {
  if (machine.system.config().index != IndexKind::kRadix)
    GTEST_SKIP() << "a tree has a page where the page says";
  Copy().pindex += 1;
  EXPECT_EQ(Ids(), Only("INV-03"));
}

TEST_F(Sweep, Inv05ResidentCountIsOff) {
  ++ChildObject().resident_page_count;
  EXPECT_EQ(Ids(), Only("INV-05"));
}

TEST_F(Sweep, Inv06PageLiesBeyondTheEnd) {
  ChildObject().size = 0;
  EXPECT_EQ(Ids(), Only("INV-06"));
}

TEST_F(Sweep, Inv32ReferenceTooMany) {
  ++ChildObject().ref_count;
  EXPECT_EQ(Ids(), Only("INV-32"));
}

TEST_F(Sweep, Inv32ObjectInNoMap) {
  Object* object = AllocateObject(machine.system, ObjectType::kDefault, 1);
  object->ref_count = 0;
  EXPECT_EQ(Ids(), Only("INV-32"));
}

TEST_F(Sweep, Inv33ShadowCountIsOff) {
  Object& backer = *ChildObject().backing;
  ASSERT_EQ(backer.shadow_count, 2u);
  --backer.shadow_count;
  EXPECT_EQ(Ids(), Only("INV-33"));
}

TEST_F(Sweep, Inv33ShadowIsNotOnTheList) {
  Object& backer = *ChildObject().backing;
  backer.shadows.erase(backer.shadows.iterator_to(ChildObject()));
  --backer.shadow_count;
  EXPECT_EQ(Ids(), Only("INV-33"));
}

TEST_F(Sweep, Inv34ShadowReachesBeyondItsBacker) {
  ChildObject().size = kPages + 1;
  EXPECT_EQ(Ids(), Only("INV-34"));
}

// A cycle that a reference, a shadow list and enough room agree with.
TEST_F(Sweep, Inv34ChainIsACycle) {
  Object& front = ChildObject();
  Object& back = *front.backing;
  back.backing = &front;
  front.shadows.push_front(back);
  ++front.shadow_count;
  ++front.ref_count;
  // What is writable through an object that others shadow is another matter.
  child->pmap().Protect(0, child->pmap().limit(), Protection::kRead);
  EXPECT_EQ(Ids(), Only("INV-34"));
}

TEST_F(Sweep, Inv36DeadObjectIsReferenced) {
  Object* dead = machine.system.TakeObject();
  machine.system.ReturnObject(dead);
  dead->ref_count = 1;
  EXPECT_EQ(Ids(), Only("INV-36"));
}

TEST_F(Sweep, Inv37PagingLeftInProgress) {
  ++ChildObject().paging_in_progress;
  EXPECT_EQ(Ids(), Only("INV-37"));
}

// D24: what nobody else uses any more is never merged.
TEST_F(Sweep, Inv39ChainGrowsForEver) {
  child->pmap().Protect(0, child->pmap().limit(), Protection::kRead);
  MapEntry& entry = *child->map().Lookup(va);
  const auto shadow = [&] {
    Object& backer = *entry.object;
    ++backer.ref_count;  // else nothing is shadowed
    ShadowObject(machine.system, &entry.object, &entry.offset, kPages);
    --backer.ref_count;
  };
  for (int link = 0; link < 64; ++link) shadow();
  EXPECT_EQ(Texts(CheckSystem(machine.system)), "");
  shadow();
  EXPECT_EQ(Ids(), Only("INV-39"));
}

TEST_F(Sweep, Inv51SwapSlotWithoutAMark) {
  static SwapMap swap_map;
  swap_map.Set(kPages - 1, 3);
  ChildObject().swap = &swap_map;
  EXPECT_EQ(Ids(), Only("INV-51"));
  ChildObject().swap = nullptr;
}

TEST_F(Sweep, Inv51ChargeIsForgotten) {
  --ChildObject().charge;
  EXPECT_EQ(Ids(), Only("INV-51"));
}

TEST_F(Sweep, Inv51ChargeOfAnEntryIsMadeTwice) {
  ASSERT_EQ(child->map().Lookup(va)->credential, nullptr);
  child->map().Lookup(va)->credential = &machine.system.charges().everybody();
  EXPECT_EQ(Ids(), Only("INV-51"));
}

// ---- Maps and page tables ----

TEST_F(Sweep, Inv29PageWiredTwiceByOneEntry) {
  Page& page = *machine.FirstPage(parent, wired_va);
  PageRoleGuard guard(queues().PageLock(page));
  queues().Wire(page);
  EXPECT_EQ(Ids(), Only("INV-29"));
}

TEST_F(Sweep, Inv29TablePageThatNoPmapUses) {
  ASSERT_NE(AllocateUnownedPage(machine.system, {.wired = true}), nullptr);
  EXPECT_EQ(Ids(), Only("INV-29"));
}

TEST_F(Sweep, Inv31PageLeftWired) {
  PageRoleGuard guard(queues().PageLock(Copy()));
  queues().Wire(Copy());
  EXPECT_EQ(Ids(), Only("INV-31"));
}

TEST_F(Sweep, Inv41PvEntryWithoutAMapping) {
  PvLists::Shard& shard = machine.system.pv_lists().ShardOf(Copy());
  {
    RoleGuard guard(shard.lock);
    shard.Add(Copy(), &child->pmap(), 0);
  }
  EXPECT_EQ(Ids(), Only("INV-41"));
}

TEST_F(Sweep, Inv41MappingWithoutAPvEntry) {
  PvLists::Shard& shard = machine.system.pv_lists().ShardOf(Copy());
  {
    RoleGuard guard(shard.lock);
    shard.Remove(Copy(), &child->pmap(), va);
  }
  EXPECT_EQ(Ids(), Only("INV-41"));
}

// The shootdown misses a CPU.
TEST_F(Sweep, Inv42CpuStillTranslatesToAFreePage) {
  const Frame frame = Copy().frame;
  PmapChecker::ActiveCpus(child->pmap()).Store(0);
  EXPECT_EQ(child->Unmap(va, kPages * kTestPageSize), Result::kOk);
  EXPECT_EQ(machine.system.PageOfFrame(frame).queue, PageQueue::kFree);
  EXPECT_EQ(Ids(), Only("INV-42"));
}

TEST_F(Sweep, Inv42CpuStillWritesAfterADowngrade) {
  PmapChecker::ActiveCpus(child->pmap()).Store(0);
  child->pmap().Protect(va, va + kTestPageSize, Protection::kRead);
  EXPECT_EQ(Ids(), Only("INV-42"));
}

TEST_F(Sweep, Inv43WritableBeforeItIsCopied) {
  child->map().Lookup(va)->needs_copy = true;
  EXPECT_EQ(Ids(), Only("INV-43"));
}

TEST_F(Sweep, Inv43WritableAgainstItsEntry) {
  child->map().Lookup(va)->protection = Protection::kRead;
  EXPECT_EQ(Ids(), Only("INV-43"));
}

TEST_F(Sweep, Inv43WritableMappingOfABackersPage) {
  ChangeEntry(child, va + 2 * kTestPageSize, PmapChecker::kWritable);
  EXPECT_EQ(Ids(), Only("INV-43"));
}

TEST_F(Sweep, Inv43WritableMappingOfAPageNotMarkedSo) {
  Copy().writeable.Store(false);
  EXPECT_EQ(Ids(), Only("INV-43"));
}

// Nobody may write through it, but its table may get the right to back.
TEST_F(Sweep, Inv43WritableEntryInAReadOnlyTableOfAPageNotMarkedSo) {
  child->pmap().Protect(0, child->pmap().limit(), Protection::kRead);
  Copy().writeable.Store(false);
  EXPECT_EQ(Ids(), Only("INV-43"));
}

TEST_F(Sweep, Inv44WiredCountIsOff) {
  ChangeEntry(child, va, PmapChecker::kWired);
  EXPECT_EQ(Ids(), Only("INV-44"));
}

// D44: the mapping of a page that has been copied in front of it.
TEST_F(Sweep, Inv47MappingShowsACoveredPage) {
  Page* covered;
  {
    ObjectGuard guard(ChildObject().lock);
    covered = LookupPage(*ChildObject().backing, 0);
    ASSERT_NE(covered, nullptr);
    ASSERT_EQ(child->pmap().Enter(va, *covered, Protection::kRead, false), Result::kOk);
  }
  EXPECT_EQ(Ids(), Only("INV-47"));
}

TEST_F(Sweep, Inv55PagesAreLeftInThePagerMap) {
  std::array<std::span<std::byte>, kClusterPages> bytes;
  Page* page = &FreePage();
  machine.system.pager_map().In({&page, 1}, MapIn::kTry, bytes.data());
  EXPECT_EQ(Ids(), Only("INV-55"));
}

TEST_F(Sweep, Inv56SizeIsOff) {
  child->map().size += kTestPageSize;
  EXPECT_EQ(Ids(), Only("INV-56"));
}

TEST_F(Sweep, Inv56EntriesOverlap) {
  MapEntry& entry = child->map().entries.rbegin()->second;
  entry.start = va + kTestPageSize;
  entry.offset = 0;
  child->map().size = 0;
  EXPECT_TRUE(Ids().contains("INV-56"));
}

TEST_F(Sweep, Inv58TransitionNeverEnds) {
  child->map().Lookup(va)->in_transition = true;
  EXPECT_EQ(Ids(), Only("INV-58"));
}

// ---- Leaks ----

TEST(Leaks, EveryKindIsNamed) {
  Machine machine;
  EXPECT_EQ(Texts(CheckNoLeaks(machine.system)), "");
  Space* space = machine.system.CreateSpace();
  machine.Store(space, machine.Map(space, 1), 1);
  const std::string texts = Texts(CheckNoLeaks(machine.system));
  for (const char* what :
       {"spaces", "pages are not free", "objects", "PV entries", "pages are wired"})
    EXPECT_NE(texts.find(what), std::string::npos) << what;
  EXPECT_EQ(texts.find("page-index") != std::string::npos,
            machine.system.config().index == IndexKind::kRadix);
  space->Exit();
  EXPECT_EQ(Texts(CheckNoLeaks(machine.system)), "");
}

}  // namespace
}  // namespace vm
