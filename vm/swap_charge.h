// What memory may claim of swap space before it needs any: each user, a Credential, is charged for
// the pages that it may come to write, and refused beyond its limit.
//
// The charge of new memory stands with its map entry, and moves to the object that the entry gets.
// What is shared is charged once, to its object; a copy-on-write entry is charged for the object
// that its first write will make. Σ charges of entries and objects = what is reserved (INV-51).
//
// Thread safety: all functions may be called by any thread. The lock is a leaf.
//
// Follows swap_reserve_by_cred and swap_release_by_cred, of which vm_object.c charges.
#ifndef VM_SWAP_CHARGE_H_
#define VM_SWAP_CHARGE_H_

#include <cstdint>
#include <deque>

#include "locking/relaxed.h"
#include "vm/lock_roles.h"
#include "vm/types.h"

namespace vm {

inline constexpr Pindex kNoChargeLimit = ~0ull;

// Lives as long as the machine.
class Credential {
 public:
  explicit Credential(Pindex limit) : limit_(limit) {}
  Credential(const Credential&) = delete;

  Pindex limit() const { return limit_; }      // in pages
  Pindex charged() const { return charged_; }  // may be read at any time

 private:
  friend class SwapCharges;
  const Pindex limit_;
  locking::Relaxed<Pindex> charged_;  // written under the lock of SwapCharges
};

class SwapCharges {
 public:
  // `limit`: of the credential that spaces get which are given none.
  explicit SwapCharges(Pindex limit, locking::Giant* giant = nullptr);
  SwapCharges(const SwapCharges&) = delete;

  Credential& NewCredential(Pindex limit) LOCKING_EXCLUDES(lock_);
  Credential& everybody() { return everybody_; }

  // False, and nothing is charged: the limit would be exceeded.
  [[nodiscard]] bool Reserve(Credential& credential, Pindex pages) LOCKING_EXCLUDES(lock_);
  // INV-51 if so much was not reserved.
  void Release(Credential& credential, Pindex pages) LOCKING_EXCLUDES(lock_);
  // Of all credentials.
  Pindex reserved() const LOCKING_EXCLUDES(lock_);

 private:
  Credential everybody_;
  mutable MutexRole lock_;
  std::deque<Credential> others_ LOCKING_GUARDED_BY(lock_);
  Pindex reserved_ LOCKING_GUARDED_BY(lock_) = 0;
};

}  // namespace vm

#endif  // VM_SWAP_CHARGE_H_
