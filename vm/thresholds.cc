#include "vm/thresholds.h"

#include <algorithm>

#include "vm/page_batch.h"

namespace vm {

Thresholds Thresholds::ForPages(std::uint32_t pages) {
  constexpr std::uint32_t kCacheFromPages = 6144;  // smaller machines keep no cache queue filled
  Thresholds t;
  t.interrupt_free_min = pages < 64 ? 1 : 2;
  t.pageout_free_min = t.interrupt_free_min + std::clamp(pages / 128, 1u, 32u);
  t.free_reserved = t.pageout_free_min + pages / 768;
  t.free_min = t.free_reserved + std::max(1u, pages / 200);
  t.free_target = 2 * t.free_min + t.free_reserved;
  t.batch_pages = std::clamp(pages / 64, 1u, 256u);
  t.batch_floor = t.free_target + kBatches * t.batch_pages;
  if (pages > kCacheFromPages) {
    t.cache_min = t.free_target;
    t.inactive_target = std::min(4 * t.cache_min, pages / 4);
  } else {
    t.cache_min = 0;
    t.inactive_target = pages / 4;
  }
  return t;
}

}  // namespace vm
