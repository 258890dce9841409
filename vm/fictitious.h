// Fictitious pages: descriptors of frames that are no memory of the machine's, for objects that
// show a device. One is unmanaged, wired once for good, wholly valid, and of no identity but its
// own; its frame may lie behind the machine's memory (SystemConfig::device_frames), or be described
// by another page too. So nobody finds a fictitious page by its frame (D09): it is found by its
// object.
//
// Thread safety: all functions may be called by any thread. The lock is a leaf. Storage is
// type-stable.
//
// Follows PG_FICTITIOUS of vm_page.c:1091, and the fake pages of device_pager.c.
#ifndef VM_FICTITIOUS_H_
#define VM_FICTITIOUS_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "locking/annotations.h"
#include "vm/lock_roles.h"
#include "vm/page.h"

namespace vm {

class FictitiousPages {
 public:
  FictitiousPages(std::uint64_t all_blocks, locking::Giant* giant);
  FictitiousPages(const FictitiousPages&) = delete;

  // A page of `frame`, which has no owner and is not busy.
  Page& Take(Frame frame) LOCKING_EXCLUDES(lock_);
  // Whoever took it has removed it from its object (FreePage), and all its mappings.
  void Return(Page& page) LOCKING_EXCLUDES(lock_);
  // Pages taken and not returned.
  std::uint32_t in_use() const { return in_use_; }

 private:
  const std::uint64_t all_blocks_;
  MutexRole lock_;
  std::deque<Page> storage_ LOCKING_GUARDED_BY(lock_);
  std::vector<Page*> free_ LOCKING_GUARDED_BY(lock_);
  locking::Relaxed<std::uint32_t> in_use_;
};

}  // namespace vm

#endif  // VM_FICTITIOUS_H_
