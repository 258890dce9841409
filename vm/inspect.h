// Views of a machine for whoever looks for what went wrong in it: plain data, which outlive the
// machine, and the same as text.
//
// Contract of the functions that look: no lock of the VM is held by the caller. InspectMachine
// wants the machine at rest, as sweeps do (check.h). InspectObject locks the object, InspectChain
// the front throughout and what is behind it hand over hand: others may use them.
//
// Follows the commands of the seeds' debugger: vm_page.c:1813 (page), :1827 (pageq),
// vm_object.c:2268 (vmochk), :2298 (object), :2362 (vmopag).
#ifndef VM_INSPECT_H_
#define VM_INSPECT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "vm/object.h"
#include "vm/thresholds.h"
#include "vm/types.h"

namespace vm {

// Pages of an object that follow one another there and where they are: in frames, or in swap.
struct RunState {
  Pindex first = 0;
  Pindex count = 0;
  std::uint64_t place = 0;  // frame or slot of the first
};

// A run of an object's offsets that frames are reserved for, where it lies within the object.
struct ReservationState {
  std::uint32_t object = 0;  // id
  Pindex first = 0;
  Pindex count = 0;
  std::uint64_t place = 0;  // frame of the first
  std::uint32_t used = 0;   // frames of all of the run, by whatever object
};

struct ObjectState {
  std::uint32_t id = 0;
  std::string type;  // "default", "swap", "vnode", "device", "phys", "dead"
  Pindex size = 0;   // in pages
  std::uint32_t resident = 0;
  std::uint32_t references = 0;
  std::uint32_t shadows = 0;
  std::uint32_t paging_in_progress = 0;
  bool charged = false;
  Pindex charge = 0;
  std::vector<std::string> flags;
  std::uint32_t backing = 0;  // id; 0: nothing backs it
  Pindex backing_offset = 0;
  // At most kRunStates of each, and how many pages stand in further ones.
  std::vector<RunState> pages;
  std::vector<RunState> slots;
  Pindex pages_left_out = 0;
  Pindex slots_left_out = 0;
  // Of InspectMachine alone: at most kRunStates, and how many more.
  std::vector<ReservationState> reservations;
  std::uint32_t reservations_left_out = 0;

  static constexpr std::size_t kRunStates = 1024;

  // Of anonymous memory, which only maps and shadows can refer to.
  bool internal() const { return type == "default" || type == "swap"; }
};

struct MappingState {
  std::uint32_t space = 0;
  Address address = 0;
  bool writable = false;
  bool modified = false;  // written to, and not yet told to the page
  bool wired = false;
};

struct PageState {
  Frame frame = 0;
  std::string identity;      // PageIdentityName
  std::string queue;         // that it stands on; "none"
  std::uint32_t object = 0;  // id; 0: none
  Pindex pindex = 0;
  std::uint64_t valid = 0;  // a bit a block
  std::uint64_t dirty = 0;
  std::string busy;  // "no", "exclusive" or "shared"
  std::uint32_t wirings = 0;
  std::uint32_t holds = 0;
  std::uint32_t loans = 0;
  std::uint32_t act_count = 0;
  std::vector<std::string> flags;
  std::vector<MappingState> mappings;  // in order of space and address
};

struct EntryState {
  Address start = 0;
  Address end = 0;
  std::uint32_t object = 0;  // id; 0: none yet
  Pindex offset = 0;
  std::string protection;  // "rw", "r", "w" or "none"
  std::uint32_t wirings = 0;
  bool needs_copy = false;
};

struct SpaceState {
  std::uint32_t id = 0;
  std::uint32_t resident = 0;  // pages in its page tables
  std::uint32_t wired = 0;
  std::vector<EntryState> entries;
};

// What stands on the queues, and from where on the page daemon and allocations act.
struct QueuesState {
  std::uint32_t zeroed = 0;  // of the free ones
  std::uint32_t held = 0;
  std::uint32_t inactive = 0;
  std::uint32_t active = 0;
  std::uint32_t wired = 0;
  std::uint32_t kept = 0;  // free, by reservations: on no queue
  std::vector<std::uint32_t> free_by_color;
  std::vector<std::uint32_t> cache_by_color;
  Thresholds thresholds{};

  std::uint32_t free() const;
  std::uint32_t cache() const;
};

struct MachineState {
  std::uint32_t pages_in_all = 0;
  std::uint32_t frames = 0;  // holes of the memory included
  std::uint32_t page_size = 0;
  QueuesState queues;
  std::vector<ObjectState> objects;  // in order of id: all that have not ended
  std::vector<SpaceState> spaces;    // in order of id
  std::vector<PageState> pages;      // in order of frame: those in use, at most kPageStates
  std::uint32_t pages_left_out = 0;  // more of them
  // Reservations that keep a frame, the next to be broken first: at most ObjectState::kRunStates.
  std::vector<ReservationState> partial;
  std::uint32_t partial_left_out = 0;

  static constexpr std::size_t kPageStates = 4096;
  // nullptr: there is none, or it was left out.
  const ObjectState* FindObject(std::uint32_t id) const;
  const PageState* FindPage(Frame frame) const;
};

ObjectState InspectObject(Object& object);
// Itself, then what is behind it.
std::vector<ObjectState> InspectChain(Object& front);
// The same of a machine that was looked at before; empty if there is no such object.
std::vector<ObjectState> ChainOf(const MachineState& machine, std::uint32_t front);
MachineState InspectMachine(System& system);

// What the check of all objects finds: anonymous memory that nobody refers to, or that no map
// leads to, a line each.
std::vector<std::string> CheckObjects(const MachineState& machine);

// "object #3: swap, 12 pages, 4 resident, references 2, shadows 1, charge 12, behind it #1 + 4;
// resident 0-2 in frames 17-19, 7 in frame 5; in swap 9-11 in slots 3-5; reserved 0-7 in frames
// 16-23 (4 used)". More than a few runs are only counted.
std::string Text(const ObjectState& object);
// "frame 17: object, on the queue active, object #3 at 5, valid 0xff, dirty 0x3, act count 5;
// mapped by space #1 at 0x1000 writable modified"
std::string Text(const PageState& page);
// A line each: counts, thresholds, then the free and the cache queue by colour, and the partial
// reservations if there are any.
std::string QueuesText(const MachineState& machine);
// "space #1: 3 pages mapped, 0 wired", and a line for each entry.
std::string Text(const SpaceState& space);

}  // namespace vm

#endif  // VM_INSPECT_H_
