// Reservations: a run of frames, aligned to its length, is set aside for a run of an object's
// offsets as long, so that what is used together lies together. A machine has them if its
// configuration says how long a run is (SystemConfig::reservation_pages).
//
//   object    first    + 1     + 2     + 3                    whole ──begun──▶ partial ◀──▶ full
//               │       │       │       │                       ▲                 │
//   frames    [used]  [kept]  [kept]  [used]                    └──── ended ──────┘
//
// The first allocation at an offset of such a run of offsets begins the reservation, later ones get
// the frame at their place. A frame that is freed is kept again; when none is used any more, the
// reservation ends. Frames that are kept are free in all but the list: counted, and had by whoever
// finds no others, for then the reservation that changed least recently is broken: what it keeps
// goes to the free queue, what is used stays where it is. A reservation with nothing to give is
// full, and not broken.
//
// Frames that are used belong to the object of the reservation, at their places, or to another: a
// reservation moves along with a page that is moved, and others of its pages may stay behind. So it
// may begin before its object does, and two of one object may overlap. An allocation whose place is
// used by another object's page gets some other frame.
//
// Which objects reserve: those whose pages the page daemon may take, where all of the run is
// without a page. A run that sticks out of the object is reserved only where memory may grow
// (CoalesceObject): anonymous, with nothing behind it.
//
// Lock key: (f) the free queue's lock; (c) constant. Who moves pages, and who ends, has its objects
// locked too; nothing else may begin or move a reservation of an object.
//
// Follows vm_object.c:173 (none left), :778 (end), :1366 (split), :1635 (scan), :1733 (collapse).
#ifndef VM_RESERVATION_H_
#define VM_RESERVATION_H_

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <cstdint>

#include "locking/relaxed.h"
#include "vm/types.h"

namespace vm {

class Object;

inline constexpr std::uint32_t kMaxReservationPages = 4096;

// One run of frames, reserved or not.
struct Reservation {
  using Hook = boost::intrusive::list_member_hook<>;
  using ObjectHook = boost::intrusive::set_member_hook<boost::intrusive::optimize_size<true>>;

  locking::Relaxed<Object*> object = nullptr;  // (f) nullptr: not reserved
  // (f) The offset of the object that frame 0 is for; below 0 where the object begins within.
  std::int64_t first = 0;
  std::uint32_t available = 0;  // (f) free frames: on the free queue, or kept
  Hook link;                    // (f) among the whole runs, or the partial reservations
  ObjectHook object_link;       // (f)

  std::uint32_t IndexOf(Pindex pindex) const {
    return static_cast<std::uint32_t>(static_cast<std::int64_t>(pindex) - first);
  }
};

struct ReservationFirst {
  using type = std::int64_t;
  std::int64_t operator()(const Reservation& reservation) const { return reservation.first; }
};
// An object's, in order of `first`.
using ReservationSet = boost::intrusive::multiset<
    Reservation,
    boost::intrusive::member_hook<Reservation, Reservation::ObjectHook, &Reservation::object_link>,
    boost::intrusive::key_of_value<ReservationFirst>>;
using ReservationList = boost::intrusive::list<
    Reservation, boost::intrusive::member_hook<Reservation, Reservation::Hook, &Reservation::link>>;

// Where a page is wanted.
struct ReservationPlace {
  Object* object = nullptr;  // nullptr: anywhere
  Pindex pindex = 0;
  bool may_begin = false;  // a reservation, if there is none
};

}  // namespace vm

#endif  // VM_RESERVATION_H_
