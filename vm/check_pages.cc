// Sweeps over pages and the lists they stand on.
#include <algorithm>

#include "vm/check_view.h"

namespace vm {
namespace {

bool OnPagingQueue(const Page& page) {
  return page.queue == PageQueue::kActive || page.queue == PageQueue::kInactive ||
         page.queue == PageQueue::kCache;
}

// INV-01
void FreePagesAreUnused(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages) {
    if (!IsFree(page.queue)) continue;
    if (page.dirty.Peek() != 0) findings.Add(Describe(page) + " is free and dirty");
    if (page.wire_count != 0) findings.Add(Describe(page) + " is free and wired");
    if (page.hold_count != 0) findings.Add(Describe(page) + " is free and held");
  }
}

// INV-02
void IdentitiesAgree(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages) {
    const PageIdentity identity = page.identity;
    const bool owned = page.object != nullptr;
    if (owned != (identity == PageIdentity::kObject))
      findings.Add(Describe(page) + " is called " + PageIdentityName(identity) +
                   (owned ? ", and has an owner" : ", and has none"));
    if (owned) continue;
    if ((IsFree(page.queue) && identity != PageIdentity::kFree) ||
        (page.queue == PageQueue::kHold && identity != PageIdentity::kHeld))
      findings.Add(Describe(page) + " is on a free list and called " + PageIdentityName(identity));
  }
}

// INV-08
void ZeroedFramesReadAsZero(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages) {
    if (!IsFree(page.queue) || !page.zeroed) continue;
    const auto bytes = view.system.FrameBytes(page);
    if (std::any_of(bytes.begin(), bytes.end(),
                    [](std::byte byte) { return byte != std::byte{0}; }))
      findings.Add(Describe(page) + " is kept as zeroed, and is not zero");
  }
}

// INV-14
void NobodyIsStillWanted(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages)
    if (page.wanted)
      findings.Add(Describe(page) + " is wanted, and nobody is to wake its sleepers");
}

// INV-17
void NoPageIsBusy(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages) {
    if (page.exclusively_busy()) findings.Add(Describe(page) + " is still busy");
    if (page.shared_busy != 0) findings.Add(Describe(page) + " is still shared-busy");
  }
}

// INV-19
void QueuesHoldWhatTheyRecord(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages)
    if (page.queue != view.list_of[page.frame])
      findings.Add(Describe(page) + " is not on the list it says it is on");
  for (const MachineView::List& list : view.lists)
    if (list.length != list.counter)
      findings.Add(std::string(list.name) + ": " + std::to_string(list.length) +
                   " pages, counted " + std::to_string(list.counter));
}

// INV-20: in the order of the counting: free, held, contiguous, wired, no-object, busy, queued;
// owned pages that are on no queue are INV-21's.
void EachPageIsCounted(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages) {
    const bool counted =
        page.queue != PageQueue::kNone || page.wire_count != 0 ||
        page.identity == PageIdentity::kNoObject || page.identity == PageIdentity::kContiguous ||
        page.identity == PageIdentity::kAbsent || page.busied() || page.object != nullptr;
    if (!counted) findings.Add(Describe(page) + " is lost: neither free nor in use");
  }
}

// INV-21
void NoOwnedPageIsLost(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages)
    if (page.object != nullptr && page.wire_count == 0 && !page.busied() &&
        page.queue == PageQueue::kNone && !page.unmanaged)
      findings.Add(Describe(page) + " is on no queue, and nothing keeps it off");
}

// INV-22
void WiredPagesAreNotQueued(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages) {
    if (!OnPagingQueue(page)) continue;
    if (page.wire_count != 0) findings.Add(Describe(page) + " is wired and on a paging queue");
    if (page.unmanaged) findings.Add(Describe(page) + " is unmanaged and on a paging queue");
  }
}

// INV-23, at rest
void CachedPagesAreClean(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages) {
    if (page.queue != PageQueue::kCache) continue;
    if (page.dirty.Peek() != 0) findings.Add(Describe(page) + " is cached and dirty");
    if (page.busied()) findings.Add(Describe(page) + " is cached and busy");
    if (page.pv_first != nullptr) findings.Add(Describe(page) + " is cached and mapped");
    if (page.hold_count != 0) findings.Add(Describe(page) + " is cached and held");
  }
}

// INV-28
void WiredCounterAgrees(const MachineView& view, Findings& findings) {
  const auto wired = static_cast<std::uint32_t>(std::count_if(
      view.pages.begin(), view.pages.end(), [](const Page& page) { return page.wire_count != 0; }));
  const std::uint32_t counted = view.system.queues().wired_count();
  if (wired != counted)
    findings.Add(std::to_string(wired) + " pages are wired, counted " + std::to_string(counted));
}

// INV-52
void ContentsAreValid(const MachineView& view, Findings& findings) {
  for (const Page& page : view.pages) {
    if (page.object == nullptr) continue;
    if ((page.dirty.Peek() & ~page.valid) != 0)
      findings.Add(Describe(page) + " is dirty where it is not valid");
    if (page.pv_first != nullptr && page.valid != view.system.AllBlocks())
      findings.Add(Describe(page) + " is mapped and not valid");
  }
}

constexpr InvariantCheck kChecks[] = {
    {"INV-01", "a free page is clean, unwired and unheld", FreePagesAreUnused},
    {"INV-02", "every page is in exactly one identity", IdentitiesAgree},
    {"INV-08", "pre-zeroed free frames read as zero", ZeroedFramesReadAsZero},
    {"INV-14", "a page that is wanted has a waker", NobodyIsStillWanted},
    {"INV-17", "no page is busy", NoPageIsBusy},
    {"INV-19", "a page is on the list it records, and lists agree with their counters",
     QueuesHoldWhatTheyRecord},
    {"INV-20", "each page is counted once", EachPageIsCounted},
    {"INV-21", "no owned, unwired, unbusy page is on no queue", NoOwnedPageIsLost},
    {"INV-22", "a wired or unmanaged page is on no paging queue", WiredPagesAreNotQueued},
    {"INV-23", "a cached page is clean, unmapped, unbusy and unheld", CachedPagesAreClean},
    {"INV-28", "the wired counter is the number of wired pages", WiredCounterAgrees},
    {"INV-52", "dirty blocks are valid, mapped pages wholly", ContentsAreValid},
};

}  // namespace

std::span<const InvariantCheck> PageChecks() { return kChecks; }

}  // namespace vm
