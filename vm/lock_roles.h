// The roles that locks of the VM play. Which lock plays them is the machine's dialect.
#ifndef VM_LOCK_ROLES_H_
#define VM_LOCK_ROLES_H_

#include "locking/role.h"

namespace vm {

using MutexRole = locking::Role<locking::Mutex>;
using RoleGuard = locking::Guard<MutexRole>;
using PageRole = locking::Role<locking::RecursiveMutex>;
using PageRoleGuard = locking::Guard<PageRole>;

}  // namespace vm

#endif  // VM_LOCK_ROLES_H_
