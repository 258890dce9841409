// Page batches: what keeps threads that take, free and activate pages off the lock of a queue. Each
// of a few batches serves the threads whose numbers fall to it, and exchanges pages with its queue
// Thresholds::batch_pages at a time (free_queue.h, page_queues.h).
//
// Thread safety: each batch is guarded by its lock, a leaf.
#ifndef VM_PAGE_BATCH_H_
#define VM_PAGE_BATCH_H_

#include <array>
#include <cstdint>

#include "locking/annotations.h"
#include "locking/relaxed.h"
#include "locking/spin_mutex.h"
#include "locking/thread_state.h"
#include "vm/lock_classes.h"
#include "vm/page.h"

namespace vm {

inline constexpr std::uint32_t kBatches = 8;

struct alignas(64) PageBatch {
  locking::SpinMutex lock{kPageBatchLock};
  PageList pages LOCKING_GUARDED_BY(lock);
  // The first of the free ones, for whoever wants to fetch its frame ahead.
  locking::Relaxed<const Page*> upcoming = nullptr;
};

using PageBatches = std::array<PageBatch, kBatches>;

// The number of the calling thread's batch.
inline std::uint32_t OwnBatch() { return locking::Self().ordinal % kBatches; }

}  // namespace vm

#endif  // VM_PAGE_BATCH_H_
