// Claim: a right that is taken or not, and never waited for. The harness uses it where a lock would
// order the workers' use of the VM, or serialise what the witness should see run side by side.
//
// Thread safety: all functions may be called by any thread; who holds it releases it.
#ifndef STRESS_WORLD_CLAIM_H_
#define STRESS_WORLD_CLAIM_H_

#include <cstdint>

#include "locking/atomic.h"

namespace stress {

class Claim {
 public:
  // With others that share it; false while somebody holds it alone.
  bool TryShared() {
    std::int32_t holders = holders_.Peek();
    while (holders >= 0)
      if (holders_.CompareExchange(holders, holders + 1, std::memory_order_acquire)) return true;
    return false;
  }
  void ReleaseShared() { holders_.FetchSub(1, std::memory_order_release); }
  bool TryAlone() {
    std::int32_t nobody = 0;
    return holders_.CompareExchange(nobody, kAlone, std::memory_order_acquire);
  }
  void ReleaseAlone() { holders_.Store(0, std::memory_order_release); }

 private:
  static constexpr std::int32_t kAlone = -1;
  locking::Atomic<std::int32_t> holders_{0};  // sharers, or kAlone
};

// Holds a claim that was taken; does nothing when it was not.
class SharedClaim {
 public:
  explicit SharedClaim(Claim& claim) : claim_(claim), held_(claim.TryShared()) {}
  ~SharedClaim() {
    if (held_) claim_.ReleaseShared();
  }
  SharedClaim(const SharedClaim&) = delete;
  bool held() const { return held_; }

 private:
  Claim& claim_;
  const bool held_;
};

class AloneClaim {
 public:
  explicit AloneClaim(Claim& claim) : claim_(claim), held_(claim.TryAlone()) {}
  ~AloneClaim() {
    if (held_) claim_.ReleaseAlone();
  }
  AloneClaim(const AloneClaim&) = delete;
  bool held() const { return held_; }

 private:
  Claim& claim_;
  const bool held_;
};

}  // namespace stress

#endif  // STRESS_WORLD_CLAIM_H_
