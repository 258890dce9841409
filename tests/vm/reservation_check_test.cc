// What the sweeps see of reservations: each of their invariants broken, and no other.
#include <set>
#include <string>

#include "locking/finding.h"
#include "tests/vm/reserving_machine.h"

namespace vm {
namespace {

constexpr std::uint32_t kPages = 64;
constexpr std::uint32_t kRun = ReservingMachine::kRun;

class ReservationSweep : public testing::Test {
 protected:
  ReservationSweep() {
    object_ = AllocateObject(machine_.system, ObjectType::kDefault, 2 * kRun);
    page_ = machine_.Allocate(*object_, 1);
    machine_.Allocate(*object_, 3);
  }
  std::set<std::string> Ids() {
    std::set<std::string> ids;
    for (const locking::Finding& finding : machine_.Findings()) ids.insert(finding.id);
    return ids;
  }
  Reservation& Run() {
    const Reservation* found = nullptr;
    machine_.system.free_queue().LookAtFrames(
        [&](const FreeFrames& frames) { found = &frames.runs()[page_->frame / kRun]; });
    return const_cast<Reservation&>(*found);
  }
  using Set = std::set<std::string>;

  // A machine with a planted fault cannot be taken down: it is kept to the end of the process.
  static ReservingMachine& NewMachine() {
    static auto& machines = *new std::vector<ReservingMachine*>;
    return *machines.emplace_back(new ReservingMachine(kPages));
  }
  ReservingMachine& machine_ = NewMachine();
  Object* object_;
  Page* page_;
};

TEST_F(ReservationSweep, Inv19FrameIsKeptOutsideAReservation) {
  EXPECT_EQ(Ids(), Set{});
  machine_.system.PageOfFrame(kPages - 1).queue = PageQueue::kReserved;
  EXPECT_EQ(Ids(), Set{"INV-19"});
}

TEST_F(ReservationSweep, Inv61FreeFramesAreMiscounted) {
  --Run().available;
  EXPECT_EQ(Ids(), Set{"INV-61"});
}

TEST_F(ReservationSweep, Inv62ObjectDoesNotKnowItsReservation) {
  object_->reservations.clear();
  EXPECT_EQ(Ids(), Set{"INV-62"});
}

TEST_F(ReservationSweep, Inv62ReservationOfADeadObject) {
  DeallocateObject(machine_.system, AllocateObject(machine_.system, ObjectType::kDefault, 1));
  Object& dead = *machine_.system.AllObjects().back();
  object_->reservations.clear();
  Run().object = &dead;
  dead.reservations.insert(Run());
  EXPECT_EQ(Ids(), Set{"INV-62"});
}

TEST_F(ReservationSweep, Inv63PageIsNotWhereItsReservationHasIt) {
  Run().first += 1;
  EXPECT_EQ(Ids(), Set{"INV-63"});
}

}  // namespace
}  // namespace vm
