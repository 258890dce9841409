// A machine that reserves, and what tests see of its reservations.
#ifndef TESTS_VM_RESERVING_MACHINE_H_
#define TESTS_VM_RESERVING_MACHINE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/vm/machine.h"
#include "vm/check.h"
#include "vm/page_alloc.h"

namespace vm {

// What is known of a run of frames.
struct ReservedRun {
  const Object* object = nullptr;  // that it is reserved for
  std::int64_t first = 0;
  std::vector<bool> free;  // by frame
  friend bool operator==(const ReservedRun&, const ReservedRun&) = default;
};

class ReservingMachine : public Machine {
 public:
  static constexpr std::uint32_t kRun = 8;

  explicit ReservingMachine(std::uint32_t pages = 64, std::vector<PhysicalRange> memory = {})
      : Machine({.memory = std::move(memory),
                 .pages = pages,
                 .page_size = kTestPageSize,
                 .swap_slots = pages,
                 .reservation_pages = kRun}) {}

  // nullptr: there is none.
  Page* Allocate(Object& object, Pindex at, const AllocRequest& request = {}) {
    ObjectGuard guard(object.lock);
    Page* page = AllocatePage(system, object, at, request);
    if (page != nullptr) {
      page->valid = system.AllBlocks();
      PageRoleGuard role_guard(system.queues().PageLock(*page));
      if (page->wire_count == 0) system.queues().Activate(*page);
    }
    return page;
  }
  void Free(Object& object, Page& page) {
    ObjectGuard guard(object.lock);
    FreePage(system, object, page);
  }
  void Rename(Object& from, Page& page, Object& to, Pindex at) LOCKING_NO_ANALYSIS {
    from.lock.Lock();
    EXPECT_TRUE(to.lock.TryLock());
    RenamePage(system, from, page, to, at);
    to.lock.Unlock();
    from.lock.Unlock();
  }
  std::vector<ReservedRun> Runs() {
    std::vector<ReservedRun> states;
    system.free_queue().LookAtFrames([&](const FreeFrames& frames) {
      for (const Reservation& run : frames.runs()) {
        states.push_back({.object = run.object, .first = run.first, .free = {}});
        for (const Page& page : frames.FramesOf(run))
          states.back().free.push_back(IsFree(page.queue));
      }
    });
    return states;
  }
  // Numbers of the partial reservations, the next to be broken first.
  std::vector<std::size_t> Partial() {
    std::vector<std::size_t> numbers;
    system.free_queue().LookAtFrames([&](const FreeFrames& frames) {
      for (const Reservation& run : frames.partial())
        numbers.push_back(static_cast<std::size_t>(&run - frames.runs().data()));
    });
    return numbers;
  }
  const Object* ReservedFor(const Page& page) { return Runs()[page.frame / kRun].object; }
  std::uint64_t Count(Event event) { return system.counters().Get(event); }
  // What the sweeps find, those aside that miss maps: the tests use objects without one.
  std::vector<locking::Finding> Findings() {
    std::vector<locking::Finding> findings = CheckSystem(system);
    std::erase_if(findings, [](const locking::Finding& finding) {
      return finding.id == "INV-31" || finding.id == "INV-32";
    });
    return findings;
  }
  void ExpectSound() {
    for (const locking::Finding& finding : Findings())
      ADD_FAILURE() << locking::FormatFinding(finding);
  }
};

}  // namespace vm

#endif  // TESTS_VM_RESERVING_MACHINE_H_
