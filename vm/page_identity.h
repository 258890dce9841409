// Who a page belongs to, and the only ways in which that changes:
//
//            allocation                  its object ends while it is wired
//   free ───────────────▶ object ──────────────────────────────▶ detached
//    ▲ ▲ ▲                │   ▲ inserted                             │ last unwire
//    │ │ │     freed      │   │                                      │
//    │ │ └────────────────┤  no-object ◀── free, without an object   │
//    │ │                  │   │                                      │
//    │ │ last unhold      ▼   ▼                                      │
//    │ └──────────────── held ◀────── freed while it is held ────────┤
//    └───────────────────────────────────────────────────────────────┘
//   free ◀──▶ contiguous      a run that its taker owns
//   fictitious, absent        for good: a frame that is no memory of the machine's; a hole in it
//
// Follows the head comment of uvm_page.c, whose four identities are free, object and contiguous
// here (anons keep their pages in objects); the others name what the seeds tell by flags and
// counts.
#ifndef VM_PAGE_IDENTITY_H_
#define VM_PAGE_IDENTITY_H_

#include <array>
#include <cstdint>

namespace vm {

enum class PageIdentity : std::uint8_t {
  kFree,        // on the free queue, or on a batch of it
  kObject,      // of an object
  kNoObject,    // of whoever allocated it (page tables)
  kDetached,    // wired, and its object is gone
  kHeld,        // freed, and held: on the hold list
  kContiguous,  // of whoever took the run
  kFictitious,  // describes a frame that the machine does not manage
  kAbsent,      // no memory is there
  kCount,
};
const char* PageIdentityName(PageIdentity identity);

// For each identity, a bit for each that may follow it.
constexpr std::uint8_t Bit(PageIdentity identity) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(identity));
}
inline constexpr std::array<std::uint8_t, static_cast<std::size_t>(PageIdentity::kCount)>
    kMayBecome = {
        /* kFree */ Bit(PageIdentity::kObject) | Bit(PageIdentity::kNoObject) |
            Bit(PageIdentity::kContiguous),
        /* kObject */ Bit(PageIdentity::kFree) | Bit(PageIdentity::kHeld) |
            Bit(PageIdentity::kDetached),
        /* kNoObject */ Bit(PageIdentity::kFree) | Bit(PageIdentity::kHeld) |
            Bit(PageIdentity::kObject),
        /* kDetached */ Bit(PageIdentity::kFree) | Bit(PageIdentity::kHeld),
        /* kHeld */ Bit(PageIdentity::kFree),
        /* kContiguous */ Bit(PageIdentity::kFree) | Bit(PageIdentity::kHeld),
        /* kFictitious */ 0,
        /* kAbsent */ 0,
};
constexpr bool MayBecome(PageIdentity from, PageIdentity to) {
  return (kMayBecome[static_cast<std::size_t>(from)] & Bit(to)) != 0;
}

}  // namespace vm

#endif  // VM_PAGE_IDENTITY_H_
