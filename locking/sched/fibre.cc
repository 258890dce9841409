#include "locking/sched/fibre.h"

#include "locking/sched/explore_executor.h"
#include "locking/sched/sanitizer_fibres.h"

namespace locking {

Fibre::Fibre(ExploreExecutor* owner, std::uint32_t fibre_id, std::size_t bytes)
    : executor(owner), stack(bytes), thread(fibre_id, "") {
  id = fibre_id;
  held = &thread.held;
  stack_bottom = stack.bottom();
  stack_bytes = stack.bytes();
  thread.executor = owner;
  thread.executor_data = this;
}

Fibre::~Fibre() {
  if (tsan_fibre != nullptr) __tsan_destroy_fiber(tsan_fibre);
}

}  // namespace locking
