// What a machine at rest consists of, read once under its locks, one at a time; the checks of
// single invariants are pure functions of it. Internal to the checker.
#ifndef VM_CHECK_VIEW_H_
#define VM_CHECK_VIEW_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "locking/finding.h"
#include "vm/map.h"
#include "vm/object.h"
#include "vm/page.h"
#include "vm/system.h"
#include "vm/types.h"

namespace vm {

struct ObjectView {
  const Object* object = nullptr;
  std::uint32_t id = 0;
  ObjectType type = ObjectType::kDead;
  Pindex size = 0;
  std::uint32_t ref_count = 0;
  std::uint32_t paging_in_progress = 0;
  bool paging_wanted = false;
  bool dead = false;
  bool one_mapping = false;
  bool might_be_dirty = false;
  bool of_file = false;  // has a vnode, or had one
  bool revoked = false;  // had one, which was taken away from its mappings
  std::uint32_t resident_page_count = 0;
  const Credential* credential = nullptr;
  Pindex charge = 0;
  const Object* backing = nullptr;
  Pindex backing_offset = 0;
  std::uint32_t shadow_count = 0;
  std::vector<const Object*> shadows;  // the shadow list

  struct IndexedPage {
    Pindex pindex;  // where the index has it
    const Page* page;
  };
  std::vector<IndexedPage> pages;  // of the index, in order
  struct Slot {
    Pindex pindex;
    std::uint32_t slot;
  };
  std::vector<Slot> slots;  // swap copies, in order

  bool anonymous() const { return type == ObjectType::kDefault || type == ObjectType::kSwap; }
  const Page* PageAt(Pindex pindex) const;
  bool HasSlot(Pindex pindex) const;
};

// A page-table entry, or what a PV list says about one.
struct MappingView {
  Frame frame;
  std::uint32_t pmap;  // its id
  Address va;
  bool writable = false;
  bool writable_entry = false;  // which does not count in a read-only table
  bool wired = false;
  bool modified = false;
  bool valid = true;
  bool managed = true;  // on the PV list of the page
  friend auto operator<=>(const MappingView& a, const MappingView& b) {
    return a.Key() <=> b.Key();
  }
  friend bool operator==(const MappingView& a, const MappingView& b) { return a.Key() == b.Key(); }

 private:
  struct Order {
    Frame frame;
    std::uint32_t pmap;
    Address va;
    auto operator<=>(const Order&) const = default;
  };
  Order Key() const { return {frame, pmap, va}; }
};

struct SpaceView {
  std::uint32_t id = 0;
  std::vector<MapEntry> entries;
  Address map_size = 0;
  Address limit = 0;
  std::uint32_t pmap = 0;  // its id
  std::uint32_t resident_count = 0;
  std::uint32_t wired_count = 0;
  std::vector<MappingView> mappings;  // in order of address
  std::vector<Frame> tables;

  const MapEntry* EntryAt(Address va) const;
  const MappingView* MappingAt(Address va) const;
};

struct TranslationView {
  std::uint32_t cpu;
  const Pmap* pmap;
  std::uint32_t pmap_id;
  Address va;
  Frame frame;
  bool writable;
};

// A run of frames that can be reserved.
struct RunView {
  Frame frame = 0;  // the first
  std::uint32_t pages = 0;
  const Object* object = nullptr;  // that it is reserved for
  std::int64_t first = 0;
  std::uint32_t available = 0;
  std::uint32_t times_partial = 0;   // found among the partial reservations
  std::uint32_t times_whole = 0;     // found among the whole runs
  const Object* known_to = nullptr;  // which has it among its reservations
};

struct MachineView {
  explicit MachineView(System& system)
      : system(system), pages(system.pages()), list_of(pages.size(), PageQueue::kNone) {}

  System& system;
  std::span<Page> pages;
  std::vector<PageQueue> list_of;  // by frame: the list the page was found on
  struct List {
    const char* name;
    PageQueue queue;
    std::uint32_t length;   // pages found on it, without markers
    std::uint32_t counter;  // what the machine says
  };
  std::vector<List> lists;
  std::vector<ObjectView> objects;    // [i] has id i + 1
  std::vector<SpaceView> spaces;      // in order of id
  std::vector<MappingView> pv_lists;  // every PV entry, sorted
  std::vector<TranslationView> translations;
  std::vector<RunView> runs;         // in order of frame
  std::vector<std::size_t> partial;  // numbers of partial reservations, the next to be broken first

  const ObjectView& Of(const Object* object) const { return objects[object->id - 1]; }
};

MachineView ViewMachine(System& system);
ObjectView ViewObject(Object& object) LOCKING_REQUIRES(object.lock);

// "frame 17 (object #3 at 5)"
std::string Describe(const Page& page);
std::string Describe(const ObjectView& object);
std::string Describe(const SpaceView& space, const MapEntry& entry);
std::string Describe(const MappingView& mapping);
std::string Describe(const RunView& run);

// What one check found.
class Findings {
 public:
  explicit Findings(const char* id) : id_(id) {}
  void Add(std::string title);
  // Appends them to `all`.
  void MoveTo(std::vector<locking::Finding>* all);

 private:
  static constexpr std::uint32_t kMost = 8;  // more are only counted
  const char* id_;
  std::uint32_t count_ = 0;
  std::vector<locking::Finding> findings_;
};

// One check of one invariant.
struct InvariantCheck {
  const char* id;
  const char* text;
  void (*check)(const MachineView& view, Findings& findings);
};
std::span<const InvariantCheck> PageChecks();         // check_pages.cc
std::span<const InvariantCheck> ObjectChecks();       // check_objects.cc
std::span<const InvariantCheck> MapChecks();          // check_maps.cc
std::span<const InvariantCheck> ReservationChecks();  // check_reservations.cc

}  // namespace vm

#endif  // VM_CHECK_VIEW_H_
