// The pager map: room for pages that are being transferred, and who waits for it.
#include "vm/pager/pager_map.h"

#include <gtest/gtest.h>

#include <optional>

#include "locking/atomic.h"
#include "locking/thread.h"
#include "tests/vm/paging.h"
#include "vm/check.h"
#include "vm/page_alloc.h"

namespace vm {
namespace {

// Pages that nobody owns stand for those that are transferred.
class Pages {
 public:
  Pages(System& system, std::uint32_t count) : system_(system) {
    for (std::uint32_t i = 0; i < count; ++i) pages_.push_back(AllocateUnownedPage(system, {}));
  }
  ~Pages() {
    for (Page* page : pages_) FreeUnownedPage(system_, *page);
  }
  Pages(const Pages&) = delete;
  std::span<Page* const> Of(std::uint32_t first, std::uint32_t count) const {
    return std::span<Page* const>(pages_).subspan(first, count);
  }

 private:
  System& system_;
  std::vector<Page*> pages_;
};

class PagerMapTest : public testing::Test {
 protected:
  // A cluster fits, and no more.
  Machine machine_;
  System& system_ = machine_.system;
  PagerMap& map_ = system_.pager_map();
  Pages pages_{system_, 40};
};
using PagerMapDeathTest = PagerMapTest;

TEST_F(PagerMapTest, IsAQuarterOfTheMachineFromAClusterTo4MiB) {
  EXPECT_EQ(map_.places(), kClusterPages);
  EXPECT_EQ(Machine(16).system.pager_map().places(), kClusterPages);
  EXPECT_EQ(Machine(256).system.pager_map().places(), 64u);
  EXPECT_EQ(Machine(8192).system.pager_map().places(), PagerMap::kMostPlaces);
}

TEST_F(PagerMapTest, APlaceShowsTheBytesOfItsPage) {
  const PagerWindow first(map_, pages_.Of(0, 3), MapIn::kWait);
  const PagerWindow second(map_, pages_.Of(3, 2), MapIn::kWait);
  EXPECT_EQ(map_.mapped(), 5u);
  ASSERT_EQ(first.bytes().size(), 3u);
  ASSERT_EQ(second.bytes().size(), 2u);
  EXPECT_EQ(first.bytes()[2].data(), system_.FrameBytes(*pages_.Of(2, 1)[0]).data());
  EXPECT_EQ(second.bytes()[0].data(), system_.FrameBytes(*pages_.Of(3, 1)[0]).data());
  EXPECT_EQ(second.bytes()[1].size(), kTestPageSize);
}

TEST_F(PagerMapTest, WhoDoesNotWaitIsToldThatThereIsNoRoom) {
  std::optional<PagerWindow> all(std::in_place, map_, pages_.Of(0, 16), MapIn::kTry);
  ASSERT_TRUE(all->mapped());
  EXPECT_FALSE(PagerWindow(map_, pages_.Of(16, 1), MapIn::kTry).mapped());
  all.reset();
  EXPECT_TRUE(PagerWindow(map_, pages_.Of(16, 1), MapIn::kTry).mapped());
  EXPECT_EQ(map_.mapped(), 0u);
}

TEST_F(PagerMapTest, RoomHasToBeInOnePiece) {
  const PagerWindow first(map_, pages_.Of(0, 4), MapIn::kTry);
  std::optional<PagerWindow> second(std::in_place, map_, pages_.Of(4, 5), MapIn::kTry);
  const PagerWindow third(map_, pages_.Of(9, 4), MapIn::kTry);
  second.reset();
  EXPECT_FALSE(PagerWindow(map_, pages_.Of(20, 6), MapIn::kTry).mapped());
  EXPECT_TRUE(PagerWindow(map_, pages_.Of(20, 5), MapIn::kTry).mapped());
  EXPECT_TRUE(PagerWindow(map_, pages_.Of(20, 3), MapIn::kTry).mapped());
}

TEST_F(PagerMapTest, TheLaundryNeedNotWaitWhereOthersDo) {
  const PagerWindow everything(map_, pages_.Of(0, 16), MapIn::kWait);
  // A cluster for each of its threads, however they come and go.
  const PagerWindow first(map_, pages_.Of(16, 16), MapIn::kLaundry);
  std::optional<PagerWindow> second(std::in_place, map_, pages_.Of(32, 3), MapIn::kLaundry);
  EXPECT_TRUE(second->mapped());
  second.reset();
  second.emplace(map_, pages_.Of(24, 16), MapIn::kLaundry);
  EXPECT_TRUE(second->mapped());
  EXPECT_EQ(system_.counters().Get(Event::kPagerMapWait), 0u);
}

TEST_F(PagerMapTest, Inv55SomebodyWaitsForRoom) {
  std::optional<PagerWindow> all(std::in_place, map_, pages_.Of(0, 16), MapIn::kWait);
  locking::Thread other("other", [&] {
    const PagerWindow window(map_, pages_.Of(16, 2), MapIn::kWait);
    EXPECT_TRUE(window.mapped());
  });
  while (!map_.wanted()) locking::Yield();
  std::string texts;
  for (const locking::Finding& finding : CheckSystem(system_))
    if (finding.id == "INV-55") texts += finding.title + "\n";
  EXPECT_EQ(texts, "16 pages stand in the pager map\nsomebody waits for room in the pager map\n");
  all.reset();
  other.Join();
  EXPECT_EQ(system_.counters().Get(Event::kPagerMapWait), 1u);
  EXPECT_FALSE(map_.wanted());
  EXPECT_EQ(map_.mapped(), 0u);
}

TEST_F(PagerMapDeathTest, Inv55MappedOutTwice) {
  std::array<std::span<std::byte>, kClusterPages> bytes;
  const std::uint32_t place = map_.In(pages_.Of(0, 2), MapIn::kTry, bytes.data());
  map_.Out(place, pages_.Of(0, 2));
  EXPECT_DEATH(map_.Out(place, pages_.Of(0, 2)), "INV-55.*mapped out, where nothing stands");
}

TEST_F(PagerMapDeathTest, Inv55MappedOutWhereAnotherStands) {
  std::array<std::span<std::byte>, kClusterPages> bytes;
  const std::uint32_t place = map_.In(pages_.Of(0, 2), MapIn::kTry, bytes.data());
  map_.Out(place, pages_.Of(0, 1));
  const PagerWindow other(map_, pages_.Of(5, 1), MapIn::kTry);
  const std::string frame = std::to_string(pages_.Of(5, 1)[0]->frame);
  EXPECT_DEATH(map_.Out(place, pages_.Of(0, 2)), "INV-55.*where frame " + frame + " stands");
  map_.Out(place + 1, pages_.Of(1, 1));
}

TEST(PagerMapOfAPager, AReadThatFindsNoRoomComesWithoutItsNeighbours) {
  PagingMachine machine(96, 64);
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.PageOut(0, 8);
  machine.Evict(0, 8);
  PagerMap& map = machine.system.pager_map();
  const Pages pages(machine.system, map.places());
  std::vector<std::unique_ptr<PagerWindow>> windows;
  for (std::uint32_t i = 0; i < map.places() - 1; ++i)
    windows.push_back(std::make_unique<PagerWindow>(map, pages.Of(i, 1), MapIn::kTry));
  EXPECT_EQ(machine.Load(machine.space, machine.At(3) + 8), PagingMachine::ValueOf(3, 0));
  EXPECT_EQ(machine.Count(Event::kPageIn), 1u);
  EXPECT_EQ(machine.Count(Event::kPageInError), 0u);
  EXPECT_FALSE(machine.Resident(4));
  windows.clear();
  machine.ExpectFilled(0, 8);
}

TEST(PagerMapOfAPager, AWriteStandsInItWhileItLasts) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  std::uint32_t mapped = 0;
  machine.store->during_write = [&] { mapped = machine.system.pager_map().mapped(); };
  EXPECT_EQ(machine.PageOut(0, 8), 8u);
  EXPECT_EQ(mapped, 8u);
  EXPECT_EQ(machine.system.pager_map().mapped(), 0u);
}

TEST(PagerMapOfAPager, TheLaundryWritesWhereOthersWouldWait) {
  PagingMachine machine;
  machine.MapPages(8);
  machine.Fill(0, 8);
  machine.DeactivatePages(0, 8);
  PagerMap& map = machine.system.pager_map();
  const Pages pages(machine.system, map.places());
  const PagerWindow everything(map, pages.Of(0, 16), MapIn::kTry);
  Object& object = *machine.FirstObject();
  ObjectGuard guard(object.lock);
  WriteOut write;
  BeginLaundering(machine.system, object, *LookupPage(object, 0), &write);
  object.lock.Unlock();
  machine.system.swap().Write(write);
  object.lock.Lock();
  EXPECT_EQ(EndLaundering(machine.system, object, write, 0).written, 8u);
  EXPECT_EQ(machine.Count(Event::kPagerMapWait), 0u);
}

}  // namespace
}  // namespace vm
