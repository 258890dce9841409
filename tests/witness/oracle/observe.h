// What the witness says of a program after serial runs of it: real locks, a real LockOrderWitness,
// and threads that are descriptors alone, one at a time on the calling OS thread.
//
// Thread safety: one Observer for each OS thread.
#ifndef TESTS_WITNESS_ORACLE_OBSERVE_H_
#define TESTS_WITNESS_ORACLE_OBSERVE_H_

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "locking/lock_class.h"
#include "locking/mutex.h"
#include "locking/rw_mutex.h"
#include "tests/witness/oracle/program.h"

namespace locking::oracle {

// From the weakest to the strongest; see Tier.
enum class Verdict : std::uint8_t {
  kNone,
  kNoWriter,
  kSingleContext,
  kOrdered,  // no program has spawn and join
  kGated,
  kClassOnly,  // each class has one lock here
  kProvable
};
inline constexpr int kVerdicts = 7;
const char* VerdictName(Verdict verdict);

class Observer {
 public:
  Observer();
  ~Observer();

  // The strongest verdict on `program` of a witness that sees one serial run of it for each of
  // `orders`: the threads' indexes, in the order in which they run.
  using Order = std::vector<int>;
  Verdict Watch(const Program& program, std::span<const Order> orders);

 private:
  struct Lock {
    explicit Lock(int i);
    LockClass mutex_class;
    LockClass rw_class;
    Mutex mutex;
    RwMutex rw;
  };
  void Run(const Program& program, int thread);
  void DoOne(const Kinds& kinds, Operation operation, unsigned* shared);

  std::array<std::unique_ptr<Lock>, kLocks> locks_;
};

}  // namespace locking::oracle

#endif  // TESTS_WITNESS_ORACLE_OBSERVE_H_
