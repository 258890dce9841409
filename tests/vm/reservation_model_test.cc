// Random allocations, frees, moves and ends of objects against a model of who has which frame: what
// is reserved for whom, which frame an allocation gets, and which reservation is broken first.
#include <algorithm>
#include <array>
#include <list>
#include <optional>
#include <utility>

#include "locking/random.h"
#include "tests/vm/reserving_machine.h"

namespace vm {
namespace {

constexpr std::uint32_t kPages = 96;
constexpr std::uint32_t kRun = ReservingMachine::kRun;
constexpr std::uint32_t kRuns = kPages / kRun;
constexpr std::uint32_t kObjects = 3;
constexpr Pindex kSize = 4 * kRun + 3;
constexpr std::uint32_t kSteps = 1500;

class Model {
 public:
  struct Run {
    const Object* object = nullptr;
    std::int64_t first = 0;
    std::uint64_t since = 0;  // it is this object's
  };

  bool Free(Frame frame) const { return !used_[frame]; }
  const Object* Owner(Frame frame) const { return runs_[frame / kRun].object; }
  bool Whole(std::size_t run) const {
    const auto begin = used_.begin() + static_cast<std::ptrdiff_t>(run * kRun);
    return std::count(begin, begin + kRun, true) == 0;
  }
  bool AnyWhole() const {
    for (std::size_t run = 0; run < kRuns; ++run)
      if (runs_[run].object == nullptr && Whole(run)) return true;
    return false;
  }
  bool AnyListed() const {
    for (Frame frame = 0; frame < kPages; ++frame)
      if (Free(frame) && Owner(frame) == nullptr) return true;
    return false;
  }
  // The run whose reservation the place falls to: of several the one that begins last, and came
  // last.
  std::optional<std::size_t> Covering(const Object& object, Pindex at) const {
    std::optional<std::size_t> found;
    for (std::size_t run = 0; run < kRuns; ++run) {
      const auto index = static_cast<std::int64_t>(at) - runs_[run].first;
      if (runs_[run].object != &object || index < 0 || index >= kRun) continue;
      const auto rank = [&](std::size_t which) {
        return std::pair(runs_[which].first, runs_[which].since);
      };
      if (!found.has_value() || rank(run) > rank(*found)) found = run;
    }
    return found;
  }
  bool Overlaps(const Object& object, std::int64_t first) const {
    return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
      return run.object == &object && run.first < first + kRun && first < run.first + kRun;
    });
  }
  const Run& run(std::size_t number) const { return runs_[number]; }

  void Begin(std::size_t run, const Object& object, std::int64_t first) {
    runs_[run] = {&object, first, ++now_};
  }
  void Use(Frame frame) {
    used_[frame] = true;
    Touch(frame / kRun);
  }
  void GiveBack(Frame frame) {
    used_[frame] = false;
    Touch(frame / kRun);
    if (Whole(frame / kRun)) End(frame / kRun);
  }
  void Move(Frame frame, const Object& from, const Object& to, Pindex distance) {
    Run& run = runs_[frame / kRun];
    if (run.object != &from) return;
    run.object = &to;
    run.since = ++now_;
    run.first -= static_cast<std::int64_t>(distance);
  }
  void BreakOldest() { End(partial_.front()); }
  void End(std::size_t run) {
    runs_[run] = {};
    partial_.remove(run);
  }
  void EndOf(const Object& object) {
    for (std::size_t run = 0; run < kRuns; ++run)
      if (runs_[run].object == &object) End(run);
  }

  std::vector<std::size_t> Partial() const { return {partial_.begin(), partial_.end()}; }

 private:
  void Touch(std::size_t run) {
    partial_.remove(run);
    const auto begin = used_.begin() + static_cast<std::ptrdiff_t>(run * kRun);
    if (runs_[run].object != nullptr && std::count(begin, begin + kRun, false) != 0)
      partial_.push_back(run);
  }

  std::array<Run, kRuns> runs_;
  std::array<bool, kPages> used_{};
  std::list<std::size_t> partial_;
  std::uint64_t now_ = 0;
};

class Player {
 public:
  explicit Player(std::uint64_t seed) : random_(seed) {
    for (Object*& object : objects_)
      object = AllocateObject(machine_.system, ObjectType::kDefault, kSize);
  }
  ~Player() {
    for (Object* object : objects_) DeallocateObject(machine_.system, object);
    for (Page* page : unowned_) FreeUnownedPage(machine_.system, *page);
    EXPECT_EQ(machine_.FreePages(), kPages);
  }

  void Step() {
    switch (random_.Below(16)) {
      case 0:
        EndObject(random_.Below(kObjects));
        break;
      case 1:
      case 2:
        TakeUnowned();
        break;
      case 3:
      case 4:
        FreeUnowned();
        break;
      case 5:
      case 6:
        Move();
        break;
      case 7:
      case 8:
      case 9:
        FreeOne();
        break;
      default:
        AllocateSome(AnObject(), random_.Below(kSize), 1 + random_.Below(kRun));
        break;
    }
    Compare();
  }
  ReservingMachine& machine() { return machine_; }

 private:
  Object& AnObject() { return *objects_[random_.Below(kObjects)]; }
  Page* PageOf(Object& object, Pindex at) {
    ObjectGuard guard(object.lock);
    return LookupPage(object, at);
  }
  bool HasPageOfRun(Object& object, Pindex first) {
    for (Pindex at = first; at < first + kRun; ++at)
      if (PageOf(object, at) != nullptr) return true;
    return false;
  }

  void AllocateSome(Object& object, Pindex first, std::uint32_t count) {
    for (Pindex at = first; at < std::min(first + count, kSize); ++at) Allocate(object, at);
  }
  void Allocate(Object& object, Pindex at) {
    if (PageOf(object, at) != nullptr) return;
    const std::uint64_t made = machine_.Count(Event::kReservation);
    const Pindex first = at - at % kRun;
    const std::optional<std::size_t> run = model_.Covering(object, at);
    const bool begins = !run.has_value() && !HasPageOfRun(object, first) &&
                        !model_.Overlaps(object, static_cast<std::int64_t>(first)) &&
                        model_.AnyWhole();
    Page* page = machine_.Allocate(object, at, {.alloc_class = AllocClass::kInterrupt});
    if (page == nullptr) {
      for (Frame frame = 0; frame < kPages; ++frame) ASSERT_FALSE(model_.Free(frame));
      return;
    }
    ASSERT_TRUE(model_.Free(page->frame));
    ASSERT_EQ(machine_.Count(Event::kReservation), made + (begins ? 1 : 0));
    if (begins) {
      ASSERT_TRUE(model_.Whole(page->frame / kRun));
      ASSERT_EQ(model_.Owner(page->frame), nullptr);
      ASSERT_EQ(page->frame % kRun, at % kRun);
      model_.Begin(page->frame / kRun, object, static_cast<std::int64_t>(first));
    } else if (run.has_value()) {
      const auto place =
          static_cast<Frame>(static_cast<std::int64_t>(*run * kRun + at) - model_.run(*run).first);
      if (model_.Free(place))
        ASSERT_EQ(page->frame, place);
      else
        ExpectListed(*page);
    } else {
      ExpectListed(*page);
    }
    model_.Use(page->frame);
  }
  // The frame is nobody's; where there was none, the oldest reservation was broken for it.
  void ExpectListed(const Page& page) {
    if (!model_.AnyListed()) model_.BreakOldest();
    ASSERT_EQ(model_.Owner(page.frame), nullptr) << page.frame;
  }
  void TakeUnowned() {
    Page* page = AllocateUnownedPage(machine_.system, {.alloc_class = AllocClass::kInterrupt},
                                     random_.Below(16));
    if (page == nullptr) return;
    ExpectListed(*page);
    model_.Use(page->frame);
    unowned_.push_back(page);
  }
  void FreeUnowned() {
    if (unowned_.empty()) return;
    std::swap(unowned_[random_.Below(static_cast<std::uint32_t>(unowned_.size()))],
              unowned_.back());
    Page& page = *unowned_.back();
    unowned_.pop_back();
    FreeUnownedPage(machine_.system, page);
    model_.GiveBack(page.frame);
  }
  void FreeOne() {
    Object& object = AnObject();
    Page* page = PageOf(object, random_.Below(kSize));
    if (page == nullptr) return;
    machine_.Free(object, *page);
    model_.GiveBack(page->frame);
  }
  void Move() {
    Object& from = AnObject();
    Object& to = AnObject();
    const Pindex at = random_.Below(kSize);
    Page* page = PageOf(from, at);
    const Pindex there = at - std::min<Pindex>(at, distance_);
    if (&from == &to || page == nullptr || PageOf(to, there) != nullptr) return;
    machine_.Rename(from, *page, to, there);
    model_.Move(page->frame, from, to, at - there);
  }
  void EndObject(std::size_t number) {
    Object*& object = objects_[number];
    for (Pindex at = 0; at < kSize; ++at)
      if (const Page* page = PageOf(*object, at)) model_.GiveBack(page->frame);
    model_.EndOf(*object);
    DeallocateObject(machine_.system, object);
    object = AllocateObject(machine_.system, ObjectType::kDefault, kSize);
    distance_ = random_.Below(2 * kRun);
  }

  void Compare() {
    const std::vector<ReservedRun> runs = machine_.Runs();
    for (std::size_t run = 0; run < kRuns; ++run) {
      ASSERT_EQ(runs[run].object, model_.run(run).object) << run;
      if (runs[run].object != nullptr) {
        ASSERT_EQ(runs[run].first, model_.run(run).first) << run;
      }
      for (Frame i = 0; i < kRun; ++i)
        ASSERT_EQ(runs[run].free[i], model_.Free(static_cast<Frame>(run * kRun) + i));
    }
    ASSERT_EQ(machine_.Partial(), model_.Partial());
  }

  locking::Random random_;
  ReservingMachine machine_{kPages};
  std::array<Object*, kObjects> objects_;
  std::vector<Page*> unowned_;
  Pindex distance_ = 3;  // that moved pages move by
  Model model_;
};

TEST(ReservationModel, EveryFrameIsWhereTheModelHasIt) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Player player(seed);
    for (std::uint32_t step = 0; step < kSteps && !testing::Test::HasFailure(); ++step)
      player.Step();
    if (testing::Test::HasFailure()) return;
    EXPECT_GT(player.machine().Count(Event::kReservationFull), 0u);
    EXPECT_GT(player.machine().Count(Event::kReservationBroken), 0u);
    EXPECT_GT(player.machine().Count(Event::kReservationRenamed), 0u);
  }
}

}  // namespace
}  // namespace vm
