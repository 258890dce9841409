// What the sanitizers want to know of fibres. The functions are weak: null in a build without that
// sanitizer, so that one source, compiled without instrumentation, serves all builds.
#ifndef LOCKING_SCHED_SANITIZER_FIBRES_H_
#define LOCKING_SCHED_SANITIZER_FIBRES_H_

#include <cstddef>

#include "locking/annotations.h"

#define LOCKING_WEAK __attribute__((weak))

extern "C" {
// ThreadSanitizer.
LOCKING_WEAK void* __tsan_get_current_fiber();
LOCKING_WEAK void* __tsan_create_fiber(unsigned flags);
LOCKING_WEAK void __tsan_destroy_fiber(void* fiber);
LOCKING_WEAK void __tsan_switch_to_fiber(void* fiber, unsigned flags);
LOCKING_WEAK void __tsan_set_fiber_name(void* fiber, const char* name);
LOCKING_WEAK void __tsan_acquire(void* address);
LOCKING_WEAK void __tsan_release(void* address);
LOCKING_WEAK void __tsan_ignore_thread_begin();
LOCKING_WEAK void __tsan_ignore_thread_end();
// AddressSanitizer.
LOCKING_WEAK void __sanitizer_start_switch_fiber(void** save, const void* bottom, std::size_t size);
LOCKING_WEAK void __sanitizer_finish_switch_fiber(void* save, const void** bottom,
                                                  std::size_t* size);
LOCKING_WEAK void __asan_unpoison_memory_region(const volatile void* address, std::size_t size);
LOCKING_WEAK void __asan_handle_no_return();
}

namespace locking::sanitizer {

inline constexpr unsigned kNoSync = 1;  // no happens-before edge on the switch

LOCKING_UNINSTRUMENTED inline bool Tsan() { return &__tsan_switch_to_fiber != nullptr; }
LOCKING_UNINSTRUMENTED inline bool Asan() { return &__sanitizer_start_switch_fiber != nullptr; }

// A happens-before edge from each Release to each later Acquire of one address: what orders threads
// in every schedule (spawn, end, join), and nothing else.
LOCKING_UNINSTRUMENTED inline void Release(void* address) {
  if (Tsan()) __tsan_release(address);
}
LOCKING_UNINSTRUMENTED inline void Acquire(void* address) {
  if (Tsan()) __tsan_acquire(address);
}

// TSan does not look at what the calling fibre reads and writes: evidence is gathered from all
// fibres, which stand still.
class IgnoreScope {
 public:
  LOCKING_UNINSTRUMENTED IgnoreScope() {
    if (Tsan()) __tsan_ignore_thread_begin();
  }
  LOCKING_UNINSTRUMENTED ~IgnoreScope() {
    if (Tsan()) __tsan_ignore_thread_end();
  }
  IgnoreScope(const IgnoreScope&) = delete;
};

}  // namespace locking::sanitizer

#endif  // LOCKING_SCHED_SANITIZER_FIBRES_H_
