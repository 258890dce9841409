// Reservations: which frame an allocation gets, where a frame goes that is freed, and what becomes
// of a reservation as pages are moved, objects end and memory is short.
#include "vm/reservation.h"

#include <string>

#include "tests/vm/files.h"
#include "tests/vm/reserving_machine.h"
#include "vm/contiguous.h"
#include "vm/inspect.h"
#include "vm/object_ranges.h"
#include "vm/pager/making_pagers.h"
#include "vm/vnode.h"

namespace vm {
namespace {

constexpr std::uint32_t kPages = 64;
constexpr std::uint32_t kRun = ReservingMachine::kRun;

class ReservationTest : public testing::Test {
 protected:
  ~ReservationTest() override {
    machine_.ExpectSound();
    for (Object* object : objects_) DeallocateObject(system_, object);
    for (Page* page : unowned_) FreeUnownedPage(system_, *page);
    machine_.ExpectSound();
    EXPECT_EQ(machine_.FreePages(), system_.config().pages);
    EXPECT_EQ(system_.free_queue().kept_count(), 0u);
  }
  Object& NewObject(Pindex size = 4 * kRun) {
    objects_.push_back(AllocateObject(system_, ObjectType::kDefault, size));
    return *objects_.back();
  }
  void End(Object& object) {
    std::erase(objects_, &object);
    DeallocateObject(system_, &object);
  }
  Page& Allocate(Object& object, Pindex at) {
    Page* page = machine_.Allocate(object, at);
    if (page == nullptr) std::abort();
    return *page;
  }
  void Fill(Object& object, Pindex first, Pindex last) {
    for (Pindex at = first; at < last; ++at) Allocate(object, at);
  }
  // Frames that belong to nobody's reservation, until there are `left` free pages.
  void TakeUnowned(std::uint32_t left) {
    while (system_.free_queue().free_count() > left)
      unowned_.push_back(
          AllocateUnownedPage(system_, {.alloc_class = AllocClass::kInterrupt, .reclaim = false}));
  }
  std::uint32_t Free() { return system_.free_queue().free_count(); }
  std::uint64_t Made() { return machine_.Count(Event::kReservation); }
  std::uint64_t Broken() { return machine_.Count(Event::kReservationBroken); }

  ReservingMachine machine_{kPages};
  System& system_ = machine_.system;
  std::vector<Object*> objects_;
  std::vector<Page*> unowned_;
};

TEST_F(ReservationTest, TheFirstAllocationReservesARunAndLaterOnesGetTheirFrames) {
  Object& object = NewObject();
  const Frame base = Allocate(object, kRun + 3).frame - 3;
  EXPECT_EQ(base % kRun, 0u);
  Allocate(NewObject(), 0);
  for (const Pindex at : {5u, 0u, 7u, 1u, 2u, 6u, 4u})
    EXPECT_EQ(Allocate(object, kRun + at).frame, base + at);
  EXPECT_EQ(Made(), 2u);
  EXPECT_EQ(machine_.Count(Event::kReservationFull), 1u);
}

TEST_F(ReservationTest, KeptFramesCountAsFree) {
  Object& object = NewObject();
  Allocate(object, 0);
  EXPECT_EQ(Free(), kPages - 1);
  EXPECT_EQ(system_.free_queue().kept_count(), kRun - 1);
  Allocate(object, 1);
  EXPECT_EQ(Free(), kPages - 2);
}

TEST_F(ReservationTest, AFrameThatIsFreedIsKeptForItsPlace) {
  Object& object = NewObject();
  Fill(object, 0, kRun);
  Page& page = *LookupPage(object, 5);
  machine_.Free(object, page);
  EXPECT_EQ(page.queue, PageQueue::kReserved);
  EXPECT_EQ(Free(), kPages - kRun + 1);
  Allocate(NewObject(), 0);
  EXPECT_EQ(&Allocate(object, 5), &page);
}

TEST_F(ReservationTest, AReservationEndsWhenNoneOfItsFramesIsUsed) {
  Object& object = NewObject();
  Page& page = Allocate(object, 1);
  machine_.Free(object, page);
  EXPECT_EQ(machine_.ReservedFor(page), nullptr);
  EXPECT_EQ(page.queue, PageQueue::kFree);
  EXPECT_EQ(system_.free_queue().kept_count(), 0u);
  EXPECT_EQ(Broken(), 0u);
}

TEST_F(ReservationTest, TheOneThatChangedLeastRecentlyIsBrokenForWhoeverFindsNoFrame) {
  Object& object = NewObject(kPages);
  for (Pindex run = 0; run < kPages / kRun; ++run) Allocate(object, run * kRun);
  Allocate(object, 1);                                // the first run changed
  machine_.Free(object, Allocate(object, kRun + 1));  // and the second
  Page& first = *LookupPage(object, 0);
  Page& second = *LookupPage(object, kRun);
  Page& third = *LookupPage(object, 2 * kRun);
  EXPECT_EQ(Broken(), 0u);
  unowned_.push_back(AllocateUnownedPage(system_, {}));
  EXPECT_EQ(Broken(), 1u);
  EXPECT_EQ(unowned_.back()->frame / kRun, third.frame / kRun);
  EXPECT_EQ(machine_.ReservedFor(third), nullptr);
  TakeUnowned(Free() - 6);
  EXPECT_EQ(Broken(), 1u) << "the others come out of what it kept";
  TakeUnowned(2 * kRun - 3);
  EXPECT_EQ(machine_.ReservedFor(first), &object);
  TakeUnowned(Free() - 1);
  EXPECT_EQ(machine_.ReservedFor(first), nullptr);
  EXPECT_EQ(machine_.ReservedFor(second), &object);
}

TEST_F(ReservationTest, AFullReservationIsNotBroken) {
  Object& object = NewObject();
  Fill(object, 0, kRun);
  Allocate(object, kRun);
  TakeUnowned(0);
  EXPECT_EQ(Broken(), 1u);
  EXPECT_EQ(machine_.ReservedFor(*LookupPage(object, 0)), &object);
}

TEST_F(ReservationTest, AReservationThatWasBrokenIsNotMadeAgainBesideItsPages) {
  Object& object = NewObject();
  Page& page = Allocate(object, 0);
  TakeUnowned(4);
  EXPECT_EQ(Broken(), 1u);
  while (!unowned_.empty()) {
    FreeUnownedPage(system_, *unowned_.back());
    unowned_.pop_back();
  }
  Allocate(object, 1);
  EXPECT_EQ(Made(), 1u);
  machine_.Free(object, page);
  machine_.Free(object, *LookupPage(object, 1));
  Allocate(object, 1);
  EXPECT_EQ(Made(), 2u);
}

TEST_F(ReservationTest, WithoutAWholeRunAnyFrameDoes) {
  for (Frame frame = 0; frame < kPages; frame += kRun) {
    std::span<Page> page = system_.pages().subspan(frame, 1);
    ASSERT_EQ(system_.free_queue().TryTakeRun(page).pages, 1u);
    unowned_.push_back(page.data());
  }
  Allocate(NewObject(), 0);
  EXPECT_EQ(Made(), 0u);
}

TEST_F(ReservationTest, KeptFramesAreNoneOfTheReserve) {
  Object& object = NewObject();
  Allocate(object, 0);
  TakeUnowned(system_.free_queue().thresholds().free_reserved);
  Page* page = unowned_.back();
  unowned_.pop_back();
  FreeUnownedPage(system_, *page);
  EXPECT_NE(machine_.Allocate(object, 1, {.reclaim = false}), nullptr);
  EXPECT_EQ(machine_.Allocate(object, 2, {.reclaim = false}), nullptr);
  EXPECT_NE(machine_.Allocate(object, 2, {.alloc_class = AllocClass::kInterrupt}), nullptr);
}

TEST_F(ReservationTest, AReservedFrameIsHadInShortMemoryOnlyByWhoMayDigForIt) {
  Object& object = NewObject();
  Page& page = Allocate(object, 0);
  Object& filler = NewObject(kPages);
  for (Pindex run = 1; run < kPages / kRun; ++run) Fill(filler, run * kRun, (run + 1) * kRun);
  const std::uint32_t reserve = system_.free_queue().thresholds().free_reserved;
  Fill(object, 1, kRun - reserve);
  ASSERT_EQ(Free(), reserve);
  ASSERT_EQ(system_.free_queue().kept_count(), reserve);
  EXPECT_EQ(machine_.Allocate(object, kRun - 1, {.reclaim = false}), nullptr);
  EXPECT_EQ(machine_.Allocate(object, kRun - 1, {.alloc_class = AllocClass::kSystem})->frame,
            page.frame + kRun - 1);
}

TEST_F(ReservationTest, MemoryThatMayGrowReservesBeyondItsEnd) {
  Object& object = NewObject(3);
  const Frame base = Allocate(object, 0).frame;
  EXPECT_EQ(Made(), 1u);
  {
    ObjectGuard guard(object.lock);
    object.size = kRun;
  }
  EXPECT_EQ(Allocate(object, 5).frame, base + 5);
}

TEST_F(ReservationTest, AShadowReservesOnlyWhatItCovers) {
  Object* shadow = &NewObject();
  ReferenceObject(shadow);
  Object* const backer = shadow;
  Pindex offset = 0;
  ShadowObject(system_, &shadow, &offset, kRun + 2);
  std::erase(objects_, backer);
  Allocate(*shadow, kRun);
  EXPECT_EQ(Made(), 0u);
  Allocate(*shadow, 0);
  EXPECT_EQ(Made(), 1u);
  DeallocateObject(system_, shadow);
  DeallocateObject(system_, backer);
}

TEST_F(ReservationTest, AFileReservesOnlyWhatItCovers) {
  TestFile file;
  ASSERT_EQ(file.Truncate((kRun + 2) * kTestPageSize), Result::kOk);
  Vnode* vnode = OpenVnode(system_, file);
  Space* space = system_.CreateSpace();
  Address start = 0;
  ASSERT_EQ(space->MapFile(0, (kRun + 2) * kTestPageSize, *vnode, 0, Protection::kRead,
                           Space::Sharing::kShared, &start),
            Result::kOk);
  Object& object = *vnode->object;
  Allocate(object, kRun);
  EXPECT_EQ(Made(), 0u);
  Allocate(object, kRun - 1);
  EXPECT_EQ(Made(), 1u);
  space->Exit();
  EXPECT_EQ(ReleaseVnode(system_, vnode), Result::kOk);
}

TEST_F(ReservationTest, PhysicalMemoryReservesNothing) {
  Object* object = AllocatePhysicalObject(system_, 2 * kRun);
  machine_.Allocate(*object, 0);
  EXPECT_EQ(Made(), 0u);
  DeallocateObject(system_, object);
}

TEST_F(ReservationTest, TheEndOfAnObjectBreaksTheReservationOfAWiredPage) {
  Object& object = NewObject();
  Page* page = machine_.Allocate(object, 1, {.wired = true});
  Allocate(object, 2);
  End(object);
  EXPECT_EQ(page->identity, PageIdentity::kDetached);
  EXPECT_EQ(machine_.ReservedFor(*page), nullptr);
  EXPECT_EQ(Broken(), 1u);
  EXPECT_EQ(system_.free_queue().kept_count(), 0u);
  machine_.ExpectSound();
  PageRoleGuard guard(system_.queues().PageLock(*page));
  EXPECT_TRUE(system_.queues().Unwire(*page, PageQueues::Then::kActivate));
  FreeUnownedPage(system_, *page);
}

TEST_F(ReservationTest, AHeldPageIsKeptAfterItsLastHold) {
  Object& object = NewObject();
  Allocate(object, 0);
  Page& page = Allocate(object, 1);
  {
    PageRoleGuard guard(system_.queues().PageLock(page));
    system_.queues().Hold(page);
  }
  machine_.Free(object, page);
  EXPECT_EQ(page.queue, PageQueue::kHold);
  machine_.ExpectSound();
  UnholdPage(system_, page);
  EXPECT_EQ(page.queue, PageQueue::kReserved);
}

TEST_F(ReservationTest, AZeroedFrameIsKeptAsSuch) {
  Object& object = NewObject();
  Allocate(object, 0);
  Page& page = Allocate(object, 1);
  ZeroPage(system_, page);
  {
    ObjectGuard guard(object.lock);
    FreeZeroedPage(system_, object, page);
  }
  EXPECT_EQ(system_.free_queue().zeroed_count(), 0u) << "of those that anybody is given";
  machine_.ExpectSound();
  EXPECT_TRUE(Allocate(object, 1).zeroed);
  machine_.Free(object, Allocate(object, 2));
}

// ---- Moved pages ----

TEST_F(ReservationTest, AReservationGoesAlongWithAPageThatIsMoved) {
  Object& from = NewObject();
  Object& to = NewObject();
  const Frame base = Allocate(from, kRun).frame;
  Page& page = Allocate(from, kRun + 5);
  Page& behind = Allocate(from, kRun + 6);
  machine_.Rename(from, page, to, 2);  // the run begins three pages before the object
  EXPECT_EQ(machine_.ReservedFor(page), &to);
  EXPECT_EQ(machine_.Count(Event::kReservationRenamed), 1u);
  EXPECT_EQ(Allocate(to, 0).frame, base + 3);
  EXPECT_EQ(Allocate(to, 4).frame, base + 7);
  machine_.Rename(from, behind, to, 3);
  EXPECT_EQ(machine_.Count(Event::kReservationRenamed), 1u) << "it is there already";
  machine_.ExpectSound();
}

TEST_F(ReservationTest, AFrameThatStayedBehindComesBackToItsReservation) {
  Object& from = NewObject();
  Object& to = NewObject();
  Page& stays = Allocate(from, 0);
  machine_.Rename(from, Allocate(from, 1), to, 1);
  EXPECT_NE(Allocate(to, 0).frame, stays.frame) << "somebody else uses it";
  machine_.Free(to, *LookupPage(to, 0));
  machine_.Free(from, stays);
  EXPECT_EQ(stays.queue, PageQueue::kReserved);
  EXPECT_EQ(&Allocate(to, 0), &stays);
  EXPECT_EQ(machine_.ReservedFor(Allocate(from, 0)), &from) << "it has one of its own again";
}

TEST_F(ReservationTest, NoneIsBegunWhereAnotherReachesIn) {
  Object& from = NewObject();
  Object& to = NewObject();
  machine_.Rename(from, Allocate(from, kRun - 1), to, kRun + 1);  // reserved: from 2 on
  EXPECT_EQ(Made(), 1u);
  Allocate(to, 1);
  EXPECT_EQ(Made(), 1u);
  Allocate(to, 2 * kRun);
  EXPECT_EQ(Made(), 2u);
}

TEST_F(ReservationTest, ASplitTakesReservationsAlong) {
  Object& object = NewObject();
  Fill(object, 0, 3);
  Fill(object, kRun, kRun + 2);
  const Frame base = LookupPage(object, kRun)->frame;
  ReferenceObject(&object);
  Object* part = SplitObject(system_, object, kRun, 2 * kRun);
  ASSERT_NE(part, nullptr);
  EXPECT_EQ(machine_.ReservedFor(*LookupPage(*part, 0)), part);
  EXPECT_EQ(machine_.ReservedFor(*LookupPage(object, 0)), &object);
  EXPECT_EQ(Allocate(*part, 2).frame, base + 2);
  DeallocateObject(system_, part);
}

TEST_F(ReservationTest, ACollapseTakesReservationsAlongAndBreaksTheRest) {
  Space* parent = system_.CreateSpace();
  const Address va = machine_.Map(parent, 2 * kRun);
  for (std::uint32_t page = 0; page < 2 * kRun; page += kRun)
    machine_.Store(parent, va + page * kTestPageSize, 1);
  Space* child = parent->Fork();
  machine_.Store(child, va, 2);
  machine_.Store(child, va + kTestPageSize, 2);
  const std::uint64_t before = machine_.Count(Event::kReservationRenamed);
  parent->Exit();
  machine_.Store(child, va + 2 * kTestPageSize, 3);
  ASSERT_EQ(machine_.ChainLength(child, va), 1u);
  EXPECT_EQ(machine_.Count(Event::kReservationRenamed), before + 1)
      << "of the page that the child did not copy";
  Page* page = machine_.FirstPage(child, va + kRun * kTestPageSize);
  EXPECT_EQ(machine_.ReservedFor(*page)->id, page->object->id);
  machine_.ExpectSound();
  child->Exit();
}

TEST_F(ReservationTest, IsShownWhereItLiesWithinItsObject) {
  Object& from = NewObject();
  Object& to = NewObject();
  const Frame base = Allocate(from, 0).frame;
  machine_.Rename(from, Allocate(from, 5), to, 2);  // the run begins three pages before the object
  Allocate(from, kRun);
  const MachineState state = InspectMachine(system_);
  EXPECT_EQ(state.queues.kept, 2 * kRun - 3);
  EXPECT_EQ(state.queues.free(), kPages - 3);
  const std::string text = Text(*state.FindObject(to.id));
  const std::string frames = std::to_string(base + 3) + "-" + std::to_string(base + kRun - 1);
  EXPECT_NE(text.find("; reserved 0-4 in frames " + frames + " (2 used)"), std::string::npos)
      << text;
  ASSERT_EQ(state.partial.size(), 2u);
  EXPECT_EQ(state.partial[0].object, to.id);
  EXPECT_EQ(state.partial[1].object, from.id);
}

// ---- With others who take frames ----

TEST_F(ReservationTest, AContiguousRunSparesReservationsIfItCan) {
  Object& object = NewObject(kPages);
  const Frame base = Allocate(object, 0).frame;
  ASSERT_EQ(base, 0u);
  std::span<Page> run;
  ASSERT_EQ(AllocateContiguous(system_, {.count = 4}, &run), Result::kOk);
  EXPECT_EQ(run[0].frame, kRun);
  EXPECT_EQ(Broken(), 0u);
  FreeContiguous(system_, run);
}

TEST_F(ReservationTest, AContiguousRunBreaksReservationsBeforeItTakesPages) {
  Object& object = NewObject(kPages);
  for (Pindex at = 0; at < kPages; at += kRun) Allocate(object, at);
  std::span<Page> run;
  ASSERT_EQ(AllocateContiguous(system_, {.count = kRun - 1}, &run), Result::kOk);
  EXPECT_EQ(Broken(), 1u);
  EXPECT_EQ(machine_.Count(Event::kContiguousEvicted), 0u);
  machine_.ExpectSound();
  FreeContiguous(system_, run);
}

TEST(ReservationBatches, AFrameOfAReservationIsOnNoBatch) {
  ReservingMachine machine(1024);
  Object* object = AllocateObject(machine.system, ObjectType::kDefault, 64);
  ASSERT_GT(machine.system.free_queue().thresholds().batch_pages, 1u);
  machine.Allocate(*object, 0);
  Page* page = machine.Allocate(*object, 1);
  machine.Free(*object, *page);
  EXPECT_EQ(page->queue, PageQueue::kReserved);
  Page* other = AllocateUnownedPage(machine.system, {});
  FreeUnownedPage(machine.system, *other);
  EXPECT_EQ(other->queue, PageQueue::kFreeBatch) << "others are";
  DeallocateObject(machine.system, object);
  EXPECT_EQ(machine.FreePages(), 1024u);
}

TEST(ReservationBatches, WhatIsKeptDoesNotMakeWhatIsOnTheQueuePlenty) {
  constexpr std::uint32_t kPagesWithBatches = 1024;
  ReservingMachine machine(kPagesWithBatches);
  const Thresholds& thresholds = machine.system.free_queue().thresholds();
  const std::uint32_t listed = thresholds.batch_floor / kRun * kRun;
  Object* object = AllocateObject(machine.system, ObjectType::kDefault, kPagesWithBatches);
  for (Pindex at = 0; at < kPagesWithBatches - listed; at += kRun) machine.Allocate(*object, at);
  const std::uint32_t free = machine.system.free_queue().free_count();
  ASSERT_GT(free, 2 * thresholds.batch_floor);
  Page* page = AllocateUnownedPage(machine.system, {});
  EXPECT_EQ(machine.system.free_queue().free_count(), free - 1);
  FreeUnownedPage(machine.system, *page);
  EXPECT_EQ(page->queue, PageQueue::kFree);
  machine.Free(*object, *LookupPage(*object, 0));
  page = AllocateUnownedPage(machine.system, {});
  EXPECT_EQ(machine.system.free_queue().free_count(),
            free + 1 - (listed + kRun - thresholds.batch_floor))
      << "a batch takes what is beyond plenty";
  FreeUnownedPage(machine.system, *page);
  DeallocateObject(machine.system, object);
}

TEST(ReservationHoles, ARunWithAHoleIsNotReserved) {
  constexpr Address kPage = kTestPageSize;
  ReservingMachine machine(0, {{0, 20 * kPage}, {36 * kPage, 100 * kPage}});
  Object* object = AllocateObject(machine.system, ObjectType::kDefault, 128);
  for (Pindex at = 0; at < 128; at += ReservingMachine::kRun)
    if (machine.Allocate(*object, at, {.reclaim = false}) == nullptr) break;
  const std::vector<ReservedRun> runs = machine.Runs();
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (runs[run].object == nullptr) continue;
    for (const Page& page : machine.system.pages().subspan(run * kRun, kRun))
      EXPECT_NE(page.identity, PageIdentity::kAbsent) << page.frame;
  }
  EXPECT_GT(machine.Count(Event::kReservation), 2u);
  machine.ExpectSound();
  DeallocateObject(machine.system, object);
}

TEST(ReservationConfig, ALengthIsAPowerOfTwo) {
  const auto error = [](std::uint32_t run) { return ValidateConfig({.reservation_pages = run}); };
  for (const std::uint32_t run : {0u, 2u, 512u, kMaxReservationPages}) EXPECT_EQ(error(run), "");
  for (const std::uint32_t run : {1u, 3u, 2 * kMaxReservationPages})
    EXPECT_NE(error(run).find("reservation_pages: " + std::to_string(run)), std::string::npos);
}

}  // namespace
}  // namespace vm
