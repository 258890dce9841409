// Half of a memory barrier for each of two threads, of which one comes by a million times as often:
//
//   often:   store A; LightBarrier(); load B        a compiler barrier: nothing at run time
//   seldom:  store B; HeavyBarrier(); load A        a system call: a full barrier on every thread
//
// At least one of them sees what the other stored. For liveness alone: what is handed over between
// the threads goes through release and acquire, so a sanitizer that does not know membarrier(2)
// misses nothing.
#ifndef LOCKING_ASYMMETRIC_BARRIER_H_
#define LOCKING_ASYMMETRIC_BARRIER_H_

#include <atomic>

namespace locking {

inline void LightBarrier() { std::atomic_signal_fence(std::memory_order_seq_cst); }
// Without AsymmetricBarriers: a full barrier of the calling thread alone.
void HeavyBarrier();
// Whether the kernel has them; if not, the frequent side needs a full barrier too. Constant in a
// process.
bool AsymmetricBarriers();

}  // namespace locking

#endif  // LOCKING_ASYMMETRIC_BARRIER_H_
