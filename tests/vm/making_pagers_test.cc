// Device and physical objects: pages that their pagers make.
#include "vm/pager/making_pagers.h"

#include <algorithm>

#include "locking/thread.h"
#include "tests/vm/machine.h"
#include "vm/check.h"
#include "vm/object_ranges.h"
#include "vm/page_alloc.h"

namespace vm {
namespace {

constexpr Address kPage = kTestPageSize;

class MakingPagersTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kPages = 64;
  static constexpr std::uint32_t kDeviceFrames = 4;

  ~MakingPagersTest() override {
    space_->Exit();
    for (Object* object : objects_) DeallocateObject(system_, object);
    EXPECT_EQ(system_.fictitious_pages().in_use(), 0u);
    for (const locking::Finding& finding : CheckNoLeaks(system_))
      ADD_FAILURE() << locking::FormatFinding(finding);
  }
  Object& Device() {
    return *objects_.emplace_back(AllocateDeviceObject(system_, kPages, kDeviceFrames));
  }
  Object& Physical(Pindex pages) {
    return *objects_.emplace_back(AllocatePhysicalObject(system_, pages));
  }
  Address Map(Object& object, std::uint32_t pages, Pindex offset = 0) {
    Address start = 0;
    EXPECT_EQ(space_->MapObject(0, pages * kPage, object, offset, Protection::kReadWrite, &start),
              Result::kOk);
    return start;
  }
  std::uint64_t Load(Space* space, Address va) {
    std::uint64_t value = ~0ull;
    EXPECT_EQ(space->Load(system_.cpu(0), va, &value), Result::kOk);
    return value;
  }
  void Store(Space* space, Address va, std::uint64_t value) {
    EXPECT_EQ(space->Store(system_.cpu(0), va, value), Result::kOk);
  }

  System system_{
      {.pages = kPages, .page_size = kTestPageSize, .cpus = 1, .device_frames = kDeviceFrames}};
  Space* space_ = system_.CreateSpace();
  std::vector<Object*> objects_;
};

TEST_F(MakingPagersTest, ADevicesMappingsReachItsFrames) {
  Object& device = Device();
  const Address all = Map(device, kDeviceFrames);
  const Address last = Map(device, 1, 3);
  Store(space_, all + 3 * kPage, 77);
  EXPECT_EQ(Load(space_, last), 77u);
  EXPECT_EQ(static_cast<std::uint8_t>(system_.FrameBytes(kPages + 3)[0]), 77);
  EXPECT_EQ(system_.fictitious_pages().in_use(), 1u) << "made at the first fault";
  ExpectSound(system_);
}

TEST_F(MakingPagersTest, ADeviceIsZeroWhenTheMachineStarts) {
  for (int machine = 0; machine < 3; ++machine) {
    System system(system_.config());  // where the former one was, most likely
    const std::span<std::byte> bytes = system.FrameBytes(kPages + 1);
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), std::byte{0}), std::ssize(bytes));
    std::fill(bytes.begin(), bytes.end(), std::byte{7});
  }
}

TEST_F(MakingPagersTest, BeyondTheEndOfADeviceIsAnError) {
  const Address all = Map(Device(), kDeviceFrames + 1);
  std::uint64_t value = 0;
  EXPECT_EQ(space_->Load(system_.cpu(0), all + kDeviceFrames * kPage, &value), Result::kBeyondEnd);
}

TEST_F(MakingPagersTest, ADevicesPagesGoWithItsLastReference) {
  Object* device = AllocateDeviceObject(system_, kPages, kDeviceFrames);
  const Address all = Map(*device, 2);
  DeallocateObject(system_, device);
  Store(space_, all, 5);
  Space* child = space_->Fork();
  EXPECT_EQ(space_->Unmap(all, 2 * kPage), Result::kOk);
  EXPECT_EQ(Load(child, all), 5u) << "shared by the fork";
  child->Exit();
  EXPECT_EQ(system_.fictitious_pages().in_use(), 0u);
}

TEST_F(MakingPagersTest, ADeviceEndsWhileAFaultOnItWaitsForAPageTable) {
  Object* device = AllocateDeviceObject(system_, kPages, kDeviceFrames);
  const Address all = Map(*device, 2);
  DeallocateObject(system_, device);
  std::vector<Page*> taken;
  while (Page* page = AllocateUnownedPage(system_, {.alloc_class = AllocClass::kInterrupt}))
    taken.push_back(page);
  system_.free_queue().Start();  // as if a daemon looked for pages
  Result result = Result::kOk;
  locking::Thread waiter("waiter", [&] { result = space_->Store(system_.cpu(0), all, 5); });
  while (system_.counters().Get(Event::kPageWait) == 0) locking::Yield();
  EXPECT_EQ(system_.fictitious_pages().in_use(), 1u);
  EXPECT_EQ(space_->Unmap(all, 2 * kPage), Result::kOk);
  EXPECT_EQ(system_.fictitious_pages().in_use(), 0u);
  for (Page* page : taken) FreeUnownedPage(system_, *page);
  waiter.Join();
  EXPECT_EQ(result, Result::kInvalidAddress);
  system_.free_queue().Stop();
}

TEST_F(MakingPagersTest, ADevicesMappingIsWiredAndUnwired) {
  const Address all = Map(Device(), 2);
  EXPECT_EQ(space_->Wire(all, 2 * kPage), Result::kOk);
  ExpectSound(system_);
  EXPECT_EQ(space_->Unwire(all, 2 * kPage), Result::kOk);
  ExpectSound(system_);
}

TEST_F(MakingPagersTest, PhysicalPagesAreZeroAtFirstAndNeverReclaimed) {
  const Address waste = [&] {
    Address start = 0;
    EXPECT_EQ(
        space_->MapAnonymous(0, 8 * kPage, Protection::kReadWrite, Inheritance::kCopy, &start),
        Result::kOk);
    return start;
  }();
  for (std::uint32_t page = 0; page < 8; ++page) Store(space_, waste + page * kPage, ~0ull);
  EXPECT_EQ(space_->Unmap(waste, 8 * kPage), Result::kOk);
  const Address all = Map(Physical(4), 4);
  for (std::uint32_t page = 0; page < 4; ++page) {
    EXPECT_EQ(Load(space_, all + page * kPage), 0u);
    Store(space_, all + page * kPage, 50 + page);
  }
  for (std::uint32_t pass = 0; pass < 6; ++pass) system_.daemon().Scan(pass);
  const std::uint32_t free = system_.free_queue().free_count();
  for (std::uint32_t page = 0; page < 4; ++page)
    EXPECT_EQ(Load(space_, all + page * kPage), 50 + page);
  EXPECT_EQ(system_.free_queue().free_count(), free) << "still there";
  ExpectSound(system_);
}

TEST_F(MakingPagersTest, PopulatingMakesAllPages) {
  for (Object* object : {&Device(), &Physical(4)}) {
    {
      ObjectGuard guard(object->lock);
      EXPECT_TRUE(PopulateObject(system_, *object, 0, 4));
      EXPECT_EQ(object->resident_page_count, 4u);
    }
    const Address all = Map(*object, 4);
    Store(space_, all + 3 * kPage, 9);
    EXPECT_EQ(Load(space_, all + 3 * kPage), 9u);
    ExpectSound(system_);
  }
  EXPECT_EQ(system_.fictitious_pages().in_use(), 4u);
}

TEST_F(MakingPagersTest, ASyncThatInvalidatesLosesNothing) {
  for (Object* object : {&Device(), &Physical(4)}) {
    const Address all = Map(*object, 4), also = Map(*object, 4);
    Store(space_, all + kPage, 7);
    EXPECT_EQ(space_->Sync(all, 4 * kPage, SyncMode::kSynchronous, Invalidate::kYes), Result::kOk);
    EXPECT_EQ(Load(space_, all + kPage), 7u);
    Store(space_, also + kPage, 8);
    EXPECT_EQ(Load(space_, all + kPage), 8u);
    ExpectSound(system_);
  }
}

TEST_F(MakingPagersTest, IsSharedWhereACopyIsAskedFor) {
  for (Object* object : {&Device(), &Physical(4)}) {
    const Address all = Map(*object, 4);
    EXPECT_EQ(space_->SetInheritance(all, 4 * kPage, Inheritance::kCopy), Result::kOk);
    Space* child = space_->Fork();
    Store(child, all, 6);
    EXPECT_EQ(Load(space_, all), 6u);
    ExpectSound(system_);
    child->Exit();
  }
}

TEST_F(MakingPagersTest, TheLastFrameOfManyIsQueried) {
  SystemConfig config = system_.config();
  config.device_frames = 1000;
  System system(config);
  Object* device = AllocateDeviceObject(system, kPages, config.device_frames);
  Space* space = system.CreateSpace();
  Address start = 0;
  EXPECT_EQ(space->MapObject(0, kPage, *device, 999, Protection::kReadWrite, &start), Result::kOk);
  EXPECT_EQ(space->Store(system.cpu(0), start, 5), Result::kOk);
  std::vector<PageStatus> pages;
  EXPECT_EQ(space->Query(start, kPage, &pages), Result::kOk);
  EXPECT_TRUE(pages.at(0).resident && pages.at(0).mapped);
  EXPECT_EQ(space->Sync(start, kPage, SyncMode::kSynchronous, Invalidate::kYes), Result::kOk);
  EXPECT_EQ(space->Query(start, kPage, &pages), Result::kOk);
  EXPECT_FALSE(pages.at(0).mapped);
  space->Exit();
  DeallocateObject(system, device);
  EXPECT_TRUE(CheckNoLeaks(system).empty());
}

TEST_F(MakingPagersTest, APageOfADeviceThatIsLostIsALeak) {
  Page& lost = system_.fictitious_pages().Take(kPages);
  const std::vector<locking::Finding> leaks = CheckNoLeaks(system_);
  ASSERT_FALSE(leaks.empty());
  bool named = false;
  for (const locking::Finding& leak : leaks)
    named |= locking::FormatFinding(leak).find("pages of devices") != std::string::npos;
  EXPECT_TRUE(named);
  system_.fictitious_pages().Return(lost);
}

}  // namespace
}  // namespace vm
