// When the machine is short of pages: constants of one machine, from its size.
// Follows the sizing of the BSD page daemon, scaled so that a machine of 16 pages still works.
#ifndef VM_THRESHOLDS_H_
#define VM_THRESHOLDS_H_

#include <cstdint>

namespace vm {

// All in pages; interrupt_free_min <= pageout_free_min <= free_reserved < free_min < free_target.
struct Thresholds {
  std::uint32_t interrupt_free_min;  // below: only interrupt-class allocations succeed
  std::uint32_t pageout_free_min;    // from here on the page daemon itself is served again
  std::uint32_t free_reserved;       // below: only system- and interrupt-class allocations
  std::uint32_t free_min;            // waiting threads are woken above this
  std::uint32_t free_target;         // the page daemon works until so many are free
  std::uint32_t cache_min;           // and so many on the cache queue
  std::uint32_t batch_pages;         // go to and from a batch at once; 1: there are no batches
  std::uint32_t batch_floor;         // free pages stand on batches only above this (page_batch.h)
  std::uint32_t inactive_target;     // so many inactive pages are kept in reserve

  static Thresholds ForPages(std::uint32_t pages);
};

}  // namespace vm

#endif  // VM_THRESHOLDS_H_
