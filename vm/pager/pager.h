// The pager of an object: whatever keeps the pages that are not resident, and what the VM asks of
// it. Each type of object has one (the pager vector):
//
//   default   none yet: nothing was written out, and what is not resident reads as zero. The first
//             write-out makes it a swap object
//   swap      SwapPager (pager/swap.h)
//   vnode     VnodePager (pager/vnode_pager.h)
//   device, physical    DevicePager, PhysicalPager (pager/making_pagers.h)
//   dead      none; DeadPager, while somebody still refers to it (pager/dead_pager.h)
//
// A page that is read in is exclusively busy from before the read until it is valid or freed. A
// write-out goes in three steps, so that another thread may do the second and the last: its pages
// are shared-busy, and the object has paging in progress, from the first to the last.
//
// Thread safety: all functions may be called by any thread, under the locks that they name.
//
// Follows the pager operations of uvm_pager.c and vm_pager.c.
#ifndef VM_PAGER_PAGER_H_
#define VM_PAGER_PAGER_H_

#include <array>
#include <cstdint>
#include <span>

#include "vm/object.h"
#include "vm/page.h"
#include "vm/types.h"

namespace vm {

class System;

inline constexpr std::uint32_t kClusterPages = 16;  // most pages of one transfer; a power of two

// Pages around one that the pager has, which the same read can bring.
struct PageRun {
  std::uint32_t before = 0;
  std::uint32_t behind = 0;
};

// What a transfer does that finds no room in the pager map (pager_map.h).
enum class MapIn : std::uint8_t {
  kTry,      // gives up
  kWait,     // sleeps until there is
  kLaundry,  // takes some of the reserve; sleeps when that is used up, too
};

// What a write-out came to, for one page.
enum class PutState : std::uint8_t {
  kClean,      // there was nothing to write
  kWritten,    // its contents are in the store; dirty only if it was dirtied meanwhile
  kNoRoom,     // dirty as before: the store has no room for it
  kFailed,     // dirty as before: the write failed, or ended before this page
  kBeyondEnd,  // clean: the store ends before it, so there is nothing to keep
};

// One write-out under way: its pages, which are shared-busy, and the runs of them that go to
// consecutive places of the store.
struct WriteOut {
  struct Segment {
    std::uint32_t first;    // index into `pages`
    std::uint32_t count;    // pages
    std::uint64_t place;    // of the first page, in pages of the store
    bool in_place;          // over the page's own copy, because no other place was free
    std::uint32_t written;  // whole pages that the write brought to the store, from the first on
    Result result;          // why it ended, if not all of them
  };

  std::array<Page*, kClusterPages> pages;
  std::uint32_t page_count = 0;
  Vnode* vnode = nullptr;  // of a file
  MapIn map_in = MapIn::kWait;
  // The dirty bits that were taken from each page; 0: it was clean, or found no place.
  std::array<std::uint64_t, kClusterPages> dirty{};
  std::array<PutState, kClusterPages> states{};  // final after EndPageOut
  std::array<Segment, kClusterPages> segments;
  std::uint32_t segment_count = 0;

  std::span<Page* const> cluster() const { return {pages.data(), page_count}; }
  std::span<Page* const> PagesOf(const Segment& segment) const {
    return cluster().subspan(segment.first, segment.count);
  }
  std::uint32_t Count(PutState state) const;
};

class Pager {
 public:
  explicit Pager(System& system) : system_(system) {}
  virtual ~Pager() = default;
  Pager(const Pager&) = delete;

  // Whether the pager can bring (object, pindex).
  virtual bool HasPage(const Object& object, Pindex pindex) const
      LOCKING_REQUIRES_SHARED(object.lock) = 0;
  // Which pages around one that it has the same read can bring, at most kClusterPages in all.
  virtual PageRun RunAround(const Object& object, Pindex pindex) const
      LOCKING_REQUIRES_SHARED(object.lock) = 0;
  // Reads `pages` of consecutive indices, a part of the run around pages[wanted]. They are
  // exclusively busy by the caller, and invalid; the object has paging in progress. On kOk the one
  // wanted is valid and clean; each of the others is that, or still invalid. kIoError: the one
  // wanted is still invalid.
  //   locked on entry and return: object; dropped and retaken. Sleeps.
  virtual Result GetPages(Object& object, std::span<Page* const> pages, std::uint32_t wanted)
      LOCKING_REQUIRES(object.lock) = 0;

  // Whether it makes pages itself, instead of reading into pages of the machine.
  virtual bool makes_pages() const { return false; }
  // Makes the page at (object, pindex), where there is none: valid, and for as long as the object
  // lives. kShortage: there is no page for it. Only of those that make pages.
  //   locked on entry and return: object. Does not sleep.
  virtual Result MakePage(Object& object, Pindex pindex, Page** page) LOCKING_REQUIRES(object.lock);

  // Writes the dirty ones of `pages`: at most kClusterPages, of consecutive indices, resident,
  // valid, unbusy. Write access to them is removed here, and they are shared-busy from then on
  // until the return. What was written is clean, unless it was dirtied meanwhile; what failed, or
  // found no place, is dirty as before. Returns how many were written.
  //   locked on entry and return: object; dropped and retaken. The pages are still there on return,
  //   all else is to be looked up again. Sleeps.
  std::uint32_t PageOut(Object& object, std::span<Page* const> pages) LOCKING_REQUIRES(object.lock);
  // The same, and tells what became of each page.
  std::uint32_t PageOut(Object& object, std::span<Page* const> pages, WriteOut* write)
      LOCKING_REQUIRES(object.lock);
  // The same in three steps. Between the first and the last the object has paging in progress,
  // unless there is nothing to write: no segment.
  //   locked on entry and return of the first and the last: object. They do not sleep.
  void BeginPageOut(Object& object, std::span<Page* const> pages, WriteOut* write)
      LOCKING_REQUIRES(object.lock);
  //   They go on in another thread: the first gives the write away, then the other takes it over.
  static void GiveAway(const Object& object, const WriteOut& write);
  static void TakeOver(const Object& object, const WriteOut& write);
  //   no lock of the VM is held that is not sleepable; of a file, its vnode is locked. Sleeps.
  virtual void Write(WriteOut& write) = 0;
  std::uint32_t EndPageOut(Object& object, WriteOut& write) LOCKING_REQUIRES(object.lock);

  // Forgets all that it keeps for the object, which ends, or loses its pager.
  virtual void Deallocate(Object& object) LOCKING_REQUIRES(object.lock) = 0;

 protected:
  // Gives each run of dirty pages a segment, and a state to those that get none.
  virtual void AssignPlaces(Object& object, WriteOut& write) LOCKING_REQUIRES(object.lock) = 0;
  // The segment's write has ended: the places of pages that were written are theirs now, and the
  // others are given back.
  virtual void Settle(Object& object, const WriteOut& write, const WriteOut::Segment& segment)
      LOCKING_REQUIRES(object.lock) = 0;
  // Puts dirty bits back that were taken for a write that will not be.
  static void GiveBackDirty(WriteOut& write, std::uint32_t index, PutState why);

  System& system_;

 private:
  void ProtectCluster(Object& object, WriteOut& write) LOCKING_REQUIRES(object.lock);
};

// The pager that writes the pages of an object that is not dead: its own; for a default object
// swap.
Pager& PagerForWriting(System& system, const Object& object) LOCKING_REQUIRES_SHARED(object.lock);

// Makes (object, pindex), which its pager has, resident and valid, together with pages around it
// that the same read brings, if there is memory for them. Busy while it lasts, which ends with it;
// the page is active. kShortage: there is no page for it. kIoError: it is not resident.
//   locked on entry and return: object; dropped and retaken: look everything up again, save *page.
//   The page, if there is one already, is invalid and not busy. Sleeps.
Result PageIn(System& system, Object& object, Pindex pindex, Page** page)
    LOCKING_REQUIRES(object.lock);

}  // namespace vm

#endif  // VM_PAGER_PAGER_H_
