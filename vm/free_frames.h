// Which frames are free: those on the lists of their colours, and those that reservations keep
// (reservation.h). Each free frame is in one of the two places; those of a run that is reserved are
// kept, those of others are on the lists.
//
// Thread safety: that of a plain container, guarded by the free queue's lock (free_queue.h). Counts
// and MayBeReserved may be asked at any time.
#ifndef VM_FREE_FRAMES_H_
#define VM_FREE_FRAMES_H_

#include <cstdint>
#include <memory>
#include <span>

#include "locking/relaxed.h"
#include "vm/counters.h"
#include "vm/page.h"
#include "vm/page_colors.h"
#include "vm/reservation.h"

namespace vm {

class FreeFrames {
 public:
  // `pages`: all of the machine. run_pages: in a run that can be reserved; 0: there are none.
  FreeFrames(std::span<Page> pages, std::uint32_t run_pages, Counters& counters);

  // The page is on no list. It is kept where its run is reserved; else a zeroed one goes to the
  // tail of its list, any other to the head.
  void Put(Page& page);
  // Machine start: to the tail, behind those of earlier calls.
  void PutLast(Page& page);

  // A page of `color` if there is one, zeroed if there is one of these and it is asked for. There
  // is a free frame; where only reservations have one, the first partial one is broken.
  Page& Take(std::uint64_t color, bool prefer_zeroed);
  // The frame that is kept for the place, of a reservation begun for it if it may. nullptr: none.
  Page* TakeReserved(const ReservationPlace& place);
  // This one, which is free; a reservation that keeps it is broken.
  void TakeThis(Page& page);
  // The head of that colour's list, off it, if it is not zeroed; else nullptr.
  Page* TakePlain(std::uint32_t color);

  // The object ends: none of its reservations is left.
  void BreakAll(Object& object);
  // The page moves from the one object to the other, to an offset that is `distance` less; a
  // reservation of the first that it is of goes along.
  void Rename(const Page& page, const Object& from, Object& to, Pindex distance);

  bool reserves() const { return run_pages_ != 0; }
  // A page in use: its run is not reserved before all of its frames are free, so what is said here
  // may only be out of date where it is yes.
  bool MayBeReserved(const Page& page) const {
    const Reservation* run = RunOf(page);
    return run != nullptr && run->object != nullptr;
  }
  bool MayBeReservedFor(const Page& page, const Object& object) const {
    const Reservation* run = RunOf(page);
    return run != nullptr && run->object == &object;
  }
  std::uint32_t count() const { return count_; }                // of all free frames
  std::uint32_t zeroed_count() const { return zeroed_count_; }  // on the lists
  std::uint32_t kept_count() const { return kept_count_; }      // by reservations

  // For sweeps and views.
  std::uint32_t run_pages() const { return run_pages_; }
  std::span<const Reservation> runs() const { return {runs_.get(), run_count_}; }
  std::span<const Page> FramesOf(const Reservation& run) const {
    return pages_.subspan(NumberOf(run) * run_pages_, run_pages_);
  }
  const ReservationList& partial() const { return partial_; }  // the next to be broken first
  const ReservationList& whole() const { return whole_; }
  // Visits every page on the lists, then every one that a reservation keeps.
  template <typename Visit>
  void ForEach(Visit visit) {
    lists_.ForEach([&](Page& page) { visit(page, PageQueue::kFree); });
    for (const Reservation& run : runs())
      for (const Page& page : FramesOf(run))
        if (run.object != nullptr && page.queue == PageQueue::kReserved)
          visit(page, PageQueue::kReserved);
  }

 private:
  Reservation* RunOf(const Page& page) const {
    if (run_pages_ == 0) return nullptr;
    const std::size_t number = page.frame / run_pages_;
    return number < run_count_ ? &runs_[number] : nullptr;
  }
  std::size_t NumberOf(const Reservation& run) const {
    return static_cast<std::size_t>(&run - runs_.get());
  }
  std::span<Page> Frames(const Reservation& run) const {
    return pages_.subspan(NumberOf(run) * run_pages_, run_pages_);
  }
  // On and off the lists.
  void Link(Page& page, bool last);
  void Unlink(Page& page);
  // Of a run that is not reserved: a frame more or less is on the lists.
  void CountListed(const Page& page, bool more);

  Reservation* Find(Object& object, Pindex pindex);
  Reservation* Begin(const ReservationPlace& place);
  bool Overlaps(Object& object, std::int64_t first) const;
  void Keep(Reservation& run, Page& page);
  void Use(Reservation& run, Page& page);
  // To the tail of the partial reservations, if it is one.
  void Requeue(Reservation& run);
  void End(Reservation& run);
  void Break(Reservation& run);

  const std::span<Page> pages_;
  const std::uint32_t run_pages_;
  const std::size_t run_count_;
  const std::unique_ptr<Reservation[]> runs_;  // of the frames in order; a part of a run is none
  Counters& counters_;
  ColoredPages lists_;
  ReservationList whole_;    // not reserved, and every frame is on the lists
  ReservationList partial_;  // reserved, and some frame is kept
  locking::Relaxed<std::uint32_t> count_;
  locking::Relaxed<std::uint32_t> zeroed_count_;
  locking::Relaxed<std::uint32_t> kept_count_;
};

}  // namespace vm

#endif  // VM_FREE_FRAMES_H_
