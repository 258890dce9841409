// Runs of frames that follow each other, as devices want them. A run belongs to whoever took it,
// and is on no queue until it is given back.
//
// The search goes up from the lowest frame, each time less choosy than the last: pages that are
// free or cached; those that reservations keep, which are broken; inactive ones too; active ones
// too. What an object must give up for a run goes one by one, dirty pages to their pager first.
// Nothing is taken until all of the run is on the free queue: a search that has to go on elsewhere
// leaves nothing behind (D06).
//
// Thread safety: all functions may be called by any thread.
//
// Follows vm_contig.c (contigmalloc1), as the seeds' log mends it, and uvm_pglist.c.
#ifndef VM_CONTIGUOUS_H_
#define VM_CONTIGUOUS_H_

#include <cstdint>
#include <span>

#include "vm/page.h"
#include "vm/types.h"

namespace vm {

class System;

// In frames.
struct ContiguousRequest {
  std::uint32_t count = 1;
  Frame low = 0;  // the run lies in [low, high); those beyond the machine are none
  Frame high = ~Frame{0};
  std::uint32_t alignment = 1;  // the first frame is a multiple of it; a power of two
  std::uint32_t boundary = 0;   // the run crosses no multiple of it; a power of two, or 0: any
  bool zeroed = false;
};

// kInvalidArgument: no frames could ever be such a run. kNoSpace: none could be freed.
//   locked on entry and return: nothing. Sleeps.
[[nodiscard]] Result AllocateContiguous(System& system, const ContiguousRequest& request,
                                        std::span<Page>* run);
// Gives back a run, or a part of one.
//   locked on entry and return: nothing from the page role on.
void FreeContiguous(System& system, std::span<Page> run);

}  // namespace vm

#endif  // VM_CONTIGUOUS_H_
