// Random operations on a small machine with little memory and swap, by one thread and the page
// daemon, against a model that knows what every word of every space must read as.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "locking/random.h"
#include "tests/vm/machine.h"
#include "vm/check.h"

namespace vm {
namespace {

constexpr std::uint32_t kRegionPages = 6;
constexpr std::uint32_t kMaxSpaces = 5;
constexpr std::uint32_t kMaxRegions = 3;

// What one mapping of one space holds; shared mappings share it.
struct Content {
  std::array<std::uint64_t, kRegionPages> words{};
  std::array<bool, kRegionPages> may_be_lost{};  // reads as zero, too, and from then on does
};

struct Region {
  Address start;
  std::shared_ptr<Content> content;
  Inheritance inheritance;
  std::array<std::uint32_t, kRegionPages> wired{};
  std::array<Protection, kRegionPages> protection;
};

struct ModelSpace {
  Space* space;
  std::vector<Region> regions;
};

class Model {
 public:
  Model(std::uint64_t seed, std::uint32_t pages, std::uint32_t swap_slots)
      : machine_(pages, swap_slots), random_(seed) {
    machine_.system.Start();
    spaces_.push_back({machine_.system.CreateSpace(), {}});
  }

  void Step() {
    ModelSpace& space = spaces_[random_.Below(static_cast<std::uint32_t>(spaces_.size()))];
    switch (random_.Below(19)) {
      case 0:
        return MapRegion(space);
      case 1:
        return UnmapRegion(space);
      case 2:
        return Fork(space);
      case 3:
        return Exit();
      case 4:
        return ToggleWire(space);
      case 5:
        return Protect(space);
      case 6:
        return Clip(space);
      case 7:
        return Renew(space);
      case 8:
        return Advise(space);
      default:
        return random_.Percent(50) ? Store(space) : Load(space);
    }
  }

  void CheckAll() {
    for (ModelSpace& space : spaces_)
      for (Region& region : space.regions)
        for (std::uint32_t page = 0; page < kRegionPages; ++page) LoadPage(space, region, page);
  }

  void Finish() {
    CheckAll();
    machine_.system.Stop();
    ExpectNone(CheckSystem(machine_.system));
    for (ModelSpace& space : spaces_) space.space->Exit();
    ExpectNone(CheckSystem(machine_.system));
    ExpectNone(CheckNoLeaks(machine_.system));
  }

  System& system() { return machine_.system; }

 private:
  static void ExpectNone(const std::vector<locking::Finding>& findings) {
    for (const locking::Finding& finding : findings)
      ADD_FAILURE() << locking::FormatFinding(finding);
  }
  Region* RandomRegion(ModelSpace& space) {
    if (space.regions.empty()) return nullptr;
    return &space.regions[random_.Below(static_cast<std::uint32_t>(space.regions.size()))];
  }
  Address PageAt(const Region& region, std::uint32_t page) {
    return region.start + page * kTestPageSize;
  }

  void MapRegion(ModelSpace& space) {
    if (space.regions.size() == kMaxRegions) return;
    Region region;
    region.content = std::make_shared<Content>();
    region.inheritance = random_.Percent(30) ? Inheritance::kShare : Inheritance::kCopy;
    region.protection.fill(Protection::kReadWrite);
    region.start = machine_.Map(space.space, kRegionPages, region.inheritance);
    space.regions.push_back(region);
  }

  void UnmapRegion(ModelSpace& space) {
    Region* region = RandomRegion(space);
    if (region == nullptr || random_.Percent(60)) return;
    EXPECT_EQ(space.space->Unmap(region->start, kRegionPages * kTestPageSize), Result::kOk);
    space.regions.erase(space.regions.begin() + (region - space.regions.data()));
  }

  void Fork(ModelSpace& parent) {
    if (spaces_.size() == kMaxSpaces) return;
    ModelSpace child{parent.space->Fork(), {}};
    if (child.space == nullptr) return;  // out of memory for wired copies
    for (const Region& region : parent.regions) {
      Region inherited = region;
      inherited.wired.fill(0);
      if (region.inheritance == Inheritance::kCopy)
        inherited.content = std::make_shared<Content>(*region.content);
      child.regions.push_back(inherited);
    }
    spaces_.push_back(child);
  }

  void Exit() {
    if (spaces_.size() == 1) return;
    const std::uint32_t victim = random_.Below(static_cast<std::uint32_t>(spaces_.size()));
    spaces_[victim].space->Exit();
    spaces_.erase(spaces_.begin() + victim);
  }

  void ToggleWire(ModelSpace& space) {
    Region* region = RandomRegion(space);
    if (region == nullptr) return;
    const std::uint32_t page = random_.Below(kRegionPages);
    std::uint32_t& wired = region->wired[page];
    const Address va = PageAt(*region, page);
    if (wired > 0 && random_.Percent(70)) {
      EXPECT_EQ(space.space->Unwire(va, kTestPageSize), Result::kOk);
      --wired;
      return;
    }
    const Result result = space.space->Wire(va, kTestPageSize);
    if (result == Result::kOk)
      ++wired;
    else if (region->protection[page] == Protection::kNone)
      EXPECT_EQ(result, Result::kProtectionFailure);
    else
      EXPECT_EQ(result, Result::kOutOfMemory);
  }

  void Protect(ModelSpace& space) {
    Region* region = RandomRegion(space);
    if (region == nullptr) return;
    static constexpr Protection kChoices[] = {Protection::kReadWrite, Protection::kReadWrite,
                                              Protection::kRead, Protection::kNone};
    const Protection protection = kChoices[random_.Below(4)];
    const std::uint32_t first = random_.Below(kRegionPages);
    const std::uint32_t count = 1 + random_.Below(kRegionPages - first);
    EXPECT_EQ(space.space->Protect(PageAt(*region, first), count * kTestPageSize, protection),
              Result::kOk);
    for (std::uint32_t page = first; page < first + count; ++page)
      region->protection[page] = protection;
  }

  // Divides the region's entry, so that the next fork splits its object.
  void Clip(ModelSpace& space) {
    Region* region = RandomRegion(space);
    if (region == nullptr) return;
    const std::uint32_t first = random_.Below(kRegionPages);
    const std::uint32_t count = 1 + random_.Below(kRegionPages - first);
    EXPECT_EQ(space.space->SetInheritance(PageAt(*region, first), count * kTestPageSize,
                                          region->inheritance),
              Result::kOk);
  }

  // New memory in the place of some old.
  void Renew(ModelSpace& space) {
    Region* region = RandomRegion(space);
    if (region == nullptr || region->inheritance != Inheritance::kCopy) return;
    const std::uint32_t first = random_.Below(kRegionPages);
    const std::uint32_t count = 1 + random_.Below(kRegionPages - first);
    const Address va = PageAt(*region, first);
    for (std::uint32_t page = first; page < first + count; ++page)
      if (region->wired[page] != 0) return;
    EXPECT_EQ(space.space->Unmap(va, count * kTestPageSize), Result::kOk);
    Address start = 0;
    EXPECT_EQ(space.space->MapAnonymous(va, count * kTestPageSize, Protection::kReadWrite,
                                        Inheritance::kCopy, &start),
              Result::kOk);
    EXPECT_EQ(start, va);
    for (std::uint32_t page = first; page < first + count; ++page) {
      region->content->words[page] = 0;
      region->content->may_be_lost[page] = false;
      region->protection[page] = Protection::kReadWrite;
    }
  }

  void Advise(ModelSpace& space) {
    Region* region = RandomRegion(space);
    if (region == nullptr) return;
    constexpr Advice kChoices[] = {Advice::kWillNeed, Advice::kDontNeed, Advice::kFree};
    const Advice advice = kChoices[random_.Below(3)];
    const std::uint32_t first = random_.Below(kRegionPages);
    const std::uint32_t count = 1 + random_.Below(kRegionPages - first);
    EXPECT_EQ(space.space->Advise(PageAt(*region, first), count * kTestPageSize, advice),
              Result::kOk);
    for (std::uint32_t page = first; advice == Advice::kFree && page < first + count; ++page)
      region->content->may_be_lost[page] = true;
  }

  void Store(ModelSpace& space) {
    Region* region = RandomRegion(space);
    if (region == nullptr) return;
    const std::uint32_t page = random_.Below(kRegionPages);
    const std::uint64_t value = ++last_value_;
    const Result result =
        space.space->Store(machine_.system.cpu(random_.Below(4)), PageAt(*region, page), value);
    if (region->protection[page] != Protection::kReadWrite) {
      EXPECT_EQ(result, Result::kProtectionFailure);
    } else if (result == Result::kOk) {
      region->content->words[page] = value;
      region->content->may_be_lost[page] = false;
    } else {
      EXPECT_EQ(result, Result::kOutOfMemory);
    }
  }

  void Load(ModelSpace& space) {
    if (Region* region = RandomRegion(space); region != nullptr)
      LoadPage(space, *region, random_.Below(kRegionPages));
  }

  void LoadPage(ModelSpace& space, Region& region, std::uint32_t page) {
    std::uint64_t value = 0;
    const Result result =
        space.space->Load(machine_.system.cpu(random_.Below(4)), PageAt(region, page), &value);
    if (region.protection[page] == Protection::kNone) {
      EXPECT_EQ(result, Result::kProtectionFailure);
      return;
    }
    if (result != Result::kOk) {
      EXPECT_EQ(result, Result::kOutOfMemory);
      return;
    }
    if (value == 0 && region.content->may_be_lost[page]) {
      region.content->words[page] = 0;
      region.content->may_be_lost[page] = false;
    }
    EXPECT_EQ(value, region.content->words[page]);
  }

  Machine machine_;
  locking::Random random_;
  std::vector<ModelSpace> spaces_;
  std::uint64_t last_value_ = 0;
};

void RunModel(std::uint64_t seed, std::uint32_t pages, std::uint32_t swap_slots,
              std::uint32_t steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Model model(seed, pages, swap_slots);
  for (std::uint32_t step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
    model.Step();
    if (step % 200 == 0) model.CheckAll();
  }
  model.Finish();
}

TEST(Model, EveryWordReadsAsItMustWithPlentyOfMemory) {
  for (std::uint64_t seed = 1; seed <= 20 && !HasFailure(); ++seed) RunModel(seed, 512, 0, 2000);
}

TEST(Model, EveryWordReadsAsItMustUnderMemoryPressure) {
  for (std::uint64_t seed = 1; seed <= 20 && !HasFailure(); ++seed) RunModel(seed, 48, 512, 2000);
}

TEST(Model, EveryWordReadsAsItMustWithoutEnoughSwap) {
  for (std::uint64_t seed = 1; seed <= 20 && !HasFailure(); ++seed) RunModel(seed, 48, 24, 2000);
}

TEST(Model, ObjectsAreSplitExtendedAndForgotten) {
  Model model(2, 48, 512);
  for (std::uint32_t step = 0; step < 3000; ++step) model.Step();
  EXPECT_GT(model.system().counters().Get(Event::kSplit), 0u);
  EXPECT_GT(model.system().counters().Get(Event::kCoalesce), 0u);
  model.Finish();
}

TEST(Model, PressureReachesSwapAndBack) {
  Model model(1, 48, 512);
  for (std::uint32_t step = 0; step < 3000; ++step) model.Step();
  EXPECT_GT(model.system().counters().Get(Event::kPageOut), 0u);
  EXPECT_GT(model.system().counters().Get(Event::kPageIn), 0u);
  model.Finish();
}

}  // namespace
}  // namespace vm
