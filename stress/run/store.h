// The store of a run: memory or a file, with the errors that its scenario injects.
#ifndef STRESS_RUN_STORE_H_
#define STRESS_RUN_STORE_H_

#include <memory>

#include "stress/run/plan.h"
#include "vm/store/store.h"

namespace stress {

struct OpenedStore {
  std::unique_ptr<vm::Store> store;
  const char* caching;  // "none", "direct" or "buffered", as vm::FileStore says
};

// Random choices follow from `seed`. Throws CommandError: 2 when the path cannot be used, 3 when
// the host has no room.
OpenedStore OpenStore(const RunPlan& plan, std::uint64_t seed);

}  // namespace stress

#endif  // STRESS_RUN_STORE_H_
