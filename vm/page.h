// A resident page: the descriptor of one frame, from the start of the machine to its end.
//
// Lock key, one letter a field:
//   (o) the owner's lock: the object it belongs to, held exclusively to change
//   (p) the page role (PageQueues::PageLock)
//   (q) the page role and the page queue mutex to change; either to read
//   (l) the page queue mutex
//   (f) the lock of the free queue, or of the batch, that the page stands on while it is free or
//       held; else the page role
//   (v) the PV list lock of the page
//   (a) atomic: set under the pmap lock or the owner's lock; see each field
//   (c) constant
// A Relaxed field may be read without its lock as a hint.
// A page without an owner belongs to whoever took it from the free queue.
//
// The frame's bytes belong to whoever has the page busy or its owner locked exclusively (the
// kernel), and to CPUs with a valid translation.
//
// Follows vm_page.c:120 and the head comment of uvm_page.h.
#ifndef VM_PAGE_H_
#define VM_PAGE_H_

#include <boost/intrusive/list.hpp>
#include <cstdint>

#include "locking/atomic.h"
#include "locking/relaxed.h"
#include "vm/page_identity.h"
#include "vm/tree_link.h"
#include "vm/types.h"

namespace vm {

class Object;
struct PvEntry;

// The list a page stands on. kFreeBatch: free, and on a batch of the free queue (page_batch.h).
// kReserved: free, on no list, and kept by a reservation (reservation.h).
enum class PageQueue : std::uint8_t {
  kNone,
  kActive,
  kInactive,
  kCache,
  kFree,
  kFreeBatch,
  kReserved,
  kHold
};
constexpr bool IsFree(PageQueue queue) {
  return queue == PageQueue::kFree || queue == PageQueue::kFreeBatch ||
         queue == PageQueue::kReserved;
}

inline constexpr std::uint8_t kActInit = 5;     // vm_page.h: activation starts here
inline constexpr std::uint8_t kActAdvance = 3;  // a reference adds this
inline constexpr std::uint8_t kActDecline = 1;  // a scan without one takes this away
inline constexpr std::uint8_t kActMax = 64;

struct Page {
  locking::Published<Object> object = nullptr;  // (o)
  Pindex pindex = 0;                            // (o)
  boost::intrusive::list_member_hook<> link;    // (q), on the free queue (f)
  PvEntry* pv_first = nullptr;                  // (v)
  std::uint64_t valid = 0;                      // (o) a bit a 512-byte block
  // (a) a bit a block. Set by pmap code when it folds a modified bit, cleared under the owner's
  // lock while no mapping can write.
  locking::Atomic<std::uint64_t> dirty{0};
  Frame frame = 0;  // (c)
  // (o) Thread id of the exclusive holder, kMany after a hand-off to I/O, else kNobody. An atomic
  // so that wait records can name it.
  locking::Relaxed<std::uint32_t> busy_owner = 0;
  std::uint16_t shared_busy = 0;  // (o) holders of shared busy (I/O from the page)
  bool wanted = false;            // (o) somebody sleeps for busy
  bool zeroed = false;            // (f) PG_ZERO: the frame reads as zero; ignored once valid
  std::uint16_t wire_count = 0;   // (p)
  locking::Relaxed<std::uint16_t> hold_count = 0;  // (p)
  // (o) and (p) to change, either to read. Loans to senders: a write makes a copy (page_cow.h).
  std::uint16_t cow = 0;
  std::uint8_t act_count = 0;                            // (p)
  locking::Relaxed<PageQueue> queue = PageQueue::kNone;  // (q), (f)
  PageIdentity identity = PageIdentity::kFree;           // (o), (f)
  bool winatcfls = false;  // (p) PG_WINATCFLS: dirty, and passed over once by the inactive scan
  // (o) and (p) to change, either to read. PG_UNMANAGED: on no paging queue and no PV list, until
  // it is freed.
  bool unmanaged = false;
  bool nosync = false;     // (o) PG_NOSYNC: dirty memory that need not be written for a sync
  std::uint8_t batch = 0;  // (l) active, and not yet on the queue: 1 + the batch that it stands on
  bool marker = false;     // (c) a scan's place holder, not a page
  locking::Atomic<bool> referenced{false};  // (a) by anyone; a hint
  // (a) some mapping may write: set under the pmap and owner locks, cleared when all lost it
  locking::Atomic<bool> writeable{false};
  TreeLink tree_link;  // (o) in the dialects rbtree and splay

  bool exclusively_busy() const { return busy_owner != 0; }
  bool busied() const { return exclusively_busy() || shared_busy != 0; }
  // Describes a frame that is none of the machine's: never queued, freed, or wholly unwired.
  bool fictitious() const { return identity == PageIdentity::kFictitious; }
};
static_assert(sizeof(Page) <= 128);

// INV-10 if the page may not become that. Locked on entry and return: (o), (f).
[[noreturn]] void FailIdentity(const Page& page, PageIdentity to);
inline void ChangeIdentity(Page& page, PageIdentity to) {
  if (!MayBecome(page.identity, to)) [[unlikely]]
    FailIdentity(page, to);
  page.identity = to;
}

using PageList = boost::intrusive::list<
    Page, boost::intrusive::member_hook<Page, boost::intrusive::list_member_hook<>, &Page::link>,
    boost::intrusive::constant_time_size<true>>;

}  // namespace vm

#endif  // VM_PAGE_H_
