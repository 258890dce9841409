#include "vm/free_frames.h"

#include <iterator>

#include "vm/object.h"
#include "vm/require.h"

namespace vm {
namespace {

// The caller holds the lock that alone allows to write.
void Increment(locking::Relaxed<std::uint32_t>& count) { count = count + 1; }
void Decrement(locking::Relaxed<std::uint32_t>& count) { count = count - 1; }

}  // namespace

FreeFrames::FreeFrames(std::span<Page> pages, std::uint32_t run_pages, Counters& counters)
    : pages_(pages),
      run_pages_(run_pages),
      run_count_(run_pages == 0 ? 0 : pages.size() / run_pages),
      runs_(run_count_ == 0 ? nullptr : std::make_unique<Reservation[]>(run_count_)),
      counters_(counters) {}

void FreeFrames::CountListed(const Page& page, bool more) {
  Reservation* run = RunOf(page);
  if (run == nullptr) return;
  if (run->available == run_pages_) whole_.erase(whole_.iterator_to(*run));
  run->available += more ? 1 : -1u;
  if (run->available == run_pages_) whole_.push_back(*run);
}

void FreeFrames::Link(Page& page, bool last) {
  page.queue = PageQueue::kFree;
  if (page.zeroed) Increment(zeroed_count_);
  if (page.zeroed || last)
    lists_.PushBack(page);
  else
    lists_.PushFront(page);
}

void FreeFrames::Unlink(Page& page) {
  lists_.Erase(page);
  if (page.zeroed) Decrement(zeroed_count_);
  page.queue = PageQueue::kNone;
}

void FreeFrames::Put(Page& page) {
  Increment(count_);
  Reservation* run = RunOf(page);
  if (run != nullptr && run->object != nullptr) {
    Keep(*run, page);
    return;
  }
  Link(page, false);
  CountListed(page, true);
}

void FreeFrames::PutLast(Page& page) {
  Increment(count_);
  Link(page, true);
  CountListed(page, true);
}

Page& FreeFrames::Take(std::uint64_t color, bool prefer_zeroed) {
  Page* page = prefer_zeroed && zeroed_count() != 0 ? lists_.ZeroedTail(color) : lists_.Head(color);
  if (page == nullptr) {
    Break(partial_.front());
    page = lists_.Head(color);
  }
  TakeThis(*page);
  return *page;
}

void FreeFrames::TakeThis(Page& page) {
  if (page.queue == PageQueue::kReserved) Break(*RunOf(page));
  Unlink(page);
  CountListed(page, false);
  Decrement(count_);
}

Page* FreeFrames::TakePlain(std::uint32_t color) {
  PageList& list = lists_.OfColor(color);
  if (list.empty() || list.front().zeroed) return nullptr;
  Page& page = list.front();
  TakeThis(page);
  return &page;
}

Page* FreeFrames::TakeReserved(const ReservationPlace& place) {
  Reservation* run = Find(*place.object, place.pindex);
  if (run == nullptr && place.may_begin) run = Begin(place);
  if (run == nullptr) return nullptr;
  Page& page = Frames(*run)[run->IndexOf(place.pindex)];
  if (page.queue != PageQueue::kReserved) return nullptr;
  Use(*run, page);
  return &page;
}

// Of several that overlap the one that begins last reaches furthest.
Reservation* FreeFrames::Find(Object& object, Pindex pindex) {
  const auto behind = object.reservations.upper_bound(static_cast<std::int64_t>(pindex));
  if (behind == object.reservations.begin()) return nullptr;
  Reservation& run = *std::prev(behind);
  return static_cast<std::int64_t>(pindex) - run.first < run_pages_ ? &run : nullptr;
}

bool FreeFrames::Overlaps(Object& object, std::int64_t first) const {
  const auto next = object.reservations.lower_bound(first - run_pages_ + 1);
  return next != object.reservations.end() && next->first < first + run_pages_;
}

Reservation* FreeFrames::Begin(const ReservationPlace& place) {
  const auto first = static_cast<std::int64_t>(place.pindex & ~Pindex{run_pages_ - 1});
  if (whole_.empty() || Overlaps(*place.object, first)) return nullptr;
  Reservation& run = whole_.front();
  whole_.pop_front();
  for (Page& page : Frames(run)) {
    Unlink(page);
    page.queue = PageQueue::kReserved;
    Increment(kept_count_);
  }
  run.object = place.object;
  run.first = first;
  place.object->reservations.insert(run);
  partial_.push_back(run);
  counters_.Add(Event::kReservation);
  return &run;
}

void FreeFrames::Requeue(Reservation& run) {
  if (run.link.is_linked()) partial_.erase(partial_.iterator_to(run));
  if (run.available != 0) partial_.push_back(run);
}

void FreeFrames::Use(Reservation& run, Page& page) {
  page.queue = PageQueue::kNone;
  --run.available;
  Decrement(kept_count_);
  Decrement(count_);
  Requeue(run);
  if (run.available == 0) counters_.Add(Event::kReservationFull);
}

void FreeFrames::Keep(Reservation& run, Page& page) {
  page.queue = PageQueue::kReserved;
  ++run.available;
  Increment(kept_count_);
  Requeue(run);
  if (run.available == run_pages_) End(run);
}

void FreeFrames::End(Reservation& run) {
  Object& object = *run.object;
  object.reservations.erase(object.reservations.iterator_to(run));
  run.object = nullptr;
  if (run.link.is_linked()) partial_.erase(partial_.iterator_to(run));
  for (Page& page : Frames(run)) {
    if (page.queue != PageQueue::kReserved) continue;
    Decrement(kept_count_);
    Link(page, false);
  }
  if (run.available == run_pages_) whole_.push_back(run);
}

void FreeFrames::Break(Reservation& run) {
  End(run);
  counters_.Add(Event::kReservationBroken);
}

void FreeFrames::BreakAll(Object& object) {
  while (!object.reservations.empty()) Break(*object.reservations.begin());
}

void FreeFrames::Rename(const Page& page, const Object& from, Object& to, Pindex distance) {
  Reservation& run = *RunOf(page);
  Object* object = run.object;
  if (object != &from) return;
  object->reservations.erase(object->reservations.iterator_to(run));
  run.object = &to;
  run.first -= static_cast<std::int64_t>(distance);
  to.reservations.insert(run);
  counters_.Add(Event::kReservationRenamed);
}

}  // namespace vm
