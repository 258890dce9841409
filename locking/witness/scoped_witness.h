// A witness for a piece of code: it watches the calling thread and those that it spawns, as long as
// it lives. In the body of an exploration each execution has its own, so that every execution says
// what it says by itself.
//
// Thread safety: made and destroyed by one thread, which holds no lock then; the threads it spawned
// have ended by the end.
#ifndef LOCKING_WITNESS_SCOPED_WITNESS_H_
#define LOCKING_WITNESS_SCOPED_WITNESS_H_

#include <utility>

#include "locking/thread_state.h"
#include "locking/witness/lock_order_witness.h"

namespace locking {

class ScopedWitness {
 public:
  explicit ScopedWitness(WitnessOptions options = {}) : witness_(std::move(options)) {
    RunContext run = Self().run;
    run.witness = &witness_;
    former_ = SetRunContext(run);
  }
  ~ScopedWitness() { SetRunContext(former_); }
  ScopedWitness(const ScopedWitness&) = delete;

  LockOrderWitness& witness() { return witness_; }

 private:
  LockOrderWitness witness_;
  RunContext former_;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_SCOPED_WITNESS_H_
