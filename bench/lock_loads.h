// Taking and releasing locks: ours, and what others offer. An iteration is one pair, or one nested
// pair. The locks of different threads share no cache line.
#ifndef BENCH_LOCK_LOADS_H_
#define BENCH_LOCK_LOADS_H_

#include <string>
#include <vector>

#include "bench/timing.h"

namespace bench {

// "mutex/off", "spin/on", "std_mutex" …: the names of the benchmarks without `Lock/`.
std::vector<std::string> LockNames();
// Each thread has its own locks; or all have one. "ttas" is the plainest of locks, against which
// ours are held: test-and-test-and-set.
MakeLoads PrivateLocks(const std::string& name);
MakeLoads SharedLock(const std::string& name);

}  // namespace bench

#endif  // BENCH_LOCK_LOADS_H_
