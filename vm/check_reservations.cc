// Sweeps over the runs of frames that can be reserved.
#include <algorithm>

#include "vm/check_view.h"

namespace vm {
namespace {

std::uint32_t FramesOn(const MachineView& view, const RunView& run, PageQueue list) {
  const auto begin = view.list_of.begin() + run.frame;
  return static_cast<std::uint32_t>(std::count(begin, begin + run.pages, list));
}

// INV-61
void FreeFramesAreKept(const MachineView& view, Findings& findings) {
  for (const RunView& run : view.runs) {
    const bool reserved = run.object != nullptr;
    const std::uint32_t kept = FramesOn(view, run, PageQueue::kReserved);
    const std::uint32_t listed = FramesOn(view, run, PageQueue::kFree);
    if ((reserved ? listed : kept) != 0)
      findings.Add(Describe(run) + (reserved ? " has frames on the free queue"
                                             : " is not reserved, and keeps frames"));
    if (kept + listed != run.available)
      findings.Add(Describe(run) + ": " + std::to_string(kept + listed) +
                   " frames are free, counted " + std::to_string(run.available));
  }
}

// INV-62
void RunsAreListed(const MachineView& view, Findings& findings) {
  for (const RunView& run : view.runs) {
    const bool reserved = run.object != nullptr;
    const bool whole = run.available == run.pages;
    if (reserved && whole) findings.Add(Describe(run) + ": no frame of the reservation is used");
    if (run.times_whole != (!reserved && whole ? 1 : 0))
      findings.Add(Describe(run) + " stands " + std::to_string(run.times_whole) +
                   " times among the whole runs");
    if (run.times_partial != (reserved && run.available != 0 ? 1 : 0))
      findings.Add(Describe(run) + " stands " + std::to_string(run.times_partial) +
                   " times among the partial reservations");
    if (run.known_to != run.object)
      findings.Add(Describe(run) + (run.known_to == nullptr
                                        ? ": its object does not know it"
                                        : ": an object knows it that it is not reserved for"));
    if (reserved && view.Of(run.object).type == ObjectType::kDead && !view.Of(run.object).revoked)
      findings.Add(Describe(run) + ": its object is dead");
  }
}

// INV-63
void ReservedFramesAreInPlace(const MachineView& view, Findings& findings) {
  for (const RunView& run : view.runs) {
    if (run.object == nullptr) continue;
    for (std::uint32_t i = 0; i < run.pages; ++i) {
      const Page& page = view.pages[run.frame + i];
      if (page.object == run.object && static_cast<std::int64_t>(page.pindex) != run.first + i)
        findings.Add(Describe(page) + " is not where its reservation has it, at " +
                     std::to_string(run.first + i));
    }
  }
}

constexpr InvariantCheck kChecks[] = {
    {"INV-61", "a reservation keeps the free frames of its run, and no others", FreeFramesAreKept},
    {"INV-62", "a reservation is on the list of its kind, and its object knows it", RunsAreListed},
    {"INV-63", "a page lies where the reservation of its object has it", ReservedFramesAreInPlace},
};

}  // namespace

std::span<const InvariantCheck> ReservationChecks() { return kChecks; }

}  // namespace vm
