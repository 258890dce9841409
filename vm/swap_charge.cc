#include "vm/swap_charge.h"

#include "vm/lock_classes.h"
#include "vm/require.h"

namespace vm {

SwapCharges::SwapCharges(Pindex limit, locking::Giant* giant)
    : everybody_(limit), lock_(kSwapLock, 0, giant) {}

Credential& SwapCharges::NewCredential(Pindex limit) {
  RoleGuard guard(lock_);
  return others_.emplace_back(limit);
}

bool SwapCharges::Reserve(Credential& credential, Pindex pages) {
  RoleGuard guard(lock_);
  const Pindex charged = credential.charged_;
  if (pages > credential.limit_ - charged) return false;
  credential.charged_ = charged + pages;
  reserved_ += pages;
  return true;
}

void SwapCharges::Release(Credential& credential, Pindex pages) {
  RoleGuard guard(lock_);
  const Pindex charged = credential.charged_;
  Require(pages <= charged, "INV-51", "more swap space is released than was charged");
  credential.charged_ = charged - pages;
  reserved_ -= pages;
}

Pindex SwapCharges::reserved() const {
  RoleGuard guard(lock_);
  return reserved_;
}

}  // namespace vm
